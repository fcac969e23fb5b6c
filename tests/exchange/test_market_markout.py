"""What an account earns that joins the best prices: nothing by itself, a loss against the informed.

The measure is the one that `services/exchange/market/synthetic.py` defines, the same for both.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import sqrt
from statistics import mean, stdev

import pytest

from services.exchange.engine.venue import LocalVenue
from services.exchange.market.synthetic import SyntheticMarket, default_params
from services.exchange.markets import DEFAULT_MARKETS
from services.exchange.model import (
    BookChange,
    Event,
    Fill,
    Market,
    Order,
    OrderEvent,
    OrderRequest,
    OrderType,
    Refused,
    Side,
)
from tests.exchange.venue_builder import SECOND_NS, START_NS, account

MARKETS = {market.symbol: market for market in DEFAULT_MARKETS}
SYMBOLS = ("SOL_USDC_PERP", "BTC_USDC_PERP", "ETH_USDC_PERP")
SEEDS = (1, 2, 3)
ORDER_USD = 100
REQUOTES_PER_S = 5
#: a window this long gives some 300 fills with informed takers and 100 without
WINDOW_S = 120


@dataclass
class Joiner:
    """Keeps one small order at the best price of the others on each side, and notes what followed."""

    venue: LocalVenue
    market: Market
    quantity: Decimal
    times: list[int] = field(default_factory=list)
    mids: list[float] = field(default_factory=list)
    fills: list[tuple[Fill, float]] = field(default_factory=list)
    orders: dict[Side, Order] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        if isinstance(event, BookChange) and event.best_bid and event.best_ask:
            self.times.append(event.engine_ns)
            self.mids.append((event.best_bid[0] + event.best_ask[0]) / 2)
        elif isinstance(event, OrderEvent) and event.fill is not None and self.mids:
            assert event.fill.is_maker
            self.fills.append((event.fill, self.mids[-1]))

    def requote(self, now_ns: int) -> None:
        depth = self.venue.depth(self.market.symbol, 5)
        for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
            order = self.orders.get(side)
            if order is not None and not order.is_live:
                order = None
            best = next((ticks for ticks, lots in levels if lots > self._own(order, ticks)), None)
            if best is not None and (order is None or order.price != best):
                self._move(side, order, best, now_ns)

    def _own(self, order: Order | None, ticks: int) -> int:
        return order.leaves if order is not None and order.price == ticks else 0

    def _move(self, side: Side, order: Order | None, ticks: int, now_ns: int) -> None:
        symbol, price = self.market.symbol, ticks * self.market.tick_size
        if order is not None:
            self.venue.cancel("ann", symbol, now_ns, order_id=order.id)
        request = OrderRequest(symbol, side, OrderType.LIMIT, self.quantity, price, post_only=True)
        try:
            self.orders[side] = self.venue.place("ann", request, now_ns)
        except Refused:
            self.orders.pop(side, None)

    def markouts_bps(self) -> list[float]:
        found = []
        for fill, mid in self.fills:
            if (later_ns := fill.time_ns + SECOND_NS) <= self.times[-1]:
                later = self.mids[bisect_right(self.times, later_ns) - 1]
                found.append((later - mid) / mid * 1e4 * (1 if fill.side is Side.BUY else -1))
        return found


def markouts_bps(symbol: str, seed: int, *, is_informed: bool) -> list[float]:
    market = MARKETS[symbol]
    params = default_params(market)
    if not is_informed:
        params = replace(params, informed_per_s=0.0)
    venue = LocalVenue((market,), (account("ann", "1000000"),))
    lots = round(ORDER_USD / float(params.price * market.lot_size))
    joiner = Joiner(venue, market, lots * market.lot_size)
    driver = SyntheticMarket(venue, [params], seed)
    now = driver.advance(START_NS)
    venue.listen(joiner)
    requoted = 0
    while now < START_NS + WINDOW_S * SECOND_NS:
        due = driver.advance(now)
        if now - requoted > SECOND_NS // REQUOTES_PER_S:
            requoted = now
            joiner.requote(now)
        now = due
    return joiner.markouts_bps()


def standard_error(values: list[float]) -> float:
    return stdev(values) / sqrt(len(values))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_informed_takers_make_the_markout_clearly_negative_in_every_window(symbol: str) -> None:
    for seed in SEEDS:
        values = markouts_bps(symbol, seed, is_informed=True)
        assert len(values) > 100
        assert mean(values) < -4 * standard_error(values)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_without_informed_takers_the_markout_is_about_zero(symbol: str) -> None:
    """Each window within 3 standard errors of zero; all together within 3, and small beside the informed."""
    windows = [markouts_bps(symbol, seed, is_informed=False) for seed in SEEDS]
    for values in windows:
        assert len(values) > 50
        assert abs(mean(values)) < 3 * standard_error(values)
    together = [value for values in windows for value in values]
    informed = [value for seed in SEEDS for value in markouts_bps(symbol, seed, is_informed=True)]
    assert abs(mean(together)) < 3 * standard_error(together)
    assert abs(mean(together)) < abs(mean(informed)) / 4
