"""What says nothing new looks at nothing anew; what somebody asks for is told again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from services.execution.requests import SendCancel
from services.execution.symbols import Symbol
from shared.clock import NS_PER_S
from shared.messages import OrderStatus, Permit, Quotes, Working
from shared.permits import is_same_permit
from tests.execution.small_venue import ACCOUNT, SYMBOL
from tests.execution.world import World, bid, ready

PERMIT = Permit("main", SYMBOL, 5, 5, 5, 5.0, True, True, False, False, "", 1)


def looks(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows whenever the symbol's orders are compared with what is wanted."""
    seen: list[str] = []
    requote = world.core._quoting.requote

    def note(symbol: Symbol, cause_ns: int, now_ns: int) -> None:
        seen.append(symbol.name)
        requote(symbol, cause_ns, now_ns)

    monkeypatch.setattr(world.core._quoting, "requote", note)
    return seen


def told(world: World) -> int:
    return sum(isinstance(message, Working) for message in world.published)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_long", 4), ("max_short", 4), ("max_order", 4), ("max_gross_usd", 4.0), ("may_buy", False),
        ("may_sell", False), ("reduce_only", True), ("halted", True),
    ],
)  # fmt: skip
def test_a_permit_that_permits_something_else_is_another_one(name: str, value: Any) -> None:
    assert is_same_permit(PERMIT, msgspec.structs.replace(PERMIT, reason="why", expires_ns=2))
    assert not is_same_permit(PERMIT, msgspec.structs.replace(PERMIT, **{name: value}))


def test_a_repeated_permit_wakes_nobody_and_another_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.permit()
    seen = looks(world, monkeypatch)
    world.permit()
    assert seen == []
    world.permit(max_gross_usd=1e8)
    assert seen == [SYMBOL]


def test_a_working_is_told_once_and_again_to_whoever_asks_and_at_the_stop() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.core.desk.touch(world.core.desk.symbols[SYMBOL])
    before = told(world)
    world.permit()
    assert told(world) == before, "nothing has changed"
    world.do(world.core.on_demand(SYMBOL, world.now_ns))
    assert told(world) == before + 1
    world.do(world.core.on_stop(world.now_ns))
    assert told(world) == before + 2


def test_an_order_whose_cancel_was_refused_is_looked_at_whenever_the_stream_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    seen = looks(world, monkeypatch)
    (order,) = world.ours()
    world.show(order)
    world.tell()
    assert seen == [], "the stream says what is known"
    (ours,) = world.core.desk.orders.live()
    world.cancel_refusals[ours.client_order_id] = "other"
    world.quote()
    world.arrive()
    world.reply()
    assert ours.cancel_tries == 1
    seen.clear()
    world.show(order)
    world.tell()
    assert seen == [SYMBOL]


def test_what_reply_and_stream_both_say_of_a_cancel_is_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.quote()
    world.arrive()
    seen = looks(world, monkeypatch)
    world.reply()
    assert seen == [SYMBOL] and not list(world.core.desk.orders.live())
    before = told(world)
    world.tell()
    assert seen == [SYMBOL] and told(world) == before


@pytest.mark.parametrize("has_left", [True, False])
def test_what_rests_is_told_when_a_cancel_is_known_to_have_left_or_not(has_left: bool) -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    before = told(world)
    quotes = Quotes(ACCOUNT, SYMBOL, (), False, world.now_ns + NS_PER_S, 0, "test")
    outputs = world.core.on_quotes(quotes, world.now_ns)
    (cancel,) = outputs
    assert isinstance(cancel, SendCancel)
    if has_left:
        world.do(outputs)
    else:
        world.do(world.core.on_cancel_not_sent(cancel.client_order_id, world.now_ns))
    assert told(world) == before + 1
    last = next(message for message in reversed(world.published) if isinstance(message, Working))
    assert [order.status for order in last.orders] == [OrderStatus.PENDING_CANCEL]


def test_quotes_that_come_while_the_venue_has_to_answer_take_effect_when_it_has() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.quote(bid(9_980))
    assert len(world.requests) == 1, "a cancel could overtake the placement"
    world.arrive()
    world.reply()
    assert [type(travelling.request) for travelling in world.requests] == [SendCancel]
    world.quote(bid(9_970))
    assert len(world.requests) == 1, "the place is held until the cancel is answered"
    world.settle()
    assert [order.price for order in world.core.desk.orders.live()] == [9_970]
