"""R18, R19: inventory beyond a comfortable part of the limit is traded back while quoting goes on."""

from __future__ import annotations

import pytest

from tests.risk.desk import Desk

# cap 200 (20 % of 1000), a lot is worth one quote unit


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("notional", "hedge"), [(100, None), (108, None), (140, 20), (199, 49)])
def test_R18_half_of_the_excess_over_the_comfortable_part_is_traded_back(
    side: int, notional: int, hedge: int | None
) -> None:
    desk = Desk(excess_share=0.5)
    desk.set_position(side * notional)
    assert (desk.target is None) is (hedge is None)
    adds, reduces = (desk.permit.may_buy, desk.permit.may_sell)[::side]
    assert reduces, "quoting goes on on the side that brings it back"
    assert adds is (hedge is None)
    if desk.target is not None and hedge is not None:
        wanted = notional - hedge
        assert (desk.target.minimum, desk.target.maximum) == ((0, wanted) if side > 0 else (-wanted, 0))
        assert not desk.target.may_open  # R19
        assert "50% of its limit" in desk.target.reason


def test_R18_without_the_setting_only_the_limit_itself_is_acted_on() -> None:
    desk = Desk()
    desk.set_position(199)
    assert desk.target is None
    assert desk.permit.may_buy and desk.permit.may_sell


def test_R17_beyond_the_limit_quoting_stops_as_ever() -> None:
    desk = Desk(excess_share=0.5)
    desk.set_position(260)
    assert not desk.permit.may_buy and not desk.permit.may_sell
