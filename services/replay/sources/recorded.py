"""What our own market data process told in a recorded run (`makerd record on`).

The market then had our orders in it. They are subtracted, by what execution recorded as working,
before the replay puts its own in.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

from services.replay.sources.base import Gap
from shared.clock import NS_PER_S, seconds_to_ns
from shared.errors import BadInput
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Message, Top, Working
from shared.own_orders import DEFAULT_SETTLE_S, OwnOrders
from shared.recording.reader import Recording, market_recordings, opened
from shared.recording.settings import SUFFIX, directory_of


class OwnRecording:
    """One symbol of a recorded run.

    Where market data was started anew is a hole: nobody knows what happened, or for how long.
    """

    def __init__(self, run: Path, scope: str, symbol: str) -> None:
        """Raises: BadInput where nothing of the symbol is recorded."""
        self.name = str(run)
        self._run, self._scope, self._symbol = run, scope, symbol
        self._gaps: list[Gap] = []
        self._read: list[Recording] = []
        paths = (*directory_of(run).glob(f"marketdata.{scope}/*{SUFFIX}"), *self._execution_paths())
        self.size = sum(path.stat().st_size for path in paths)
        found = (message for _, message in self._market() if isinstance(message, InstrumentInfo))
        info = next(found, None)
        if info is None:
            raise BadInput(f"{run}: nothing of {symbol} is recorded")
        self._info = info

    def instrument(self) -> InstrumentInfo:
        return self._info

    def gaps(self) -> list[Gap]:
        return self._gaps

    def position(self) -> int:
        return sum(recording.bytes_read for recording in self._read)

    def messages(self) -> Iterator[tuple[int, Message]]:
        self._gaps, self._read = [], []
        own = OwnOrders(seconds_to_ns(DEFAULT_SETTLE_S))
        depth: Depth | None = None
        gap: Gap | None = None
        working: dict[str, Working] = {}
        for now_ns, message in heapq.merge(self._market(), *self._working(), key=itemgetter(0)):
            if isinstance(message, Working):
                working[message.scope] = message
                own.report((order for one in working.values() for order in one.orders), now_ns)
                continue
            if isinstance(message, FeedState):
                is_live = message.status is FeedStatus.LIVE
                if not is_live and gap is None and depth is not None:
                    gap = Gap(now_ns, message.reason)
                    self._gaps.append(gap)
                elif is_live and gap is not None:
                    gap.end_ns, gap = now_ns, None
            elif isinstance(message, Depth):
                depth = message  # as it was shown: whoever looks behind a best price subtracts by itself
                message = _depth_of_others(message, own, now_ns)
            elif isinstance(message, Top):
                message = own.top_of_others(message, depth, now_ns)
            yield now_ns, message

    def _market(self) -> Iterator[tuple[int, Message]]:
        """Raises: BadInput when a recording begins before the end of the one before it."""
        last_ns = 0
        for recording in market_recordings(self._run, self._scope):
            self._read.append(recording)
            is_first = True
            for now_ns, message in recording.messages():
                if is_first and last_ns:
                    yield self._hole(recording, last_ns, now_ns)
                is_first, last_ns = False, now_ns
                fields: Any = message
                if fields.symbol == self._symbol:
                    yield now_ns, message

    def _hole(self, recording: Recording, last_ns: int, next_ns: int) -> tuple[int, FeedState]:
        """Return what was not told: that the feed ended. Times count from the start of the host."""
        if next_ns < last_ns:
            raise BadInput(
                f"{recording.path}: begins {(last_ns - next_ns) / NS_PER_S:.3f} s before the end of the "
                "recording before it: the host was restarted in between; replay them apart"
            )
        reason = (
            f"market data was started anew, nothing is recorded for {(next_ns - last_ns) / NS_PER_S:.1f} s"
        )
        return last_ns, FeedState(self._scope, self._symbol, FeedStatus.STALE, reason, last_ns, 0)

    def _working(self) -> list[Iterator[tuple[int, Message]]]:
        """Return what each execution process recorded as working, oldest first."""
        return [self._working_in(recording) for recording in opened(self._execution_paths())]

    def _execution_paths(self) -> list[Path]:
        return sorted(directory_of(self._run).glob(f"execution.*/*{SUFFIX}"))

    def _working_in(self, recording: Recording) -> Iterator[tuple[int, Message]]:
        self._read.append(recording)
        for now_ns, message in recording.messages():
            if isinstance(message, Working) and message.symbol == self._symbol:
                yield now_ns, message


def _depth_of_others(depth: Depth, own: OwnOrders, now_ns: int) -> Depth:
    return Depth(
        depth.scope, depth.symbol, own.bids.depth(depth.bids, now_ns), own.asks.depth(depth.asks, now_ns),
        depth.update_id, depth.venue_ns, depth.recv_ns, depth.as_of_ns, depth.cause_ns,
    )  # fmt: skip
