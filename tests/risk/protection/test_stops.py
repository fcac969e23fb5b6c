"""R09 to R13, C12, C13: an unrealised loss or profit beyond its limit closes the position."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.config import parse_risk
from services.risk.policies.policy import Action
from services.risk.policies.protection.stops import Stops, StopsTable
from shared.errors import BadInput
from shared.messages import Permit, Position, Target
from tests.risk.desk import ACCOUNT, SYMBOL, Desk, is_nothing
from tests.risk.protection.views import view

# 120 lots are 1.2 SOL, entered at 100.00


def fires(unrealised: float, **table: Any) -> bool:
    """Tell whether 1000 lots (10 SOL) with that much unrealised are closed."""
    decision = Stops(StopsTable(**table)).decide(view(1_000, price=100 + unrealised / 10))
    return decision.action is Action.STOP


def losing_desk(**table: Any) -> Desk:
    """Return a desk with 1.2 SOL long from 100, whose price may fall by a quarter."""
    desk = Desk(
        max_move_pct=50, max_mark_gap_pct=50, stops={"stop_loss_usd": -25, "take_profit_usd": 50} | table
    )
    desk.set_position(120)
    desk.run(250)
    assert desk.may_quote() and desk.target is None
    return desk


@pytest.mark.parametrize("stop_loss", [-25.0, 25.0])
@pytest.mark.parametrize(("unrealised", "is_closed"), [(-27.0, True), (-25.0, True), (-24.99, False)])
def test_R09_C13_a_loss_at_or_below_the_limit_fires_whatever_the_sign_it_is_written_with(
    stop_loss: float, unrealised: float, is_closed: bool
) -> None:
    assert fires(unrealised, stop_loss_usd=stop_loss) is is_closed
    assert not fires(-unrealised, stop_loss_usd=stop_loss)


@pytest.mark.parametrize(
    ("unrealised", "is_closed"), [(52.0, True), (50.0, True), (49.99, False), (-52.0, False)]
)
def test_R10_a_profit_at_or_above_the_limit_fires(unrealised: float, is_closed: bool) -> None:
    assert fires(unrealised, take_profit_usd=50.0) is is_closed


def test_R09_it_cancels_all_closes_reduce_only_through_the_book_and_says_why() -> None:
    desk = losing_desk()
    desk.set_price(77.5)  # -27
    assert is_nothing(desk.permit)
    assert desk.permit.decisions[0].startswith("stop quoting, trade to 0 lots: stop-loss: unrealised -27.00")
    assert "at or below -25.00" in desk.permit.reason
    target = desk.target
    assert target is not None and (target.minimum, target.maximum, target.may_open) == (0, 0, False)
    assert target.style == "ioc" and target.max_slice == 120
    assert target.limit_price is not None and 0.985 * 7_749 < target.limit_price < 7_749
    short = Stops(StopsTable(stop_loss_usd=25)).decide(view(-1_000, price=103.0))
    assert short.target is not None and short.target.limit_price is not None
    assert 10_301 < short.target.limit_price < 10_301 * 1.015


def test_R11_one_mark_is_enough_and_so_is_one_position() -> None:
    desk = losing_desk()
    told = desk.hear(desk.mark_at(77.5))
    assert any(isinstance(m, Permit) and is_nothing(m) for m in told)
    assert any(isinstance(m, Target) and m.maximum == 0 for m in told)
    desk = losing_desk()
    desk.set_price(80.0)  # -24
    desk.run(250)
    assert desk.target is None
    before: Any = desk.inputs["Position", ACCOUNT, SYMBOL]
    told = desk.hear(Position(ACCOUNT, SYMBOL, 120, 105.0, True, before.position_seq + 1, 0))
    assert any(isinstance(m, Target) and m.maximum == 0 for m in told)


def test_R12_the_close_is_asked_for_until_flat_with_alerts_and_nothing_is_quoted_meanwhile() -> None:
    desk = losing_desk()
    desk.set_price(77.5)
    desk.set_position(50)  # a part of it
    assert desk.target is not None and desk.target.max_slice == 50
    desk.set_price(99.0)  # the loss is gone: the close goes on
    for _ in range(30):
        desk.run(250)
        assert desk.target is not None and is_nothing(desk.permit)
    alerts = [text for _, _, text in desk.core.take_alerts()]
    assert alerts[0].endswith("closing") and "0.5 not closed after 5 s" in alerts[1]
    assert len(alerts) == 2, "one alert, and one each 5 s"


def test_R12_C12_quoting_resumes_with_the_next_permit_once_flat_is_confirmed() -> None:
    desk = losing_desk()
    desk.set_price(77.5)
    desk.set_position(0, is_known=False)
    desk.run(500)
    assert is_nothing(desk.permit), "flat is not confirmed by the venue yet"
    desk.set_position(0)
    desk.run(250)
    assert desk.may_quote() and desk.target is None
    desk.hear(desk.fill_of(50, 50), Position(ACCOUNT, SYMBOL, 50, 77.5, True, 99, 0))
    assert desk.target is None, "the next position has a stop of its own"


def test_R13_the_loss_is_computed_from_our_own_entry_price() -> None:
    seen = view(80, price=66.0, entry=100.0)
    assert seen.unrealised_usd == pytest.approx(-27.2)
    assert Stops(StopsTable(stop_loss_usd=25)).decide(seen).action is Action.STOP


def test_R13_an_unknown_entry_price_is_not_zero_nothing_may_be_added() -> None:
    stops = Stops(StopsTable(stop_loss_usd=25))
    decision = stops.decide(view(80, price=66.0, entry=None))
    assert decision.action is Action.REDUCE_ONLY and decision.target is None
    assert "entry price is unknown" in decision.reason
    assert stops.decide(view(0)).is_silent


def test_a_position_that_may_be_wrong_does_not_fire() -> None:
    desk = losing_desk()
    desk.set_price(95.0)  # -6
    before: Any = desk.inputs["Position", ACCOUNT, SYMBOL]
    desk.hear(Position(ACCOUNT, SYMBOL, 190, 115.0, True, before.position_seq + 1, 0))  # -38, without a fill
    assert is_nothing(desk.permit) and desk.target is None
    desk.hear(Position(ACCOUNT, SYMBOL, 120, 100.0, True, before.position_seq + 2, 0))
    desk.run(250)
    assert desk.may_quote() and desk.target is None


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(-300, 300),
            st.floats(0.02, 1_000),
            st.none() | st.floats(0.01, 1_000),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=12,
    ),
    st.floats(0.01, 1_000),
    st.none() | st.floats(0.01, 1_000),
)
def test_a_close_goes_on_until_flat_never_opens_and_asking_twice_changes_nothing(
    steps: list[tuple[int, float, float | None, int]], loss: float, profit: float | None
) -> None:
    stops, now_ns, was_closing = Stops(StopsTable(loss, profit)), 0, False
    for lots, price, entry, seconds in steps:
        now_ns += seconds * 10**9
        seen = view(lots, price=price, entry=entry, now_ns=now_ns)
        decision = stops.decide(seen)
        assert decision == stops.decide(seen)
        is_closing = decision.target is not None
        if is_closing and decision.target is not None:
            assert (decision.target.minimum, decision.target.maximum, decision.target.may_open) == (
                0,
                0,
                False,
            )
            assert decision.action is Action.STOP and decision.alert
        assert is_closing or lots == 0 or not was_closing
        was_closing = is_closing


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({}, "risk.stops: stop_loss_usd or take_profit_usd must be given"),
        ({"stop_loss_usd": 0}, "risk.stops: stop_loss_usd 0 would close at any price"),
        ({"take_profit_usd": -5}, "stops.take_profit_usd"),
        ({"stop_loss_usd": 5, "slippage_pct": 30}, "stops.slippage_pct"),
    ],
)
def test_X02_contradictions_and_bad_values_are_named(table: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_risk({"stops": table})
    assert line in str(refused.value)


@pytest.mark.parametrize("rules", [{"min_quantity": "0.05"}, {"min_notional": "5"}])
def test_R12_C12_a_close_ends_where_the_rest_is_too_little_for_the_venue(rules: dict[str, str]) -> None:
    stops = Stops(StopsTable(stop_loss_usd=25))
    assert stops.decide(view(1_000, price=97.0, **rules)).action is Action.STOP
    assert stops.decide(view(6, price=97.0, **rules)).target is not None, "this much can still be closed"
    assert stops.decide(view(4, price=97.0, **rules)).is_silent, "as flat as the venue lets it be"
    assert stops.decide(view(1_000, price=99.0, **rules)).is_silent, "the next position has its own stop"


def test_R12_a_rest_that_cannot_be_closed_and_is_beyond_the_limit_is_not_added_to() -> None:
    stops = Stops(StopsTable(stop_loss_usd=1))
    decision = stops.decide(view(4, price=60.0, min_quantity="0.05"))
    assert decision.action is Action.REDUCE_ONLY and decision.target is None and not decision.alert
    assert "too little for the venue to close" in decision.reason
