"""What execution tells of our orders is a reason to decide only where something depends on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.config import Settings
from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import MarketView, Memory, Wanted
from shared.clock import NS_PER_MS
from shared.messages import Level, Side
from shared.own_orders import OwnOrders
from tests.quoter.builders import START_NS, order, top
from tests.quoter.builders import settings as settings_of
from tests.quoter.test_settled_quotes import Stand, begin

OURS = (Side.BUY, 19_990, 5)


def mirror(view: MarketView, _plan: Any, memory: Memory) -> Wanted:
    """Want something that depends on everything about the best prices of others."""
    bid = Level(Side.BUY, view.bid - 1 - view.bid_size % 3, 1 + view.ask_size % 4)
    return Wanted((bid, Level(Side.SELL, view.ask + 1 + view.ask_size % 3, 1)), False, "mirror", memory)


def stand(follows_working: bool = False) -> tuple[Stand, list[MarketView]]:
    """Return a quoter that has heard everything, and what its strategy is asked."""
    asked: list[MarketView] = []

    def noted(view: MarketView, plan: Any, memory: Memory) -> Wanted:
        asked.append(view)
        return mirror(view, plan, memory)

    found: Settings = settings_of("two_sided", quantity=0.05, half_spread_ticks=5, size_tolerance_pct=0.0)
    strategy = replace(found.strategy, quote=noted, start=Memory(), follows_working=follows_working)
    made = Stand(replace(found, strategy=strategy))
    begin(made)
    asked.clear()
    return made, asked


def test_orders_away_from_the_best_prices_are_no_reason_to_decide() -> None:
    made, asked = stand()
    made.hear(START_NS + NS_PER_MS, "working", [OURS])
    assert not asked
    made.hear(START_NS + 2 * NS_PER_MS, "sizes", (4, 4))
    assert [view.working for view in asked] == [()], "nor are they shown to it"


def test_an_order_at_the_best_price_is() -> None:
    made, asked = stand()
    made.hear(START_NS + NS_PER_MS, "working", [(Side.BUY, 19_999, 2)])
    assert len(asked) == 1
    made.hear(START_NS + 2 * NS_PER_MS, "working", [])
    assert len(asked) == 2


def test_a_strategy_that_follows_our_orders_sees_every_change() -> None:
    made, asked = stand(follows_working=True)
    made.hear(START_NS + NS_PER_MS, "working", [OURS])
    assert [[seen.price for seen in view.working] for view in asked] == [[19_990]]


def test_while_something_was_missing_a_working_is_a_reason() -> None:
    made, asked = stand()
    made.quoter._inputs.working = None
    made.hear(START_NS + NS_PER_MS, "sizes", (4, 4))
    assert not asked and made.quoter._asked is not None
    assert made.quoter._asked.reason == "missing: Working"
    made.hear(START_NS + 2 * NS_PER_MS, "working", [OURS])
    assert asked and made.quoter._asked.levels


@pytest.mark.parametrize("name", STRATEGIES)
def test_whoever_reads_our_orders_says_so(name: str) -> None:
    """The others are shown none, so they cannot depend on them by accident."""
    assert STRATEGIES[name].follows_working is (name in ("grid", "perp_grid"))


def test_a_best_price_that_was_ours_alone_matters_until_it_is_looked_at_again() -> None:
    own, at_ns = OwnOrders(1_000), START_NS
    own.report([order(Side.BUY, 19_999, 5)], at_ns)
    assert own.are_at(top(19_999, 20_001))
    assert own.bids.best(19_999, 5, ((19_990, 3),), at_ns + 1_000) == (19_990, 3)
    own.report([], at_ns + 2_000)
    own.report([], at_ns + 4_000)  # long gone, and forgotten
    assert own.are_at(top(19_999, 20_001)), "the price behind it is what was decided on"
    assert own.bids.best(19_999, 5, (), at_ns + 4_000) == (19_999, 5)
    assert not own.are_at(top(19_999, 20_001))


_PRICES = st.sampled_from([19_997, 19_998, 19_999, 20_000, 20_001, 20_002])
_EVENTS = st.one_of(
    st.tuples(
        st.just("working"),
        st.lists(st.tuples(st.sampled_from(Side), _PRICES, st.integers(1, 7)), max_size=3),
    ),
    st.tuples(st.just("sizes"), st.tuples(st.integers(1, 9), st.integers(1, 9))),
    st.tuples(st.just("top"), st.tuples(_PRICES, st.integers(1, 2), st.just(5), st.just(5), st.just(0))),
    st.tuples(
        st.just("depth"), st.tuples(*[st.lists(st.tuples(_PRICES, st.integers(1, 9)), max_size=3)] * 2)
    ),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from([0, 1, 5, 60, 400, 1_600]), _EVENTS), max_size=25))
def test_after_every_working_the_same_is_wanted_as_if_it_were_a_reason(
    run: list[tuple[int, tuple[str, Any]]],
) -> None:
    quick, slow = stand()[0], stand(follows_working=True)[0]
    now_ns = START_NS
    for step_ms, (kind, value) in run:
        now_ns += step_ms * NS_PER_MS
        for made in (quick, slow):
            for handler, message in made.alive(now_ns):
                made._said(now_ns, getattr(made.quoter, f"on_{handler}")(message, now_ns))
            made.hear(now_ns, kind, value)
        assert _wanted(quick) == _wanted(slow)


def _wanted(made: Stand) -> Any:
    asked = made.quoter._asked
    assert asked is not None
    return asked.levels, asked.reason
