"""The weights of bins stay numbers of a bounded size, however many there are and whatever their ratio."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.strategies import bid_ask, curve
from services.quoter.strategies.base import Strategy
from services.quoter.strategies.bins.shape import WEIGHT_BITS, powers
from shared.messages import Side
from tests.quoter.builders import instrument, view

FINE = instrument(lot_size="0.00001", min_quantity="0.00001")


@settings(max_examples=60)
@given(thousandths=st.integers(100, 1_000), count=st.integers(1, 1_000))
def test_Q09_Q10_weights_are_bounded_and_in_proportion_to_the_powers(thousandths: int, count: int) -> None:
    ratio = Fraction(thousandths, 1_000)
    weights = powers(ratio, count)
    assert len(weights) == count and weights[0] > 0 and max(weights).bit_length() <= WEIGHT_BITS
    assert all(nearer >= further for nearer, further in pairwise(weights))
    for index in {0, count // 2, count - 1}:
        assert abs(Fraction(weights[index], weights[0]) - ratio**index) < Fraction(1, 10**20)


@pytest.mark.parametrize(("count", "decay"), [(5, 0.95), (12, 0.8)])
def test_Q09_few_bins_are_weighed_exactly(count: int, decay: float) -> None:
    weights, ratio = powers(Fraction(str(decay)), count), Fraction(str(decay))
    assert all(Fraction(further, nearer) == ratio for nearer, further in pairwise(weights))


@pytest.mark.parametrize("strategy", [curve.STRATEGY, bid_ask.STRATEGY])
def test_Q10_a_thousand_bins_are_of_the_size_that_exact_weights_give_them(
    strategy: Strategy[Any, Any, Any],
) -> None:
    """And no more is spent than there is; a lot is all that rounding may take."""
    params = {"up_pct": 50, "down_pct": 50, "bin_step_bps": 5, "recentre_pct": 0.01, "live_orders": 200}
    parsed = strategy.params(**params, capital_usd=1e7, decay=0.999)
    found = strategy.quote(view(instrument=FINE), strategy.plan(parsed, FINE), strategy.start).levels
    asks = [level.size for level in found if level.side is Side.SELL]
    inventory = 5_000_000 * 10**5 // 200  # lots: half of the capital at 200
    powers_of = [Fraction(999, 1_000) ** index for index in range(1_000)]
    if strategy is bid_ask.STRATEGY:
        powers_of.reverse()
    total = sum(powers_of)
    exact = [int(inventory * share / total) for share in powers_of[: len(asks)]]
    assert len(asks) == 100 and all(abs(size - right) <= 1 for size, right in zip(asks, exact, strict=True))
    assert sum(level.size * level.price for level in found if level.side is Side.BUY) <= 5_000_000 * 10**7
