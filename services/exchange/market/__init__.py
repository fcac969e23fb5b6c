"""Where the local venue's market comes from: a seeded synthetic flow or a recording."""

from __future__ import annotations

from typing import Protocol


class MarketDriver(Protocol):
    """Moves the market of one or more symbols forward in time."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing will happen any more."""
        ...

    def advance(self, now_ns: int, stamp_ns: int | None = None) -> int:
        """Do everything due until `now_ns`; return when something is due next.

        now_ns    any clock that only goes forward
        stamp_ns  the wall clock, for what is published; None = the same clock
        """
        ...
