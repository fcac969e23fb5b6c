"""Guéant-Lehalle-Fernandez-Tapia: the closed form against hand numbers, and what it must do with size."""

from __future__ import annotations

import math

import pytest

from services.quoter.strategies.optimal.glft import Params, answer_of, log1p_ratio, optimum, plan, quote
from services.quoter.strategies.optimal.quoting import Market, Priced, market_of
from shared.messages import Side
from tests.quoter.builders import INSTRUMENT, view

#: the paper's example: sigma 0.3 ticks per root second, A 0.9 a second, k 0.3 and gamma 0.01 per tick
PAPER = Market(sigma=0.3, risk=0.01, a=0.9, k=0.3)


def test_the_papers_example_by_hand() -> None:
    answer = optimum(PAPER, 0.01)
    # c = ln(1 + 1/30) / 0.01 = 3.278982; (1 + 1/30)^31 = 2.763465
    # s = 0.3 sqrt(0.01 / (2 x 0.9 x 0.3) x 2.763465) = 0.0678656
    assert answer.shift_per_order == pytest.approx(0.0678656, rel=1e-5)
    assert answer.half_spread == pytest.approx(3.278982 + 0.0678656 / 2, rel=1e-6)
    # quotes from the mid as the paper writes them, q = 2: c + s (2q + 1)/2 and c - s (2q - 1)/2
    reservation = -2 * answer.shift_per_order
    assert -(reservation - answer.half_spread) == pytest.approx(3.278982 + 0.0678656 * 5 / 2, rel=1e-6)
    assert reservation + answer.half_spread == pytest.approx(3.278982 - 0.0678656 * 3 / 2, rel=1e-6)


def test_without_aversion_to_not_being_filled_it_is_the_mean_variance_maker() -> None:
    answer = optimum(PAPER, 0.0)
    shift = 0.3 * math.sqrt(0.01 * math.e / (2 * 0.9 * 0.3))
    assert answer.shift_per_order == pytest.approx(shift)
    assert answer.half_spread == pytest.approx(1 / 0.3 + shift / 2)
    assert optimum(PAPER, 1e-9).half_spread == pytest.approx(answer.half_spread, rel=1e-6)  # its limit


def test_the_size_of_an_order_counts_as_in_the_papers_general_form() -> None:
    # orders of Delta lots: c = ln(1 + xi Delta / k) / (xi Delta), per lot of inventory
    # s = sigma sqrt(gamma / (2 A Delta k) (1 + xi Delta / k)^(1 + k / (xi Delta))), half = c + Delta s / 2
    delta, gamma, xi, a, k, sigma = 7.0, 0.003, 0.02, 1.7, 0.4, 2.1
    c = math.log(1 + xi * delta / k) / (xi * delta)
    s = sigma * math.sqrt(gamma / (2 * a * delta * k) * (1 + xi * delta / k) ** (1 + k / (xi * delta)))
    answer = optimum(Market(sigma, gamma * delta, a, k), xi * delta)
    assert answer.half_spread == pytest.approx(c + delta * s / 2)
    assert answer.shift_per_order / delta == pytest.approx(s)


def test_gamma_is_per_quote_unit_so_one_value_means_the_same_on_every_symbol() -> None:
    # one tick (0.01) on an order of 0.5 SOL (50 lots of 0.01) is 0.005 quote units
    params = Params(quantity=0.5, gamma=2.0, xi=1.0, intensity_a=1.0, intensity_k=0.5)
    planned = plan(params, INSTRUMENT)
    market = market_of(view(volatility_pct=50.0), planned, 50)
    assert market.risk == pytest.approx(0.01)
    assert market.sigma == pytest.approx(0.5 * 20_000 / math.sqrt(31_536_000))
    assert answer_of(market, planned) == pytest.approx(optimum(market, 0.005))


def test_twice_the_size_leans_more_for_each_order_and_quotes_further_out() -> None:
    small, large = (
        plan(Params(quantity=quantity, gamma=5.0, xi=0.0, intensity_a=1.0, intensity_k=0.5), INSTRUMENT)
        for quantity in (0.5, 1.0)
    )
    one = answer_of(market_of(view(volatility_pct=50.0), small, 50), small)
    two = answer_of(market_of(view(volatility_pct=50.0), large, 100), large)
    assert two.shift_per_order == pytest.approx(one.shift_per_order * math.sqrt(2))
    assert two.half_spread > one.half_spread


def test_quotes_stand_around_a_mid_that_inventory_has_moved() -> None:
    params = Params(quantity=0.5, gamma=20.0, intensity_a=1.0, intensity_k=0.1)
    planned = plan(params, INSTRUMENT)
    market = view(volatility_pct=50.0, position=150)
    half, shift = answer_of(market_of(market, planned, 50), planned)
    bid, ask = quote(market, planned, Priced()).levels
    assert 3 * shift < half  # else the bound is what is seen
    assert (bid.side, bid.price, bid.size) == (Side.BUY, math.floor(20_000 - 3 * shift - half), 50)
    assert (ask.side, ask.price, ask.size) == (Side.SELL, math.ceil(20_000 - 3 * shift + half), 50)


def test_log1p_ratio_is_one_at_zero_and_has_no_seam() -> None:
    assert log1p_ratio(0.0) == 1.0
    assert log1p_ratio(1e-11) == pytest.approx(1.0, abs=1e-10)
    assert log1p_ratio(1.0) == pytest.approx(math.log(2))
    assert log1p_ratio(1e300) > 0
