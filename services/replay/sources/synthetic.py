"""The synthetic market of the local venue, as fast as it can be made instead of as time passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.exchange.engine.venue import LocalVenue
from services.exchange.market.synthetic import SyntheticMarket, default_params
from services.exchange.markets import DEFAULT_MARKETS
from services.exchange.model import BookChange, MarkChange, Market, MarketType
from services.exchange.model import Side as VenueSide
from services.exchange.model import Trade as VenueTrade
from services.replay.sources.base import Gap
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import BadInput
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Message, Side, Top, Trade

#: where its time begins; any day will do, but always the same
START_NS = 1_700_000_000 * NS_PER_S
DEPTH_NS = 100 * NS_PER_MS
STATE_NS = 200 * NS_PER_MS
DEPTH_LEVELS = 20


class SyntheticSource:
    """One symbol for so many seconds; the same seed gives the same market. Its size is in milliseconds."""

    def __init__(self, scope: str, symbol: str, seed: int, duration_s: float) -> None:
        """Raises: BadInput for a symbol that the local venue does not list."""
        self.name = f"synthetic:{seed}"
        self._scope, self._seed, self._duration_s = scope, seed, duration_s
        known = {market.symbol: market for market in DEFAULT_MARKETS}
        if symbol not in known:
            raise BadInput(f"synthetic market {symbol!r} is not known; choices: {', '.join(known)}")
        self._market = known[symbol]
        self.size = round(duration_s * 1_000)
        self._now_ns = START_NS

    def instrument(self) -> InstrumentInfo:
        market = self._market
        return InstrumentInfo(
            self._scope, market.symbol, market.base, market.quote, market.type is MarketType.PERP,
            f"{market.tick_size:f}", f"{market.lot_size:f}", f"{market.min_quantity:f}", None, None, None,
            None, "fixed", "1",
        )  # fmt: skip

    def gaps(self) -> list[Gap]:
        return []

    def position(self) -> int:
        return (self._now_ns - START_NS) // NS_PER_MS

    def messages(self) -> Iterator[tuple[int, Message]]:
        told = _Told(self._scope, self._market)
        venue = LocalVenue((self._market,), ())
        venue.listen(told.on_event)
        driver = SyntheticMarket(venue, (default_params(self._market),), self._seed)
        end_ns = START_NS + round(self._duration_s * NS_PER_S)
        yield START_NS, self.instrument()
        now_ns = START_NS
        due_ns = driver.advance(now_ns)
        mark_ns = now_ns
        while now_ns < end_ns:
            if mark_ns <= now_ns:
                venue.on_time(now_ns)
                mark_ns = now_ns + NS_PER_S
            for message in told.take(now_ns):
                yield now_ns, message
            self._now_ns = now_ns = min(due_ns, mark_ns, end_ns)
            due_ns = driver.advance(now_ns)


class _Told:
    """What the venue tells, as market data would."""

    def __init__(self, scope: str, market: Market) -> None:
        self._scope, self._symbol = scope, market.symbol
        self._sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._pending: list[Any] = []
        self._depth_due_ns = self._state_due_ns = 0

    def on_event(self, event: object) -> None:
        if isinstance(event, BookChange | VenueTrade | MarkChange):
            self._pending.append(event)

    def take(self, now_ns: int) -> Iterator[Message]:
        pending, self._pending = self._pending, []
        change: BookChange | None = None
        for event in pending:
            if isinstance(event, BookChange):
                change = event
                _apply(self._sides[0], event.bids)
                _apply(self._sides[1], event.asks)
            elif isinstance(event, VenueTrade):
                side = Side.BUY if event.side is VenueSide.BUY else Side.SELL
                yield Trade(
                    self._scope, self._symbol, side, event.price, event.quantity, event.id, now_ns, now_ns
                )
            else:
                yield Mark(
                    self._scope, self._symbol, float(event.mark), float(event.index),
                    float(event.funding_rate), event.next_funding_ns, now_ns, now_ns,
                )  # fmt: skip
        if change is not None:
            yield self._top(change, now_ns)
            if now_ns >= self._depth_due_ns:
                self._depth_due_ns = now_ns + DEPTH_NS
                yield self._depth(change, now_ns)
        if now_ns >= self._state_due_ns and (change is not None or self._state_due_ns):
            self._state_due_ns = now_ns + STATE_NS
            yield FeedState(self._scope, self._symbol, FeedStatus.LIVE, "", now_ns, 0)

    def _top(self, change: BookChange, now_ns: int) -> Top:
        bid, ask = change.best_bid, change.best_ask
        return Top(
            self._scope, self._symbol, None if bid is None else bid[0], 0 if bid is None else bid[1],
            None if ask is None else ask[0], 0 if ask is None else ask[1], change.last_id, now_ns, now_ns,
            now_ns, now_ns,
        )  # fmt: skip

    def _depth(self, change: BookChange, now_ns: int) -> Depth:
        bids, asks = self._sides
        return Depth(
            self._scope, self._symbol, tuple(sorted(bids.items(), reverse=True)[:DEPTH_LEVELS]),
            tuple(sorted(asks.items())[:DEPTH_LEVELS]), change.last_id, now_ns, now_ns, now_ns, now_ns,
        )  # fmt: skip


def _apply(side: dict[int, int], levels: Sequence[tuple[int, int]]) -> None:
    for ticks, lots in levels:
        if lots:
            side[ticks] = lots
        else:
            side.pop(ticks, None)
