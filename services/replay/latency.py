"""Latencies: constant, or drawn from what `make bench` measured."""

from __future__ import annotations

import random
from bisect import bisect_right
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from shared.clock import NS_PER_MS
from shared.errors import BadInput

_Ms = Annotated[float, Meta(ge=0, le=60_000)]
_NS_PER_US = 1_000
_LONGEST_NS = 60_000 * NS_PER_MS
#: names of the results that a drawn latency is made of
CHAIN = "tick_to_order"
HOPS = 2


class LatencySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[replay.latency]`, milliseconds.

    feed_ms    from the recorded event to our market data process
    hop_ms     from one of our processes to the next
    order_ms   from execution to the venue: orders, cancels, questions
    reply_ms   from the venue back: replies, the private stream, answers
    bench      a bench.json: hops are drawn from the tick-to-order times measured there (two hops and
               the work between them), instead of hop_ms
    seed       of what is drawn
    """

    feed_ms: _Ms = 1.0
    hop_ms: _Ms = 0.25
    order_ms: _Ms = 5.0
    reply_ms: _Ms = 5.0
    bench: str | None = None
    seed: int = 1


class Latency(Protocol):
    """Nanoseconds of one way. constant_ns: None = it is drawn each time."""

    constant_ns: int | None

    def draw_ns(self) -> int: ...


class Constant:
    """Always the same."""

    def __init__(self, ms: float) -> None:
        self.constant_ns: int | None = round(ms * NS_PER_MS)
        self._ns = self.constant_ns

    def draw_ns(self) -> int:
        return self._ns


class Drawn:
    """Drawn from a distribution given by quantiles, linear between them."""

    def __init__(self, points: list[tuple[float, float]], parts: int, seed: int) -> None:
        """points: (share, ns), rising; parts: the draw is divided by that."""
        self.constant_ns: int | None = None
        self._shares = [share for share, _ in points]
        self._values = [value / parts for _, value in points]
        self._random = random.Random(seed)

    def draw_ns(self) -> int:
        share = self._random.random()
        index = min(max(bisect_right(self._shares, share), 1), len(self._shares) - 1)
        low, high = self._shares[index - 1], self._shares[index]
        part = min(max((share - low) / (high - low), 0.0), 1.0)
        return round(self._values[index - 1] + part * (self._values[index] - self._values[index - 1]))


def hop_of(settings: LatencySettings) -> Latency:
    """Return the latency of a hop. Raises: BadInput."""
    if settings.bench is None:
        return Constant(settings.hop_ms)
    path = Path(settings.bench)
    where = f"replay.latency.bench {settings.bench!r}"
    try:
        results = msgspec.json.decode(path.read_bytes())["results"]
        found = next(result for result in results if result["name"] == CHAIN)
        times = [float(found[name]) * _NS_PER_US for _, name in _POINTS]
    except OSError as error:
        raise BadInput(f"{where} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, StopIteration):
        raise BadInput(f"{where}: holds no result {CHAIN!r} with p50, p99 and p999 in us") from None
    if not 0 <= times[0] <= times[1] <= times[2] < _LONGEST_NS:
        raise BadInput(f"{where}: {CHAIN!r} must have 0 <= p50 <= p99 <= p999 < 60 s")
    quantiles = [(share, time_ns) for (share, _), time_ns in zip(_POINTS, times, strict=True)]
    return Drawn([(0.0, times[0] / 2), *quantiles, (1.0, times[-1])], HOPS, settings.seed)


_POINTS = ((0.5, "p50"), (0.99, "p99"), (0.999, "p999"))
