"""Where the local venue's market comes from: a seeded synthetic flow or a recording."""

from __future__ import annotations

from typing import Protocol


class MarketDriver(Protocol):
    """Moves the market of one or more symbols forward in time."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing will happen any more."""
        ...

    def advance(self, now_ns: int) -> int:
        """Do everything due until `now_ns`; return when something is due next."""
        ...
