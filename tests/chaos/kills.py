"""The kills: who dies, and at which point of which request."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.fixtures.proxy import Point
from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP, VenueProcess

EXECUTION, MARKETDATA, QUOTER = "execution.main", "marketdata.backpack", f"quoter.{PERP}"
SUPERVISORD, REDIS, RISK, SIGNALS = "supervisord", "redis", "risk", "signals"
FILL_SIZE = "1.5"
PLACE, CANCEL = "POST", "DELETE"


@dataclass(frozen=True, slots=True)
class Kill:
    """kill -9 of `victims` at a point of the next placement or cancel."""

    point: Point
    method: str
    victims: tuple[str, ...]

    def __str__(self) -> str:
        request = "placement" if self.method == PLACE else "cancel"
        return f"{'+'.join(self.victims)} at {request}: {self.point.value}"

    def happen(self, stage: Stage) -> float:
        """Wait for the point and strike; return when."""
        return stage.proxy.trap(self.point, self.method, stage.makerd.strike(*self.victims)).wait()


@dataclass(frozen=True, slots=True)
class MidJournal:
    """kill -9 of execution while Redis holds the write of a fill that the venue has told."""

    victims: tuple[str, ...] = (EXECUTION,)

    def __str__(self) -> str:
        return "execution.main mid-journal"

    def happen(self, stage: Stage) -> float:
        strike, hold = stage.makerd.strike(EXECUTION), stage.makerd.strike(REDIS)
        hold(signal.SIGSTOP)
        try:
            fill_ours(stage.venue)
            strike(signal.SIGKILL)
            return time.monotonic()
        finally:
            hold(signal.SIGCONT)


def fill_ours(venue: VenueProcess) -> None:
    """Let an outsider take until a resting order of ours has filled."""
    known = {fill["tradeId"] for fill in venue.maker.fills()}

    def has_filled() -> bool:
        for side in ("buy", "sell"):
            venue.take(side, FILL_SIZE)
        return any(fill["tradeId"] not in known for fill in venue.maker.fills())

    wait_until(has_filled, 10)


def kill_of(*victims: str) -> Callable[[Point, str], Kill]:
    return lambda point, method: Kill(point, method, victims)


_execution = kill_of(EXECUTION)
#: every victim, every point, and deaths in pairs
KILLS: tuple[Kill | MidJournal, ...] = (
    _execution(Point.NO_REPLY, PLACE),
    _execution(Point.UNREAD_REPLY, PLACE),
    _execution(Point.NOT_SENT, PLACE),
    _execution(Point.NO_REPLY, CANCEL),
    _execution(Point.UNREAD_REPLY, CANCEL),
    _execution(Point.NOT_SENT, CANCEL),
    MidJournal(),
    kill_of(REDIS)(Point.NO_REPLY, PLACE),
    kill_of(REDIS)(Point.NO_REPLY, CANCEL),
    kill_of(MARKETDATA)(Point.NO_REPLY, PLACE),
    kill_of(MARKETDATA)(Point.NO_REPLY, CANCEL),
    kill_of(SIGNALS)(Point.NO_REPLY, PLACE),
    kill_of(SIGNALS)(Point.UNREAD_REPLY, CANCEL),
    kill_of(RISK)(Point.NOT_SENT, PLACE),
    kill_of(RISK)(Point.NO_REPLY, CANCEL),
    kill_of(QUOTER)(Point.NO_REPLY, PLACE),
    kill_of(QUOTER)(Point.NO_REPLY, CANCEL),
    kill_of(EXECUTION, REDIS)(Point.NO_REPLY, PLACE),
    kill_of(QUOTER, RISK)(Point.NO_REPLY, CANCEL),
    MidJournal(),
    kill_of(SUPERVISORD)(Point.NO_REPLY, PLACE),
    kill_of(SUPERVISORD)(Point.NO_REPLY, CANCEL),
)
