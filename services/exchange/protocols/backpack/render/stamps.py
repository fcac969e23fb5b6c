"""The venue's notions of time on the wire; inside, everything is wall nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def to_us(time_ns: int) -> int:
    return time_ns // NS_PER_US


def to_ms(time_ns: int) -> int:
    return time_ns // NS_PER_MS


def iso_ms(time_ns: int) -> str:
    """Return as history prints it: UTC without a zone, milliseconds."""
    return f"{iso_s(time_ns)}.{time_ns // NS_PER_MS % 1000:03d}"


def iso_s(time_ns: int, separator: str = "T") -> str:
    """Return as funding intervals and candles print it: UTC without a zone, seconds."""
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).strftime(f"%Y-%m-%d{separator}%H:%M:%S")
