"""The spread that follows the volatility: an option of every strategy (Q33)."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.explain import Allowed, assumptions, explain
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.volatility import SLACK, sigma_ticks, spread_distance, widened
from services.quoter.process import serve
from services.quoter.strategies import STRATEGIES
from shared.clock import SECONDS_PER_YEAR
from shared.config import Config, parse
from shared.config import Quoter as QuoterTable
from shared.messages import Level, Side
from tests.quoter.builders import (
    ACCOUNT,
    INSTRUMENT,
    SYMBOL,
    Desk,
    instrument,
    top,
    volatility,
)
from tests.quoter.builders import settings as settings_of

GRID = PriceGrid(INSTRUMENT)
FIVE_FIGURES = PriceGrid(instrument(price_rule="significant_5"))
#: of the builders' market: mid 20000 ticks, 50 % a year, one second
SIGMA = 0.5 * 20_000 / math.sqrt(365 * 86_400)


def levels_of(*prices: int, side: Side = Side.BUY) -> tuple[Level, ...]:
    return tuple(Level(side, price, 10) for price in prices)


def prices_of(levels: tuple[Level, ...], side: Side) -> list[int]:
    return [level.price for level in levels if level.side is side]


def test_Q33_annualised_percent_becomes_ticks_per_square_root_of_a_second() -> None:
    assert SECONDS_PER_YEAR == 31_536_000  # as the signals annualise: days of a market that never closes
    # 100 % a year on a mid of sqrt(seconds of a year) ticks is one tick in one second
    assert sigma_ticks(100.0, math.sqrt(31_536_000)) == pytest.approx(1.0)
    # 60 % on 2400.00 with ticks of 0.01: 2400 x 0.6 / 5615.69 = 0.256421 = 25.64 ticks
    assert sigma_ticks(60.0, 240_000) == pytest.approx(25.6424, abs=1e-3)


def test_Q33_distance_is_k_deviations_over_the_horizon() -> None:
    params = settings_of("two_sided", quantity=1, volatility_spread=0.5, volatility_horizon_s=100).params
    assert params.volatility_roots() == pytest.approx(5.0)  # 0.5 x sqrt(100)
    assert spread_distance(50.0, 20_000, params.volatility_roots()) == pytest.approx(5 * SIGMA)
    assert spread_distance(1e300, 20_000, 1e300) == 20_000  # whatever comes in


def test_Q33_each_level_is_moved_out_to_the_distance_and_those_beyond_it_stay() -> None:
    wanted = (*levels_of(19_999, 19_990, 19_980), *levels_of(20_001, 20_020, side=Side.SELL))
    moved = widened(wanted, (), 20_000.0, 12.3, GRID)
    assert prices_of(moved, Side.BUY) == [19_987, 19_986, 19_980]  # rounded outwards, still distinct
    assert prices_of(moved, Side.SELL) == [20_013, 20_020]
    assert moved[2] is wanted[2] and moved[4] is wanted[4]


def test_Q33_Q17_an_order_keeps_its_place_while_it_is_less_than_a_tick_too_near() -> None:
    asked = levels_of(19_988)
    for distance, price in ((12.0, 19_988), (12.9, 19_988), (13.0, 19_987)):
        assert prices_of(widened(levels_of(19_999), asked, 20_000.0, distance, GRID), Side.BUY) == [price]


def test_Q33_Q17_an_order_too_far_out_keeps_its_place_within_a_tick_or_a_tenth() -> None:
    asked = levels_of(19_995)
    for distance, price in ((4.1, 19_995), (4.0, 19_996)):  # near: a whole tick counts
        assert prices_of(widened(levels_of(19_999), asked, 20_000.0, distance, GRID), Side.BUY) == [price]
    far = levels_of(19_000)
    for distance, price in ((910.0, 19_000), (909.0, 19_091)):  # far: a tenth of the distance
        assert prices_of(widened(levels_of(19_999), far, 20_000.0, distance, GRID), Side.BUY) == [price]


def test_Q33_an_order_nearer_than_the_strategy_wants_is_not_kept() -> None:
    moved = widened(levels_of(19_690), levels_of(19_695), 20_000.0, 300.0, GRID)
    assert prices_of(moved, Side.BUY) == [19_690]


@pytest.mark.parametrize("name", ["one_sided", "two_sided"])
def test_Q33_every_strategy_is_widened_by_the_quoter(name: str) -> None:
    needed = {"quantity": 1.0, "half_spread_ticks": 1} if name == "two_sided" else {}
    desk = Desk.ready(name, **needed, volatility_spread=1.0, volatility_horizon_s=100)
    assert desk.price(Side.BUY) == math.floor(20_000 - 10 * SIGMA)
    if name == "two_sided":
        assert desk.price(Side.SELL) == math.ceil(20_000 + 10 * SIGMA)


def test_Q33_the_spread_follows_the_volatility_and_never_falls_below_the_strategys() -> None:
    desk = Desk.ready("two_sided", quantity=1.0, half_spread_ticks=5, volatility_spread=1.0,
                      volatility_horizon_s=100)  # fmt: skip
    distances = []
    for annualised_pct in (200.0, 50.0, 1.0):
        desk.send(volatility(annualised_pct, desk.now_ns))
        desk.tick()
        distances.append(20_000 - (desk.price(Side.BUY) or 0))
    assert distances == [math.ceil(40 * SIGMA), math.ceil(10 * SIGMA), 5]


def test_Q33_a_volatility_that_flickers_each_second_costs_no_order_its_place() -> None:
    desk = Desk.ready("two_sided", quantity=1.0, half_spread_ticks=1, volatility_spread=1.0,
                      volatility_horizon_s=10, refresh_interval_s=0.1)  # fmt: skip
    first = desk.levels
    for second in range(20):  # 5.63 ticks, +-4 %: across a tick's boundary or not, less than a tick
        desk.send(volatility(50.0 * (1.04 if second % 2 else 0.96), desk.now_ns))
        desk.wait(1_000)
        assert desk.levels == first


def test_Q33_without_a_volatility_nothing_is_quoted_while_the_option_is_on() -> None:
    desk = Desk.ready("two_sided", quantity=1.0, volatility_spread=0.5)
    for value, reason in ((None, "missing: Volatility"), (math.nan, "unknown: volatility"),
                          (math.inf, "unknown: volatility"), (-1.0, "unknown: volatility")):  # fmt: skip
        desk.send(volatility(value, desk.now_ns))
        desk.wait(300)  # the same empty set is repeated four times a second
        assert (desk.levels, desk.reason) == ((), reason)
    desk = Desk.ready("two_sided", quantity=1.0)  # off: nobody asks for it
    desk.send(volatility(None, desk.now_ns))
    desk.tick()
    assert desk.reason == "quoting"


@pytest.mark.parametrize("name", STRATEGIES)
def test_Q33_the_option_makes_every_strategy_need_the_volatility(name: str) -> None:
    strategy = STRATEGIES[name]
    required = {field.name: 1 for field in msgspec.structs.fields(strategy.params) if field.required}
    off, on = strategy.params(**required), strategy.params(**required, volatility_spread=0.5)
    assert strategy.needs(on) == replace(strategy.needs(off), volatility=True)


def test_Q33_check_shows_the_widened_quotes_and_says_what_it_assumed() -> None:
    params = {"quantity": 1, "half_spread_ticks": 1, "volatility_spread": 1.0, "volatility_horizon_s": 100}
    table = QuoterTable(ACCOUNT, "two_sided", params)
    rows = explain(SYMBOL, table, INSTRUMENT, Decimal(200), Allowed(10_000, 2_000, 1_000))
    assert [row.price for row in rows[:2]] == ["199.82", "200.18"]  # 10 x 1.78 ticks
    assert assumptions(table, SYMBOL) == "a volatility of 50 % a year"
    assert assumptions(QuoterTable(ACCOUNT, "two_sided", {"quantity": 1}), SYMBOL) == ""


@st.composite
def ladders(draw: st.DrawFn, side: Side) -> tuple[Level, ...]:
    """Up to five levels on legal prices, best first, on their own side of a mid of 20000."""
    ticks = sorted(draw(st.lists(st.integers(1, 400), max_size=5, unique=True)))
    return levels_of(*(20_000 - side.sign * distance for distance in ticks), side=side)


books = st.tuples(ladders(Side.BUY), ladders(Side.SELL)).map(lambda sides: sides[0] + sides[1])
distances = st.floats(0, 500)


@settings(max_examples=150)
@given(wanted=books, asked=books, distance=distances, grid=st.sampled_from([GRID, FIVE_FIGURES]))
def test_Q33_widening_only_moves_out_keeps_the_order_and_changes_nothing_twice(
    wanted: tuple[Level, ...], asked: tuple[Level, ...], distance: float, grid: PriceGrid
) -> None:
    moved = widened(wanted, asked, 20_000.0, distance, grid)
    assert [(level.side, level.size) for level in moved] == [(level.side, level.size) for level in wanted]
    for before, after in zip(wanted, moved, strict=True):
        assert before.side.sign * (before.price - after.price) >= 0  # so it cannot cross
        gap = abs(after.price - 20_000)
        assert gap >= distance or (gap > distance - 1 and after.price in [level.price for level in asked])
    for side in Side:
        outwards = [-side.sign * price for price in prices_of(moved, side)]
        assert outwards == sorted(set(outwards))
    assert widened(moved, asked, 20_000.0, distance, grid) == moved
    assert widened(moved, moved, 20_000.0, distance, grid) == moved  # what was asked for is kept
    assert widened(wanted, moved, 20_000.0, distance, grid) == moved


@settings(max_examples=100)
@given(wanted=books, distance=distances, more=st.floats(0, 500))
def test_Q33_more_volatility_never_brings_a_quote_nearer(
    wanted: tuple[Level, ...], distance: float, more: float
) -> None:
    near = widened(wanted, (), 20_000.0, distance, GRID)
    far = widened(wanted, (), 20_000.0, distance + more, GRID)
    assert all(abs(b.price - 20_000) >= abs(a.price - 20_000) for a, b in zip(near, far, strict=True))


@settings(max_examples=100)
@given(
    wanted=books,
    asked=books,
    pct=st.floats(0, allow_nan=False, allow_infinity=False),
    roots=st.floats(0, 1e9),
    half_ticks=st.integers(3, 10**9),
)
def test_Q33_widening_is_total(
    wanted: tuple[Level, ...], asked: tuple[Level, ...], pct: float, roots: float, half_ticks: int
) -> None:
    mid = half_ticks / 2
    distance = spread_distance(pct, mid, roots)
    assert 0 <= distance <= mid
    assert len(widened(wanted, asked, mid, distance, GRID)) == len(wanted)


def test_Q33_a_kept_order_is_at_most_a_tick_too_near_and_a_tenth_too_far() -> None:
    assert SLACK == 0.1
    asked = levels_of(19_950)
    kept = [
        distance / 10
        for distance in range(2_000)
        if prices_of(widened(levels_of(20_000), asked, 20_000.0, distance / 10, GRID), Side.BUY) == [19_950]
    ]
    assert 50 / (1 + SLACK) < min(kept) <= 45.5 and 50.9 <= max(kept) < 51


def test_Q33_heartbeats_and_an_unchanged_market_cause_no_new_quotes() -> None:
    desk = Desk.ready("two_sided", quantity=1.0, volatility_spread=1.0, volatility_horizon_s=1_000)
    first = desk.levels
    assert [level.price for level in first] == [math.floor(20_000 - SIGMA * 1_000**0.5),
                                                math.ceil(20_000 + SIGMA * 1_000**0.5)]  # fmt: skip
    desk.now_ns += 1_000_000
    assert desk.send(top(now_ns=desk.now_ns)) == []
    assert desk.levels == first


@pytest.mark.parametrize(
    ("strategy", "params", "signals"),
    [
        ("two_sided", {"quantity": 1}, set()),
        ("two_sided", {"quantity": 1, "volatility_spread": 0.5}, {"Volatility"}),
        ("one_sided", {"volatility_spread": 0.5}, {"Flow", "Volatility"}),
        ("glft", {"quantity": 1}, {"Volatility", "Intensity"}),
        ("avellaneda_stoikov", {"quantity": 1, "intensity_a": 1, "intensity_k": 1}, {"Volatility"}),
    ],
)
def test_Q33_the_process_listens_to_the_signals_that_are_needed_and_to_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, strategy: str, params: dict[str, Any], signals: set[str]
) -> None:
    heard: dict[str, set[str]] = {}

    class Ears:
        """A process that is not started: it tells what it would listen to."""

        def __init__(self, *_args: object, **_kwargs: object) -> None: ...
        def attach(self, core: object) -> None: ...
        def run(self) -> None: ...

        def listen_to(self, name: str, *kinds: type, **_scope: str) -> None:
            heard.setdefault(name, set()).update(kind.__name__ for kind in kinds)

    monkeypatch.setattr("services.quoter.process.Service", Ears)
    monkeypatch.setattr("services.quoter.process.live_core", lambda *_: None)  # nothing to record
    quoter = {"account": "main", "strategy": strategy, "params": params}
    venue = {"protocol": "backpack", "ready_file": "venue.json"}
    table = {"venues": {"backpack": venue}, "accounts": {"main": {"venue": "backpack"}},
             "quoters": {SYMBOL: quoter}, "deployment": {"run_dir": str(tmp_path)}}  # fmt: skip
    serve(parse(table, Config, "test"), SYMBOL)
    assert heard.get("signals", set()) == signals
