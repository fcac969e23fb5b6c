"""L02, L03: what is missing, old or doubted permits nothing, and is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.policies.discontinuity import PositionDoubt
from services.risk.policies.policy import Action
from shared.clock import NS_PER_S
from shared.messages import Equity, FeedState, FeedStatus, Fill, Mark, Position, Side, Top
from tests.risk.desk import ACCOUNT, MID, MS, SYMBOL, VENUE, Desk, info, is_nothing

KINDS = ["InstrumentInfo", "FeedState", "Top", "Mark", "Position", "Working", "Equity"]
REASONS = {
    "InstrumentInfo": "instrument rules not heard", "FeedState": "market data is silent",
    "Top": "no book heard", "Mark": "no mark price", "Position": "position not heard",
    "Working": "working orders not heard", "Equity": "equity not heard",
}  # fmt: skip


class Deaf(Desk):
    """A desk that never hears some kinds of message."""

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds
        super().__init__()

    def _set_defaults(self) -> None:
        super()._set_defaults()
        self.silent = set(self._kinds)
        self.core.watch(ACCOUNT, SYMBOL)


@pytest.mark.parametrize("kind", KINDS)
def test_L02_an_input_that_was_never_heard_permits_nothing_and_is_named(kind: str) -> None:
    desk = Deaf(kind)
    assert is_nothing(desk.permit)
    assert REASONS[kind] in desk.permit.reason


@settings(max_examples=30, deadline=None)
@given(kinds=st.sets(st.sampled_from(KINDS), min_size=1))
def test_L02_any_missing_inputs_permit_nothing(kinds: set[str]) -> None:
    desk = Deaf(*sorted(kinds))
    assert is_nothing(desk.permit) and desk.permit.reason
    desk.silent.clear()
    desk.run(2_000)
    assert desk.permit.may_buy and desk.permit.may_sell, "and it comes back by itself"


@pytest.mark.parametrize("kind", ["FeedState", "Top", "Position", "Working", "Equity"])
def test_L02_an_input_that_falls_silent_permits_nothing_after_a_second(kind: str) -> None:
    desk = Desk()
    desk.silent.add(kind)
    desk.run(1_000)
    assert desk.permit.may_buy
    desk.run(250)
    assert is_nothing(desk.permit) and desk.permit.reason


def feed(status: FeedStatus) -> FeedState:
    return FeedState(VENUE, SYMBOL, status, "why", 0, 0)


BAD: dict[str, tuple[Callable[[Desk], object], str]] = {
    "equity unknown": (lambda d: d.hear(Equity(ACCOUNT, None, None, 10**18)), "equity is unknown"),
    "equity absurd": (lambda d: d.hear(Equity(ACCOUNT, float("nan"), None, 10**18)), "equity is unknown"),
    "equity gone": (lambda d: d.hear(Equity(ACCOUNT, 0.0, None, 10**18)), "equity is not above 0"),
    "equity old": (lambda d: d.hear(Equity(ACCOUNT, 999.0, None, -40 * NS_PER_S)), "equity is older than 30"),
    "position unknown": (lambda d: d.set_position(0, is_known=False), "position is not confirmed"),
    "stale": (lambda d: d.hear(feed(FeedStatus.STALE)), "feed is stale: why"),
    "by REST": (lambda d: d.hear(feed(FeedStatus.FALLBACK)), "feed is fallback"),
    "no bid": (lambda d: d.hear(d.top_at(None, MID)), "one side only"),
    "no ask": (lambda d: d.hear(d.top_at(MID, None)), "one side only"),
    "crossed": (lambda d: d.hear(d.top_at(MID, MID)), "book is crossed"),
    "no price": (lambda d: d.hear(d.top_at(0, MID)), "book is crossed"),
    "rules": (lambda d: d.hear(info(tick_size="0")), "instrument rules are unusable"),
    "rules of another kind": (lambda d: d.hear(info(min_quantity="a lot")), "instrument rules are unusable"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_L02_an_unusable_input_permits_nothing_and_is_named(name: str) -> None:
    desk = Desk()
    spoil, reason = BAD[name]
    spoil(desk)
    desk.run(250)
    assert is_nothing(desk.permit)
    assert reason in desk.permit.reason
    assert desk.target is None


@pytest.mark.parametrize("name", ["equity unknown", "position unknown", "stale", "no bid", "crossed"])
def test_L02_it_is_told_at_once_not_on_the_timer(name: str) -> None:
    desk = Desk()
    BAD[name][0](desk)
    assert is_nothing(desk.permit)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_L02_an_absurd_mark_is_not_taken(price: float) -> None:
    desk = Desk()
    desk.inputs.pop(("Mark", VENUE, SYMBOL))
    desk.hear(Mark(VENUE, SYMBOL, 100.0, None, None, None, 0, desk.now_ns))
    for _ in range(40):
        desk.hear(Mark(VENUE, SYMBOL, price, None, None, None, 0, desk.now_ns))
        desk.run(250)
    assert desk.permit.may_buy, "ten seconds old: still good"
    desk.run(250)
    assert is_nothing(desk.permit) and "no mark price in the last 10 s" in desk.permit.reason


def test_a_spot_symbol_needs_no_mark() -> None:
    desk = Deaf("Mark")
    desk.hear(info(is_perp=False))
    desk.run(250)
    assert desk.permit.may_buy and desk.permit.max_long == 200


def test_L02_a_position_without_any_price_makes_the_accounts_gross_unknown() -> None:
    desk = Desk()
    desk.hear(Position(ACCOUNT, "OTHER_PERP", 5, None, True, 1, 0))
    desk.run(250)
    assert is_nothing(desk.permit) and "OTHER_PERP has no price" in desk.permit.reason
    desk.hear(Position(ACCOUNT, "OTHER_PERP", 0, None, True, 2, 0))
    desk.run(250)
    assert desk.permit.may_buy


def test_what_belongs_to_no_account_or_symbol_of_ours_is_ignored() -> None:
    desk = Desk()
    assert desk.hear(Position("other", SYMBOL, 5, None, True, 1, 0), Equity("other", 5.0, None, 0)) == []
    assert desk.hear(Top("elsewhere", SYMBOL, 1, 1, 9, 1, 0, 0, 0, 0, 0)) == []
    desk.run(250)
    assert set(desk.permits) == {(ACCOUNT, SYMBOL)}


# --- L03 ------------------------------------------------------------------------------------------------


def test_L03_a_position_that_jumps_without_fills_freezes_until_it_is_confirmed() -> None:
    desk = Desk()
    desk.set_position(108)
    assert desk.permit.may_buy
    desk.hear(Position(ACCOUNT, SYMBOL, 0, None, True, 9, 0))
    assert is_nothing(desk.permit)
    assert "position jumped 108 -> 0 lots without fills" in desk.permit.reason
    desk.run(750)
    assert is_nothing(desk.permit)
    desk.run(500)
    assert desk.permit.may_buy, "a second later it still says so, twice"


def test_L03_one_wrong_read_never_trades() -> None:
    desk = Desk()
    desk.hear(Position(ACCOUNT, SYMBOL, 5_000, 100.0, True, 9, 0))
    assert is_nothing(desk.permit) and desk.target is None
    desk.run(500)
    assert desk.target is None
    desk.hear(Position(ACCOUNT, SYMBOL, 0, None, True, 10, 0))
    desk.run(250)
    assert desk.permit.may_buy
    assert desk.targets == {}


def test_L03_a_persistent_jump_is_acted_on_once_confirmed() -> None:
    desk = Desk()
    desk.hear(Position(ACCOUNT, SYMBOL, 260, 100.0, True, 9, 0))
    desk.run(1_500)
    assert desk.target is not None and desk.target.maximum == 230


def test_L03_a_position_told_before_its_fill_is_explained_by_the_fill() -> None:
    desk = Desk()
    desk.hear(Position(ACCOUNT, SYMBOL, 10, 100.0, True, 9, 0))
    assert is_nothing(desk.permit)
    desk.hear(desk.fill_of(10, 10))
    desk.run(250)
    assert desk.permit.may_buy


def _fill(size: int, after: int) -> Fill:
    side = Side.BUY if size > 0 else Side.SELL
    return Fill(ACCOUNT, SYMBOL, 1, 1, "v", side, 1, abs(size), True, "0", "USDC", None, after, False, 0, 0)


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(0, 1)), max_size=30))
def test_L03_fills_alone_are_never_doubted(fills: list[tuple[int, int]]) -> None:
    """Also where a fee in the base asset takes the last lot of what was bought."""
    doubt, quantity = PositionDoubt(NS_PER_S), 0
    doubt.on_position(Position(ACCOUNT, SYMBOL, 0, None, True, 1, 0), 0)
    for number, (size, fee) in enumerate(fills):
        quantity += size - fee
        doubt.on_fill(_fill(size, quantity))
        doubt.on_position(Position(ACCOUNT, SYMBOL, quantity, None, True, number + 2, 0), number)
        assert doubt.decide().action is Action.ALLOW


@given(
    jump=st.integers(-50, 50).filter(bool),
    reads=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=20),
)
def test_L03_a_jump_is_believed_only_after_two_agreeing_messages_and_the_wait(
    jump: int, reads: list[tuple[int, bool]]
) -> None:
    doubt, now_ns = PositionDoubt(NS_PER_S), 0
    doubt.on_position(Position(ACCOUNT, SYMBOL, 0, None, True, 1, 0), now_ns)
    doubt.on_position(Position(ACCOUNT, SYMBOL, jump, None, True, 2, 0), now_ns)
    assert doubt.decide().action is Action.FREEZE
    agreeing = 0
    for wait_ms, is_known in reads:
        now_ns += wait_ms * MS
        doubt.on_position(Position(ACCOUNT, SYMBOL, jump, None, is_known, 3, 0), now_ns)
        agreeing += is_known
        if doubt.decide().action is Action.ALLOW:
            assert agreeing >= 2 and now_ns >= NS_PER_S
            return
        assert agreeing < 2 or now_ns < NS_PER_S or not is_known
