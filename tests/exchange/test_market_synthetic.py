"""The synthetic market: deterministic and plausible; what makers earn in it is in `test_market_markout`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from services.exchange.engine.venue import LocalVenue
from services.exchange.market.fair import FairPath
from services.exchange.market.synthetic import SyntheticMarket, SyntheticParams, default_params
from services.exchange.markets import DEFAULT_MARKETS, bench_markets
from services.exchange.model import BookChange, Event, OrderRequest, OrderType, Refused, Side
from tests.exchange.venue_builder import PERP, SECOND_NS, START_NS, account

SOL = default_params(next(market for market in DEFAULT_MARKETS if market.symbol == PERP))


def venue() -> LocalVenue:
    return LocalVenue(DEFAULT_MARKETS, (account("ann", "1000000", "1000"),))


@dataclass
class Watch:
    """Spreads of one symbol as they were published."""

    spreads: Counter[int] = field(default_factory=Counter)

    def __call__(self, event: Event) -> None:
        if isinstance(event, BookChange) and event.best_bid and event.best_ask:
            self.spreads[event.best_ask[0] - event.best_bid[0]] += 1


def simulate(params: SyntheticParams, seconds: int, seed: int = 7) -> Watch:
    at = venue()
    market, watch = SyntheticMarket(at, [params], seed), Watch()
    market.advance(START_NS)
    at.listen(watch)
    now = START_NS
    while now < START_NS + seconds * SECOND_NS:
        now = market.advance(now)
    return watch


def test_the_spread_is_one_to_three_ticks_and_updates_come_at_the_wanted_rate() -> None:
    watch = simulate(SOL, 120)
    total = sum(watch.spreads.values())
    assert sum(watch.spreads[ticks] for ticks in (1, 2, 3)) > 0.9 * total
    assert 0.8 * 120 * SOL.updates_per_s < total < 2 * 120 * SOL.updates_per_s


def test_a_maker_that_joins_the_best_prices_fills_on_both_sides_within_seconds() -> None:
    at = venue()
    market = SyntheticMarket(at, [SOL], 7)
    now = market.advance(START_NS)
    requoted = START_NS
    while now < START_NS + 30 * SECOND_NS:
        due = market.advance(now)
        if now - requoted > SECOND_NS // 5:
            requoted = now
            join(at, now)
        now = due
    sides = Counter(fill.side for fill in at.fills("ann"))
    assert min(sides[Side.BUY], sides[Side.SELL]) >= 5


def join(at: LocalVenue, now: int) -> None:
    depth = at.depth(PERP, 1)
    resting = {(order.side, order.price): order for order in at.open_orders("ann")}
    for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
        if (side, levels[0][0]) in resting:
            continue
        for (rested, _), order in resting.items():
            if rested is side:
                at.cancel("ann", PERP, now, order_id=order.id)
        price = Decimal(levels[0][0]).scaleb(-2)
        request = OrderRequest(PERP, side, OrderType.LIMIT, Decimal("0.2"), price, post_only=True)
        try:
            at.place("ann", request, now)
        except Refused:
            continue


def history(seed: int) -> list[Event]:
    at = venue()
    events: list[Event] = []
    market = SyntheticMarket(at, [SOL], seed)
    at.listen(events.append)
    for step in range(200):
        market.advance(START_NS + step * SECOND_NS // 20)
    return events


def test_the_same_seed_and_times_give_the_same_events() -> None:
    assert history(7) == history(7)
    assert history(7) != history(8)


def test_spot_and_perpetual_of_one_asset_follow_one_fair_price() -> None:
    at = venue()
    both = [default_params(market) for market in DEFAULT_MARKETS if market.base == "SOL"]
    market = SyntheticMarket(at, both, 3)
    now = START_NS
    while now < START_NS + 60 * SECOND_NS:
        now = market.advance(now)
    spot, perp = at.depth("SOL_USDC", 1), at.depth(PERP, 1)
    assert abs(spot.bids[0][0] - perp.bids[0][0]) < 8


def test_symbols_of_one_asset_must_agree_on_its_price() -> None:
    spot = replace(SOL, symbol="SOL_USDC", price=Decimal(151))
    with pytest.raises(ValueError, match="price 150 and 151 must be equal"):
        SyntheticMarket(venue(), [SOL, spot], 7)


def test_time_that_was_slept_through_is_not_made_up_for() -> None:
    at = venue()
    market = SyntheticMarket(at, [SOL], 7)
    market.advance(START_NS)
    first = at.depth(PERP).last_id
    market.advance(START_NS + 3600 * SECOND_NS)
    assert at.depth(PERP).last_id - first < 5 * 2 * SOL.updates_per_s


def test_all_default_and_bench_markets_keep_a_two_sided_book() -> None:
    markets = (*DEFAULT_MARKETS, *bench_markets(3))
    at = LocalVenue(markets, ())
    market = SyntheticMarket(at, [default_params(each) for each in markets], 11)
    now = START_NS
    while now < START_NS + 30 * SECOND_NS:
        now = market.advance(now)
        for symbol in at.markets:
            depth = at.depth(symbol, 1)
            assert depth.bids and depth.asks


@pytest.mark.parametrize(
    ("name", "value"), [("updates_per_s", 0.0), ("levels", 0), ("volatility_bps", -1.0), ("horizon_s", 99.0)]
)
def test_a_parameter_out_of_range_is_refused_by_name_and_value(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{name} {value} must be"):
        replace(SOL, **{name: value})  # type: ignore[arg-type]


def test_the_future_of_the_fair_price_is_what_then_happens() -> None:
    path = FairPath("7/SOL/fair", 0, volatility_bps=1.0, jumps_per_s=0.1, jump_bps=4.0)
    future = path.at(5 * SECOND_NS)
    path.at(SECOND_NS)
    path.forget_before(4 * SECOND_NS)
    assert path.at(5 * SECOND_NS) == future != 1.0
