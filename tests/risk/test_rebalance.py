"""R31 to R33, G5, C11: a base value too far from its share of the total is traded back to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.risk.config import parse_risk
from services.risk.policies.hedging.rebalance import Rebalance, RebalanceTable, is_off_balance
from services.risk.policies.policy import Decision, View
from shared.errors import BadInput
from shared.instrument import Instrument
from shared.messages import Position, Top
from tests.risk.desk import ACCOUNT, VENUE, Desk, info

SPOT = "SOL_USDC"
#: a lot is worth one cent at a price of 1: vectors to the cent
CENTS: dict[str, Any] = {"tick_size": "0.001", "lot_size": "0.01", "min_quantity": "0.01"}


def spot(
    base_usd: float, total_usd: float, *, cap_usd: float = 1e9, is_perp: bool = False, **changes: Any
) -> View:
    """Return a view of so much base at a price of 1, best prices 1.000 and 1.002."""
    instrument = Instrument.from_info(info(SPOT, is_perp, **(CENTS | changes)))
    lots = round(base_usd / instrument.notional_at(1, 1.0))
    return View(
        0, instrument, Top(VENUE, SPOT, 1_000, 1, 1_002, 1, 0, 0, 0, 0, 0),
        Position(ACCOUNT, SPOT, lots, 1.0, True, 1, 0), 1.0, instrument.notional_at(lots, 1.0), total_usd,
        cap_usd, base_usd, 1e9, "", True, quote_usd=total_usd - instrument.notional_at(lots, 1.0),
    )  # fmt: skip


def total_of(view: View) -> float:
    assert view.quote_usd is not None
    return view.notional_usd + view.quote_usd


def decided(view: View, **config: Any) -> Decision:
    return Rebalance(RebalanceTable(**config)).decide(view)


def traded(view: View, **config: Any) -> int:
    """Return the signed lots that are to be traded."""
    target = decided(view, **config).target
    return 0 if target is None else target.minimum - view.position.quantity


@pytest.mark.parametrize(
    ("base", "cents"), [(450, 0), (450.01, -15_001), (150, 0), (149.99, 15_001), (300, 0), (449.99, 0)]
)
def test_G5_R31_the_worked_example_of_a_total_of_1000(base: float, cents: int) -> None:
    assert traded(spot(base, 1_000)) == cents


@pytest.mark.parametrize(("base", "is_over"), [(572, False), (573, True), (123, True), (124, False)])
def test_G5_C11_a_price_that_moves_alone_moves_the_total_too(base: float, is_over: bool) -> None:
    view = spot(base, base + 700)
    assert (traded(view) != 0) is is_over
    if is_over:
        after = view.position.quantity + traded(view)
        assert after == pytest.approx(0.3 * (base + 700) * 100, abs=1), "the share of the present total"


@pytest.mark.parametrize(("base", "price"), [(500, 999), (100, 1_003)])
def test_R32_the_order_is_an_ioc_a_thousandth_beyond_the_best(base: float, price: int) -> None:
    target = decided(spot(base, 1_000)).target
    assert target is not None and target.style == "ioc" and target.limit_price == price
    assert target.may_open is (base < 300), "only a purchase needs room under the permit"


def test_R32_a_limit_is_rounded_to_a_price_that_still_trades() -> None:
    view = spot(500, 1_000)
    assert view.top.bid == 1_000
    coarse = spot(500, 1_000, tick_size="0.1")
    target = decided(coarse).target
    assert target is not None and target.limit_price is not None
    assert coarse.top.bid is not None and coarse.top.bid >= target.limit_price >= 0.999 * coarse.top.bid


def test_R32_at_most_95_percent_of_either_is_spent() -> None:
    assert traded(spot(1_000, 1_000), base_asset_target_pct=0) == -95_000
    assert traded(spot(0, 1_000), base_asset_target_pct=100) == 95_000


@pytest.mark.parametrize(("least", "is_traded"), [("20", True), ("20.05", False)])
def test_R32_less_than_a_smallest_order_is_not_traded(least: str, is_traded: bool) -> None:
    assert (traded(spot(320, 1_000, min_quantity=least), threshold_pct=1) != 0) is is_traded
    assert (traded(spot(280, 1_000, min_quantity=least), threshold_pct=1) != 0) is is_traded


@pytest.mark.parametrize(("least", "is_traded"), [("20.06", True), ("20.07", False)])
def test_R32_nor_less_than_the_venues_least_notional_at_the_limit(least: str, is_traded: bool) -> None:
    """20 lots at the limit of 1.003."""
    assert (traded(spot(280, 1_000, min_notional=least), threshold_pct=1) != 0) is is_traded


@pytest.mark.parametrize(("least", "is_traded"), [("100", True), ("100.01", False)])
def test_R32_a_total_of_fewer_than_ten_smallest_orders_is_left_alone(least: str, is_traded: bool) -> None:
    assert (traded(spot(600, 1_000, min_quantity=least)) != 0) is is_traded
    assert (traded(spot(600, 1_000, min_notional=least)) != 0) is is_traded


def test_R32_a_purchase_ends_below_the_position_limit() -> None:
    view = spot(100, 1_000, cap_usd=200)
    assert traded(view) == 9_000, "to 95 % of the limit"
    assert traded(spot(190, 1_000, cap_usd=200), base_asset_target_pct=40) == 0


def test_R31_once_begun_it_goes_on_to_the_target_itself() -> None:
    policy = Rebalance(RebalanceTable())
    assert policy.decide(spot(460, 1_000)).target is not None
    again = policy.decide(spot(400, 1_000))
    assert again.target is not None and again.target.minimum == 30_000, "its order was filled in part"
    assert policy.decide(spot(300, 1_000)).is_silent
    assert policy.decide(spot(400, 1_000)).is_silent, "until the threshold is broken again"


def test_R33_perps_are_never_rebalanced_and_spot_is_by_default() -> None:
    assert traded(spot(600, 1_000, is_perp=True)) == 0
    assert traded(spot(600, 1_000, is_perp=True), enable=True) == 0
    assert traded(spot(600, 1_000)) == -30_000
    assert traded(spot(600, 1_000), disable=True) == 0


def test_R33_coins_that_no_quoter_trades_are_left_alone() -> None:
    assert traded(replace(spot(600, 1_000), is_quoted=False)) == 0
    assert traded(replace(spot(600, 1_000), quote_usd=None)) == 0, "a total that cannot be told"


def spot_desk(**risk: Any) -> Desk:
    """Return a desk that holds 300 of base in a total of 1000."""
    desk = Desk(SPOT, max_position_share=1.0, **risk)
    desk.hear(info(SPOT, is_perp=False))
    desk.set_position(300, symbol=SPOT)
    desk.run(1_500)
    return desk


def test_R31_risk_asks_for_it_and_goes_on_quoting() -> None:
    desk = spot_desk()
    assert desk.target is None
    desk.set_position(460, symbol=SPOT)
    assert desk.target is not None and desk.target.style == "ioc"
    assert (desk.target.minimum, desk.target.maximum, desk.target.may_open) == (300, 300, False)
    assert desk.target.limit_price == 9_990  # 9999 x 0.999, rounded up: it still trades
    assert desk.may_quote()
    desk.set_position(300, symbol=SPOT)
    desk.run(500)
    assert desk.target is None
    desk.set_position(140, symbol=SPOT)
    assert desk.target is not None and desk.target.may_open and desk.target.minimum == 300


def test_R31_a_purchase_ends_where_the_permit_does() -> None:
    desk = spot_desk(max_gross_equity_multiple=0.25)
    desk.set_position(140, symbol=SPOT)
    desk.run(250)
    assert desk.target is not None and desk.target.maximum == desk.permit.max_long == 250


def test_R33_it_is_off_when_disabled() -> None:
    desk = spot_desk(rebalance={"disable": True})
    desk.set_position(460, symbol=SPOT)
    assert desk.target is None


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"enable": True, "disable": True}, "enable and disable are both true"),
        ({"base_asset_target_pct": 10}, "could sell but never buy"),
        ({"base_asset_target_pct": 15}, "could sell but never buy"),
        ({"base_asset_target_pct": 85}, "could buy but never sell"),
        ({"enable": True, "base_asset_target_pct": 30}, "beyond max_position_share 0.2"),
        ({"base_asset_target_pct": 101}, "base_asset_target_pct"),
        ({"base_asset_target_pct": -1}, "base_asset_target_pct"),
        ({"threshold_pct": 0}, "threshold_pct"),
    ],
)
def test_R33_contradictions_are_one_clear_line(table: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_risk({"rebalance": table})
    assert line in str(refused.value) and str(refused.value).startswith("risk")
    with pytest.raises(BadInput):
        parse_risk({"symbols": {"SOL_USDC": {"rebalance": table}}})


@pytest.mark.parametrize("target", [0, 30, 100])
def test_R33_the_ends_of_the_range_say_what_they_mean(target: float) -> None:
    parse_risk({"rebalance": {"base_asset_target_pct": target}})
    parse_risk({"max_position_share": 1, "rebalance": {"base_asset_target_pct": target, "enable": True}})
    parse_risk({"rebalance": {"disable": True, "base_asset_target_pct": 10}})


USD = st.floats(0, 1e6)


@given(USD, USD, st.floats(0, 100), st.floats(0.1, 100), st.floats(0, 1e6))
def test_R31_any_view_has_an_answer_that_spends_no_more_than_there_is_and_then_wants_nothing(
    base: float, quote: float, target_pct: float, threshold_pct: float, cap_usd: float
) -> None:
    config = {"base_asset_target_pct": target_pct, "threshold_pct": threshold_pct}
    policy = Rebalance(RebalanceTable(**config))
    view = spot(base, base + quote, cap_usd=cap_usd)
    decision = policy.decide(view)
    assert policy.decide(view) == decision, "asking twice changes nothing"
    if decision.target is None:
        return
    after = decision.target.minimum
    assert after >= 0
    bought = (after - view.position.quantity) / 100
    assert bought <= max(0.0, 0.95 * (total_of(view) - view.notional_usd)) + 0.01
    if bought > 0:
        assert after <= cap_usd * 100 + 1
    done = spot(after / 100, total_of(view), cap_usd=cap_usd)
    spent = view.notional_usd if bought < 0 else total_of(view) - view.notional_usd
    if abs(bought) < 0.95 * spent - 0.02:  # not cut to what there is
        assert Rebalance(RebalanceTable(**config)).decide(done).is_silent, "no oscillation"


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1, 1e6))
def test_R31_more_base_is_never_bought_more(one: float, other: float, total: float) -> None:
    low, high = sorted((min(one, total), min(other, total)))
    assume(low < high)
    assert traded(spot(low, total)) >= traded(spot(high, total))
    assert is_off_balance(total, total, 30, 15) and not is_off_balance(0.3 * total, total, 30, 15)


#: each trades inventory by itself: beside it rebalancing would trade it back, again and again
RIVALS: dict[str, Any] = {
    "excess_share": 0.5, "position_table": {"target": 2.0, "threshold": 0.1, "max": 9.0},
    "stops": {"stop_loss_usd": 1e6}, "ak47_hedge": {"threshold": 9.0, "q_max": 99.0},
    "fill_hedge": {"reference": 4.6},
}  # fmt: skip


@pytest.mark.parametrize("rival", RIVALS)
def test_R33_it_is_off_beside_a_policy_that_moves_the_inventory(rival: str) -> None:
    """460 of 1000 is off balance, and what each of them leaves alone or wants."""
    desk = spot_desk(**{rival: RIVALS[rival]})
    desk.set_position(140, symbol=SPOT)
    desk.run(1_000)
    assert desk.target is None or "back to 30 %" not in desk.target.reason
    assert parse_risk({rival: RIVALS[rival]}).rebalance_of(SPOT) is None


@pytest.mark.parametrize("rival", RIVALS)
def test_R33_both_at_once_are_refused_in_one_clear_line(rival: str) -> None:
    table = {"enable": True, "base_asset_target_pct": 20}
    where = {"rebalance": table, rival: RIVALS[rival]}
    with pytest.raises(BadInput, match=f"risk.rebalance: enable is true beside {rival}: "):
        parse_risk(where)
    with pytest.raises(BadInput, match=f"risk.symbols.{SPOT}.rebalance: enable is true beside {rival}"):
        parse_risk({rival: RIVALS[rival], "symbols": {SPOT: {"rebalance": table}}})
    parse_risk({rival: RIVALS[rival], "rebalance": {"disable": True}})
    parse_risk({**where, "symbols": {}, "rebalance": table | {"enable": False}})


def test_R33_what_the_excess_policy_has_sold_is_not_bought_back() -> None:
    """A spot symbol under the limits of the paper deployment: it sold and bought by IOC without end."""
    desk = Desk(SPOT, max_position_share=0.2, excess_share=0.5, min_reduction_usd=50)
    desk.hear(info(SPOT, is_perp=False))
    desk.run(1_500)
    for lots in (0, 50, 100, 140):
        desk.set_position(lots, symbol=SPOT)
        desk.run(500)
        assert desk.target is None or not desk.target.may_open


@pytest.mark.parametrize(
    ("available", "bought"), [(None, 30_000), (1e3, 30_000), (100.0, 9_500), (0.0, 0), (-5.0, 0)]
)
def test_R32_no_more_than_95_percent_of_the_quote_balance_itself_is_spent(
    available: float | None, bought: int
) -> None:
    assert traded(replace(spot(0, 1_000), available_usd=available)) == bought
