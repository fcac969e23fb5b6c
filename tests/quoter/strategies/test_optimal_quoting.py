"""What holds for every model's quotes: bounds, places in the queue, sizes, inputs."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from services.quoter.config import parse_quoter
from services.quoter.explain import Allowed, assumptions, explain
from services.quoter.strategies.base import MarketView, Strategy
from services.quoter.strategies.optimal import avellaneda_stoikov, glft
from services.quoter.strategies.optimal.quoting import Around, Priced, prices
from shared.config import Quoter as QuoterTable
from shared.errors import BadInput
from tests.quoter.builders import ACCOUNT, INSTRUMENT, SYMBOL, Desk, intensity, view
from tests.quoter.builders import volatility as volatility_of

MODELS: dict[str, Strategy[Any, Any, Any]] = {
    "avellaneda_stoikov": avellaneda_stoikov.STRATEGY,
    "glft": glft.STRATEGY,
}
NAMES = pytest.mark.parametrize("name", MODELS)
GIVEN = {"intensity_a": 1.0, "intensity_k": 0.1}


def quoted(name: str, market: MarketView, memory: Priced | None = None, **params: Any) -> tuple[int, int]:
    """Return bid and ask, before sizes."""
    strategy = MODELS[name]
    planned = strategy.plan(strategy.params(**({"quantity": 0.5} | GIVEN | params)), INSTRUMENT)
    priced = strategy.quote(market, planned, memory or Priced()).memory
    assert isinstance(priced, Priced)
    return priced.bid, priced.ask


@NAMES
def test_inventory_shifts_both_quotes_by_at_most_max_skew_half_spreads(name: str) -> None:
    for position, side in ((10**6, -1), (-(10**6), 1)):
        market = view(volatility_pct=50.0, position=position)
        flat = quoted(name, view(volatility_pct=50.0), max_spread_pct=1.0, gamma=5.0)
        bid, ask = quoted(name, market, max_spread_pct=1.0, gamma=5.0, max_skew=0.5)
        half = (flat[1] - flat[0]) / 2
        assert (bid + ask) / 2 == pytest.approx(20_000 + side * half / 2, abs=1.5)


@NAMES
def test_R01_long_lowers_and_short_raises_both_quotes(name: str) -> None:
    long, flat, short = (
        quoted(name, view(volatility_pct=80.0, position=position), gamma=50.0) for position in (200, 0, -200)
    )
    assert long[0] < flat[0] < short[0] and long[1] < flat[1] < short[1]


@NAMES
def test_spread_is_between_its_least_and_its_largest(name: str) -> None:
    market = view(volatility_pct=50.0)
    bid, ask = quoted(name, market, intensity_k=1e3, gamma=1e-9, min_spread_ticks=7)
    assert ask - bid == 8  # seven around a mid that is a tick: outwards
    bid, ask = quoted(name, market, intensity_k=1e-6, max_spread_pct=1.0)
    assert (bid, ask) == (19_900, 20_100)


@NAMES
def test_Q17_a_target_that_moves_by_less_than_a_tick_keeps_both_places(name: str) -> None:
    first = quoted(name, view(volatility_pct=50.0), price_tolerance_pct=0.0)
    memory, prices_seen = Priced(*first), set()
    for pct in (50.0, 50.5, 49.5, 50.2, 49.8):
        now = quoted(name, view(volatility_pct=pct), memory, price_tolerance_pct=0.0)
        memory = Priced(*now)
        prices_seen.add(now)
    assert prices_seen == {first}
    moved = quoted(name, view(volatility_pct=50.0, bid=20_001, ask=20_003), memory, price_tolerance_pct=0.0)
    assert moved == (first[0] + 2, first[1] + 2)


def test_Q17_a_price_is_kept_below_a_tick_or_the_tolerance_and_not_at_it() -> None:
    planned = glft.plan(glft.Params(quantity=0.5, price_tolerance_pct=10.0), INSTRUMENT)
    market, memory = view(), Priced(19_950, 20_050)
    for shift, expected in ((4.9, (19_950, 20_050)), (5.0, (19_955, 20_055))):  # a tenth of 50 ticks
        found = prices(market, planned, Around(20_000 + shift, 50.0), memory)
        assert (found.bid, found.ask) == expected
    near = Priced(19_996, 20_004)
    for shift, expected in ((0.9, (19_996, 20_004)), (1.0, (19_997, 20_005))):  # a tick of 4
        found = prices(market, planned, Around(20_000 + shift, 4.0), near)
        assert (found.bid, found.ask) == expected


def test_two_prices_that_are_near_enough_each_may_not_be_too_near_together() -> None:
    planned = glft.plan(glft.Params(quantity=0.5, min_spread_ticks=3), INSTRUMENT)
    found = prices(view(bid=19_990, ask=20_010), planned, Around(20_000.0, 1.5), Priced(19_999, 20_001))
    assert (found.bid, found.ask) == (19_998, 20_002)


@NAMES
def test_sizes_keep_the_largest_position(name: str) -> None:
    strategy = MODELS[name]
    planned = strategy.plan(strategy.params(quantity=0.5, max_position=1.0, **GIVEN), INSTRUMENT)
    for position, sizes in ((0, [50, 50]), (70, [30, 50]), (100, [50]), (-100, [50])):
        levels = strategy.quote(view(volatility_pct=50.0, position=position), planned, Priced()).levels
        assert [level.size for level in levels] == sizes
    assert strategy.params(max_position=1.0).largest_position() == 1.0


@NAMES
def test_money_buys_lots_at_each_price(name: str) -> None:
    strategy = MODELS[name]
    planned = strategy.plan(strategy.params(size_usd=100.0, **GIVEN), INSTRUMENT)
    levels = strategy.quote(view(volatility_pct=50.0), planned, Priced()).levels
    assert [level.size for level in levels] == [50, 49]  # 100 / 199.8 = 0.5005, 100 / 200.2 = 0.4995
    poor = strategy.plan(strategy.params(size_usd=1.0, **GIVEN), INSTRUMENT)
    nothing = strategy.quote(view(volatility_pct=50.0), poor, Priced())
    assert (nothing.levels, nothing.reason) == ((), "size below one lot")


@NAMES
def test_needs_the_volatility_and_the_intensity_unless_both_its_numbers_are_given(name: str) -> None:
    desk = Desk.ready(name, quantity=0.5)
    assert desk.reason == "quoting" and len(desk.levels) == 2
    untold = "intensity cannot be told: 100 takers, spread 2 ticks (or give intensity_a and intensity_k)"
    for message, reason in (
        (intensity(None, None, desk.now_ns), untold),
        (intensity(1.0, math.nan, desk.now_ns), "unknown: intensity"),
        (intensity(0.0, 0.1, desk.now_ns), "unknown: intensity"),
        (intensity(1.0, -0.1, desk.now_ns), "unknown: intensity"),
        (volatility_of(None, desk.now_ns), "missing: Volatility"),
    ):
        desk.send(message)
        desk.wait(300)
        assert (desk.levels, desk.reason) == ((), reason)
    given = Desk.ready(name, quantity=0.5, **GIVEN)
    given.send(intensity(None, None, given.now_ns))
    given.tick()
    assert given.reason == "quoting"


@NAMES
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "exactly one of quantity and size_usd is needed, got none"),
        ({"quantity": 1.0, "size_usd": 10.0}, "got quantity and size_usd"),
        ({"quantity": 1.0, "intensity_a": 2.0}, "intensity_a 2 needs intensity_k"),
        ({"quantity": 1.0, "intensity_k": 0.5}, "intensity_k 0.5 needs intensity_a"),
        ({"quantity": 2.0, "max_position": 1.0}, "quantity 2 must be at most max_position 1"),
        ({"quantity": 1.0, "gamma": 0.0}, "gamma"),
        ({"quantity": 1.0, "gama": 1.0}, "did you mean 'gamma'"),
    ],
)
def test_X02_a_bad_parameter_is_named_with_its_rule(name: str, params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_quoter(SYMBOL, QuoterTable(ACCOUNT, name, params))


@NAMES
def test_check_shows_a_models_quotes_and_what_it_assumed_of_the_signals(name: str) -> None:
    table = QuoterTable(ACCOUNT, name, {"quantity": 0.5})
    rows = explain(SYMBOL, table, INSTRUMENT, Decimal(200), Allowed(10_000, 2_000, 1_000))
    assert [(row.situation, row.side) for row in rows[:2]] == [("flat", "bid"), ("flat", "ask")]
    long = [row for row in rows if row.situation == "long"]
    assert Decimal(long[0].price) < Decimal(rows[0].price)
    assert assumptions(table, SYMBOL) == (
        "a volatility of 50 % a year, 1 taker a second at the mid, a factor e fewer each 0.01 % further out"
    )
    given = QuoterTable(ACCOUNT, name, {"quantity": 0.5} | GIVEN)
    assert assumptions(given, SYMBOL) == "a volatility of 50 % a year"
