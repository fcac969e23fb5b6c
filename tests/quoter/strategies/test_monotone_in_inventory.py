"""More inventory never makes a strategy more eager to add to it. Also: no side spends more than there is."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import MarketView
from services.quoter.strategies.bins.inventory import holdings, move_ratio, multipliers
from shared.messages import Level, Side
from tests.quoter.strategies.drawn import BINS, RULES, params_of, views

QUIET = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
rules_of = st.sampled_from(RULES)


def of_side(levels: tuple[Level, ...], side: Side) -> list[Level]:
    return [level for level in levels if level.side is side]


def total(levels: tuple[Level, ...], side: Side) -> int:
    return sum(level.size for level in of_side(levels, side))


def mirrored(view: MarketView, position: int) -> MarketView:
    return msgspec.structs.replace(view, position=position)


@pytest.mark.parametrize("name", BINS)
@settings(max_examples=60, suppress_health_check=QUIET)
@given(data=st.data())
def test_R23_with_more_inventory_bids_only_shrink_and_asks_only_grow(name: str, data: st.DataObject) -> None:
    strategy, rules = STRATEGIES[name], data.draw(rules_of)
    plan = strategy.plan(data.draw(params_of(name)), rules)
    low = data.draw(views(rules))
    high = mirrored(low, low.position + data.draw(st.integers(0, 10**6)))
    less, more = (strategy.quote(view, plan, strategy.start).levels for view in (low, high))
    assert total(more, Side.BUY) <= total(less, Side.BUY)
    assert total(more, Side.SELL) >= total(less, Side.SELL)


@pytest.mark.parametrize("name", BINS)
@settings(max_examples=60, suppress_health_check=QUIET)
@given(data=st.data())
def test_Q08_Q09_Q10_Q13_R24_bins_never_spend_more_than_is_left(name: str, data: st.DataObject) -> None:
    strategy, rules = STRATEGIES[name], data.draw(rules_of)
    params, view = data.draw(params_of(name)), data.draw(views(rules))
    plan = strategy.plan(params, rules)
    levels = strategy.quote(view, plan, strategy.start).levels
    held = holdings(view, plan)
    buy, sell = multipliers(move_ratio(held, plan.initial_ratio), plan)
    spent = sum(view.sizes.worth(level.size, Fraction(level.price)) for level in of_side(levels, Side.BUY))
    assert spent <= held.money * buy
    assert total(levels, Side.SELL) <= held.lots * sell
    for side in Side:
        assert len(of_side(levels, side)) <= params.live_orders // 2
    assert plan.max_lots is None or all(level.size <= plan.max_lots for level in levels)


@settings(max_examples=100, suppress_health_check=QUIET)
@given(data=st.data())
def test_R01_Q26_with_more_inventory_the_ladder_only_moves_down_and_never_bids_for_more(
    data: st.DataObject,
) -> None:
    strategy, rules = STRATEGIES["ladder"], data.draw(rules_of)
    plan = strategy.plan(data.draw(params_of("ladder")), rules)
    low = data.draw(views(rules))
    high = mirrored(low, low.position + data.draw(st.integers(0, 10**6)))
    less, more = (strategy.quote(view, plan, strategy.start) for view in (low, high))
    for before, after in zip(
        less.memory.bids + less.memory.asks, more.memory.bids + more.memory.asks, strict=True
    ):
        assert after <= before
    if plan.first.raise_to_minimum or rules.min_notional is not None:
        return  # the smallest order is larger at a lower price
    assert len(of_side(more.levels, Side.BUY)) <= len(of_side(less.levels, Side.BUY))
    if plan.share_ppm is not None and not rules.is_perp:
        assert total(more.levels, Side.SELL) >= total(less.levels, Side.SELL)


@settings(max_examples=100, suppress_health_check=QUIET)
@given(data=st.data())
def test_Q29_Q30_with_more_inventory_regime_only_backs_away_on_the_adding_side(data: st.DataObject) -> None:
    strategy, rules = STRATEGIES["regime"], data.draw(rules_of)
    plan = strategy.plan(data.draw(params_of("regime")), rules)
    view, sign = data.draw(views(rules)), data.draw(st.sampled_from([1, -1] if rules.is_perp else [1]))
    some = data.draw(st.integers(0, 10**6))
    more = some + data.draw(st.integers(0, 10**6))
    adding = Side.BUY if sign > 0 else Side.SELL
    near, far = (
        strategy.quote(mirrored(view, sign * held), plan, strategy.start).levels for held in (some, more)
    )
    far_side, near_side = of_side(far, adding), of_side(near, adding)
    assert len(far_side) <= len(near_side) or not near
    if far_side and near_side:
        assert sign * far_side[0].price <= sign * near_side[0].price
