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
from shared.clock import seconds_to_ns
from shared.errors import BadInput
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Message, Top, Working
from shared.own_orders import DEFAULT_SETTLE_S, OwnOrders
from shared.recording.reader import Recording, market_messages
from shared.recording.settings import SUFFIX, directory_of


class OwnRecording:
    """One symbol of a recorded run."""

    size = 0

    def __init__(self, run: Path, scope: str, symbol: str) -> None:
        """Raises: BadInput where nothing of the symbol is recorded."""
        self.name = str(run)
        self._run, self._scope, self._symbol = run, scope, symbol
        self._gaps: list[Gap] = []
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
        return 0

    def messages(self) -> Iterator[tuple[int, Message]]:
        self._gaps = []
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
                message = _top_of_others(message, own, depth, now_ns)
            yield now_ns, message

    def _market(self) -> Iterator[tuple[int, Message]]:
        for now_ns, message in market_messages(self._run, self._scope):
            fields: Any = message
            if fields.symbol == self._symbol:
                yield now_ns, message

    def _working(self) -> list[Iterator[tuple[int, Message]]]:
        """Return what each execution process recorded as working, oldest first."""
        paths = sorted(directory_of(self._run).glob(f"execution.*/*{SUFFIX}"))
        return [self._working_in(path) for path in paths]

    def _working_in(self, path: Path) -> Iterator[tuple[int, Message]]:
        for now_ns, message in Recording(path).messages():
            if isinstance(message, Working) and message.symbol == self._symbol:
                yield now_ns, message


def _top_of_others(top: Top, own: OwnOrders, depth: Depth | None, now_ns: int) -> Top:
    """Return best prices without our orders; a side that was ours alone is what is behind, or nothing."""
    bids, asks = (depth.bids, depth.asks) if depth is not None else ((), ())
    bid = None if top.bid is None else own.bids.best(top.bid, top.bid_size, bids, now_ns)
    ask = None if top.ask is None else own.asks.best(top.ask, top.ask_size, asks, now_ns)
    return Top(
        top.scope, top.symbol, None if bid is None else bid[0], 0 if bid is None else bid[1],
        None if ask is None else ask[0], 0 if ask is None else ask[1], top.update_id, top.venue_ns,
        top.recv_ns, top.as_of_ns, top.cause_ns,
    )  # fmt: skip


def _depth_of_others(depth: Depth, own: OwnOrders, now_ns: int) -> Depth:
    return Depth(
        depth.scope, depth.symbol, own.bids.depth(depth.bids, now_ns), own.asks.depth(depth.asks, now_ns),
        depth.update_id, depth.venue_ns, depth.recv_ns, depth.as_of_ns, depth.cause_ns,
    )  # fmt: skip
