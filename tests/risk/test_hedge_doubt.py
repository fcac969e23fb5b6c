"""L02, R25, R26: what is not traded for a hedge whose other half is unknown, or is none at all."""

from __future__ import annotations

import pytest

from tests.risk.desk import ACCOUNT, info
from tests.risk.pair import OTHER, PERP, SPOT, Pair
from tests.risk.test_hedging import UNKNOWN, silence


@pytest.mark.parametrize("why", ["position silent", "equity silent", "unconfirmed", "in doubt", "halted"])
def test_L02_nothing_is_sold_because_a_leg_is_unknown(why: str) -> None:
    """It was netted against nothing, and the inventory sold at the market after a second of silence."""
    desk = Pair(max_position_share=0.9, excess_share=0.95)
    desk.base(940)
    desk.leg(-115)
    desk.run(250)
    assert desk.target is None, "825 together"
    UNKNOWN[why](desk)
    desk.run(500)
    assert desk.target is None and not desk.permit.may_buy and desk.permit.may_sell
    assert "940.00 is over its limit 900.00, and what is held against it is unknown" in desk.permit.reason


def test_L02_a_leg_over_its_limit_is_not_traded_while_what_it_hedges_is_unknown() -> None:
    desk = Pair(max_position_share=0.6)
    desk.base(100)
    desk.leg(-650)
    silence("Position", ACCOUNT, SPOT)(desk)
    desk.run(500)
    assert desk.hedge is None and desk.leg_permit.reduce_only


@pytest.mark.parametrize("leg_account", [OTHER, ACCOUNT])
def test_R26_a_leg_in_another_base_is_no_hedge(leg_account: str) -> None:
    desk = Pair(leg_account, max_position_share=0.9, max_gross_equity_multiple=4.0)
    desk.hear(info(PERP, base="BTC"))
    desk.base(850)
    desk.run(500)
    words = "SOL_USDC is in SOL and SOL_USDC_PERP in BTC: no hedge of each other"
    assert desk.hedge is None and desk.leg_permit.reduce_only and words in desk.leg_permit.reason
    assert desk.permit.reduce_only and not desk.permit.may_buy and words in desk.permit.reason
    desk.leg(-115)
    desk.base(950)
    desk.run(500)
    assert desk.target is not None and desk.target.maximum < 950, "and nets nothing: 950 of 900 alone"


def test_R25_a_flat_perp_is_neutral_and_a_spot_market_is_at_one_half() -> None:
    """The default of one half opened a position of 17.5 % of the equity for a flat perpetual."""
    flat = Pair(base=0)
    flat.hear(info(SPOT, is_perp=True))
    flat.base(1)
    flat.base(0)
    flat.run(2_000)
    assert flat.hedge is None
    flat.base(-700)
    assert flat.hedge is not None and flat.hedge.minimum == 50, "65 % of the equity is the band"
    spot = Pair(base=100)
    assert spot.hedge is not None and spot.hedge.minimum == 75


def test_R25_a_leg_is_not_traded_back_as_excess_inventory() -> None:
    desk = Pair(excess_share=0.05, max_position_share=0.9)
    desk.base(100)
    desk.leg(-300)
    desk.run(500)
    assert desk.leg_permit.may_buy and desk.leg_permit.may_sell, "200 together, 5 % of the limit are 45"
    assert desk.hedge is not None and "hedge of" in desk.hedge.reason
