"""O05: nothing leaves while the venue wants silence, and what we withhold says nothing of the venue."""

from __future__ import annotations

import pytest
import requests

from services.execution.config import ExecutionConfig
from services.execution.core import Execution
from services.execution.live.venue_link import SKEW_MS, VenueLink
from services.execution.orders.records import Order
from services.execution.requests import CheckClock, Output, ReadKind, StartRead
from services.execution.sending.budget import RateBudget
from shared.clock import NS_PER_S, SystemClock
from shared.loop import Loop
from shared.messages import Side
from shared.secret import Secret
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.client import BackpackAccount
from shared.venues.backpack.orders import CAPABILITIES
from shared.venues.clock_offset import ClockOffset
from shared.venues.registry import adapter_of
from tests.execution.world import bid, ready

CLOCK = SystemClock()


def test_O05_a_read_that_we_withhold_neither_asks_for_the_clock_nor_doubts_the_venue() -> None:
    world = ready()
    world.run(1_000)
    world.core.desk.budget.on_rate_limited(30.0, world.now_ns, world.now_ns)
    for kind in (ReadKind.POSITIONS, ReadKind.STATEMENT, ReadKind.FILLS):
        outputs = world.core.on_read_withheld(StartRead(kind), world.now_ns)
        assert not any(isinstance(output, CheckClock) for output in outputs)
    assert world.core.desk.venue.is_answering
    world.reads.clear()
    for _ in range(1_400):
        world.tick(20)
        assert not world.reads and not world.requests
    world.run(5_000)
    assert world.core.desk.venue.is_answering


def test_O05_a_withheld_question_about_an_order_is_asked_again() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.vanish()
    world.reply()
    world.tick(20)
    (asked,) = (one for one in world.reads if one.read.kind is ReadKind.FIND_ORDER)
    world.reads.remove(asked)
    world.do(world.core.on_read_withheld(asked.read, world.now_ns))
    assert world.core.desk.orders.has_live()
    world.run(5_000)
    assert len(world.ours()) == 1, "it was settled, and what it stood for is placed"
    assert len(world.sent_ids) == 2


def test_O05_a_page_is_not_read_when_what_is_kept_for_cancels_would_be_used() -> None:
    budget = RateBudget(600, 1.0, 0)
    assert budget.may_request(0)
    budget.charge(80)
    assert budget.may_request(0)
    budget.charge(10)
    assert not budget.may_request(0)
    assert budget.take_cancel(0)
    assert budget.may_request(10 * NS_PER_S)


def new_core() -> Execution:
    return Execution("main", ExecutionConfig(), CAPABILITIES, tag=77, now_ns=CLOCK.monotonic_ns(), venue_ms=1)


def link_of(loop: Loop, core: Execution, done: list[Output]) -> VenueLink:
    keys = Keys("key", Secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
    return VenueLink(
        loop, CLOCK, adapter_of("backpack"), Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1"), keys,
        ClockOffset(CLOCK), ExecutionConfig(), "backpack", core, done.extend,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [*ReadKind, None], ids=lambda kind: kind.value if kind else "clock")
def test_O05_no_path_of_ours_sends_anything_while_the_venue_wants_silence(
    kind: ReadKind | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def record(_session: requests.Session, url: str, **_more: object) -> None:
        sent.append(url)
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "get", record)
    loop, core = Loop(CLOCK, 2), new_core()
    done: list[Output] = []
    link = link_of(loop, core, done)
    now_ns = CLOCK.monotonic_ns()
    core.desk.budget.on_rate_limited(60.0, now_ns, now_ns)
    if kind is None:
        link.measure_clock()
    else:
        link.read(StartRead(kind, symbol="SOL_USDC_PERP", client_order_id=1))
    loop.after(NS_PER_S // 5, loop.stop)
    loop.run()
    assert not sent
    assert core.desk.venue.is_answering
    assert not any(isinstance(output, CheckClock) for output in done)
    link.close()
    loop.close()


@pytest.mark.parametrize("is_adopted", [False, True])
def test_a_question_about_an_order_reaches_back_to_when_it_was_signed(
    is_adopted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was found at the venue may be older than we know."""
    asked: list[int] = []

    def record(_client: BackpackAccount, _symbol: str, _number: int, since_ms: int = 0) -> None:
        asked.append(since_ms)

    monkeypatch.setattr(BackpackAccount, "find_order", record)
    loop, core = Loop(CLOCK, 2), new_core()
    link = link_of(loop, core, [])
    order = Order(7, "SOL_USDC_PERP", Side.BUY, 1, 1, True, False, False, 0, CLOCK.monotonic_ns())
    order.stamp_ms = 0 if is_adopted else 1_700_000_000_000
    core.desk.orders.add(order)
    link.read(StartRead(ReadKind.FIND_ORDER, symbol="SOL_USDC_PERP", client_order_id=7))
    loop.after(NS_PER_S // 5, loop.stop)
    loop.run()
    assert asked == [0 if is_adopted else 1_700_000_000_000 - SKEW_MS]
    link.close()
    loop.close()
