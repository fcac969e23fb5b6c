"""What holds for each of these strategies, whatever the params and the market."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import MarketView
from shared.clock import NS_PER_S
from shared.messages import Level, Side
from tests.quoter.strategies.drawn import NAMES, RULES, params_of, tapes, views

QUIET = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
rules_of = st.sampled_from(RULES)


def assert_placeable(levels: tuple[Level, ...], view: MarketView) -> None:
    """Post-only, on legal prices, of at least the smallest size, best first, none twice, none crossing."""
    bids = [level.price for level in levels if level.side is Side.BUY]
    asks = [level.price for level in levels if level.side is Side.SELL]
    assert bids == sorted(set(bids), reverse=True) and asks == sorted(set(asks))
    assert all(price < view.ask for price in bids) and all(price > view.bid for price in asks)
    assert not (bids and asks) or bids[0] < asks[0]
    for level in levels:
        assert level.post_only and level.size >= view.sizes.minimum(level.price) > 0
        assert level.price % view.prices.step(level.price) == 0


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, suppress_health_check=QUIET)
@given(data=st.data())
def test_Q05_Q04_it_quotes_in_any_valid_market_and_never_crosses(name: str, data: st.DataObject) -> None:
    strategy, rules = STRATEGIES[name], data.draw(rules_of)
    params, view = data.draw(params_of(name)), data.draw(views(rules))
    wanted = strategy.quote(view, strategy.plan(params, rules), strategy.start)
    assert wanted.reason and not wanted.exclusive
    assert_placeable(wanted.levels, view)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, suppress_health_check=QUIET)
@given(data=st.data())
def test_asked_twice_it_answers_the_same_and_what_it_remembers_never_crosses(
    name: str, data: st.DataObject
) -> None:
    strategy, rules = STRATEGIES[name], data.draw(rules_of)
    plan = strategy.plan(data.draw(params_of(name)), rules)
    memory = strategy.start
    for view in data.draw(tapes(rules)):
        wanted = strategy.quote(view, plan, memory)
        assert_placeable(wanted.levels, view)
        again = strategy.quote(view, plan, wanted.memory)
        assert (again.levels, again.memory, again.reason) == (wanted.levels, wanted.memory, wanted.reason)
        memory = wanted.memory


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, suppress_health_check=QUIET)
@given(data=st.data(), share=st.floats(0, 1))
def test_what_is_said_to_hold_holds_until_then(name: str, data: st.DataObject, share: float) -> None:
    """Nothing but the time and the sizes at the best prices changes: the quoter does not ask again."""
    strategy, rules = STRATEGIES[name], data.draw(rules_of)
    plan = strategy.plan(data.draw(params_of(name)), rules)
    memory = strategy.start
    for view in data.draw(tapes(rules)):
        wanted = strategy.quote(view, plan, memory)
        memory = wanted.memory
        until_ns = min(wanted.holds_ns, view.now_ns + 1_000 * NS_PER_S) - 1
        if until_ns >= view.now_ns:
            later_ns = view.now_ns + int(share * (until_ns - view.now_ns))
            later = msgspec.structs.replace(view, now_ns=later_ns, bid_size=7, ask_size=9)
            again = strategy.quote(later, plan, memory)
            assert (again.levels, again.memory) == (wanted.levels, memory)
