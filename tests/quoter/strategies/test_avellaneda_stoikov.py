"""Avellaneda-Stoikov on a rolling horizon, against the paper's numbers."""

from __future__ import annotations

import math

import pytest

from services.quoter.strategies.optimal.avellaneda_stoikov import (
    LONGEST_S,
    Params,
    answer_of,
    horizon_of,
    optimum,
    plan,
    quote,
)
from services.quoter.strategies.optimal.quoting import Market, Priced
from shared.messages import Side
from tests.quoter.builders import INSTRUMENT, view

#: the paper's simulation: sigma 2, gamma 0.1, k 1.5, A 140
PAPER = Market(sigma=2.0, risk=0.1, a=140.0, k=1.5)


def test_the_papers_simulation_by_hand() -> None:
    # spread = gamma sigma^2 tau + 2/gamma ln(1 + gamma/k) = 0.4 + 20 ln(1.0666667) = 1.690770 at tau = 1
    assert 2 * optimum(PAPER, 1.0).half_spread == pytest.approx(1.690770, abs=1e-6)
    # the paper's table tells 1.49 as the mean over its day: that of tau = 1/2
    assert 2 * optimum(PAPER, 0.5).half_spread == pytest.approx(1.49, abs=0.005)
    # reservation price = mid - q gamma sigma^2 tau: 0.4 for each unit held
    assert optimum(PAPER, 1.0).shift_per_order == pytest.approx(0.4)


def test_the_horizon_rolls_so_quotes_do_not_depend_on_the_time_of_day() -> None:
    planned = plan(Params(quantity=0.5, intensity_a=1.0, intensity_k=0.1, gamma=20.0), INSTRUMENT)
    market = view(volatility_pct=80.0, position=100)
    later = view(volatility_pct=80.0, position=100, now_ns=market.now_ns + 10**15)
    assert quote(market, planned, Priced()) == quote(later, planned, Priced())


def test_the_horizon_is_as_long_as_some_of_our_orders_take_to_be_filled() -> None:
    # at the best distance d of a flat maker exp(-k d) = (1 + gamma/k)^(-k/gamma): so long for one
    one_fill_s = (1 + 0.1 / 1.5) ** (1.5 / 0.1) / 140
    assert horizon_of(PAPER, 10.0) == pytest.approx(10 * one_fill_s)
    assert horizon_of(PAPER._replace(a=1e-9), 10.0) == LONGEST_S  # in a market without takers
    given = plan(Params(quantity=0.5, horizon_s=30.0), INSTRUMENT)
    assert answer_of(PAPER, given) == optimum(PAPER, 30.0)
    counted = plan(Params(quantity=0.5, horizon_fills=4.0), INSTRUMENT)
    assert answer_of(PAPER, counted) == optimum(PAPER, 4 * one_fill_s)


def test_the_volatility_counts_twice_as_much_squared() -> None:
    calm, wild = optimum(PAPER, 1.0), optimum(PAPER._replace(sigma=4.0), 1.0)
    assert wild.shift_per_order == pytest.approx(4 * calm.shift_per_order)
    assert wild.half_spread - calm.half_spread == pytest.approx(0.5 * 0.1 * (16 - 4))


def test_quotes_stand_around_the_reservation_price() -> None:
    params = Params(quantity=0.5, gamma=20.0, horizon_s=20.0, intensity_a=1.0, intensity_k=0.05)
    market = view(volatility_pct=50.0, position=-100)
    sigma = 0.5 * 20_000 / math.sqrt(31_536_000)
    risk = 20.0 * 0.01 * 0.5  # per tick of an order of 0.5: 0.1
    shift, half = risk * sigma**2 * 20, risk * sigma**2 * 10 + math.log(1 + risk / 0.05) / risk
    assert 2 * shift < half
    bid, ask = quote(market, plan(params, INSTRUMENT), Priced()).levels
    assert (bid.side, bid.price) == (Side.BUY, math.floor(20_000 + 2 * shift - half))
    assert (ask.side, ask.price) == (Side.SELL, math.ceil(20_000 + 2 * shift + half))
