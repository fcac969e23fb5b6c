"""The bus: state and facts, late subscribers, gaps, zombies, schema."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

import pytest
import zmq

from shared import bus as bus_module
from shared import messages as messages_module
from shared.bus import Addresses, Inbox, Publisher
from shared.clock import NS_PER_S, ManualClock, SystemClock
from shared.errors import BadInput, SchemaMismatch
from shared.messages import Equity, Gap, Message, Side, Top, Trade
from tests.fixtures.redis_server import wait_until


def top(bid: int, symbol: str = "SOL_USDC_PERP") -> Top:
    return Top("backpack", symbol, bid, 5, bid + 1, 5, bid, 0, 0, 0, 0)


def trade(number: int) -> Trade:
    return Trade("backpack", "SOL_USDC_PERP", Side.BUY, 100, 1, number, 0, 0)


class Wire:
    """A publisher and inboxes over inproc, with a way to wait for what must arrive."""

    def __init__(self) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.address = f"inproc://{id(self)}"
        self.clock = SystemClock()
        self.publisher = Publisher(self.context, self.address, self.clock)
        self.inboxes: list[Inbox] = []

    def inbox(self, *kinds: type[Message], symbol: str | None = None) -> Inbox:
        inbox = Inbox(self.context, self.clock)
        inbox.connect(self.address)
        for kind in kinds:
            inbox.subscribe(kind, "backpack" if symbol else None, symbol)
        self.inboxes.append(inbox)
        assert self.publisher.socket.poll(5_000)  # the subscription has arrived
        self.publisher.on_readable()
        return inbox

    def receive(self, inbox: Inbox, is_enough: Callable[[list[Message]], bool] = bool) -> list[Message]:
        got: list[Message] = []

        def poll() -> bool:
            got.extend(inbox.drain())
            return is_enough(got)

        wait_until(poll)
        return got

    def close(self) -> None:
        for inbox in self.inboxes:
            inbox.close()
        self.publisher.close()
        self.context.term()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def test_a_drain_returns_only_the_newest_state_but_every_fact_in_order(wire: Wire) -> None:
    inbox = wire.inbox(Top, Trade)
    wire.inbox(Trade)  # both subscriptions are in: XPUB reads them in order
    for number in range(5):
        wire.publisher.publish(top(number))
        wire.publisher.publish(trade(number))
    wire.publisher.publish(trade(99))
    got = wire.receive(inbox, lambda got: any(isinstance(m, Trade) and m.trade_id == 99 for m in got))
    assert [m.trade_id for m in got if isinstance(m, Trade)] == [0, 1, 2, 3, 4, 99]
    assert [m.bid for m in got if isinstance(m, Top)][-1] == 4


def test_a_late_subscriber_gets_the_cached_state(wire: Wire) -> None:
    wire.publisher.publish(top(42))
    assert wire.receive(wire.inbox(Top)) == [top(42)]


def test_a_spot_symbol_does_not_match_its_perp(wire: Wire) -> None:
    inbox = wire.inbox(Top, symbol="SOL_USDC")
    wire.publisher.publish(top(1, "SOL_USDC_PERP"))
    wire.publisher.publish(top(2, "SOL_USDC"))
    assert wire.receive(inbox) == [top(2, "SOL_USDC")]


def test_a_heartbeat_repeats_state_and_reveals_a_lost_fact(wire: Wire) -> None:
    inbox = wire.inbox(Trade)
    wire.publisher.publish(trade(1))
    wire.receive(inbox)
    inbox.socket.setsockopt(zmq.UNSUBSCRIBE, b"Trade.")
    wire.publisher.socket.poll(5_000)
    wire.publisher.on_readable()
    wire.publisher.publish(trade(2))  # nobody hears it
    inbox.subscribe(Trade)
    wire.publisher.socket.poll(5_000)
    wire.publisher.on_readable()
    wire.publisher.heartbeat()
    assert wire.receive(inbox) == [Gap("backpack", "SOL_USDC_PERP", "Trade")]


def test_a_restarted_publisher_of_facts_is_a_gap(wire: Wire) -> None:
    inbox = wire.inbox(Trade)
    wire.publisher.publish(trade(1))
    wire.receive(inbox)
    wire.publisher._epoch += 1
    wire.publisher.publish(trade(2))
    assert wire.receive(inbox) == [Gap("backpack", "SOL_USDC_PERP", "Trade"), trade(2)]


def test_a_zombie_publisher_of_an_older_epoch_is_ignored(wire: Wire) -> None:
    inbox = wire.inbox(Top)
    wire.publisher.publish(top(1))
    assert wire.receive(inbox) == [top(1)]
    wire.publisher._epoch -= 1
    wire.publisher.publish(top(2))
    wire.publisher._epoch += 2
    wire.publisher.publish(top(3))
    assert wire.receive(inbox) == [top(3)]


def test_a_state_older_than_its_ttl_is_not_delivered() -> None:
    clock = ManualClock(NS_PER_S)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    publisher, inbox = Publisher(context, "inproc://ttl", clock), Inbox(context, clock)
    inbox.connect("inproc://ttl")
    inbox.subscribe(Top)
    assert publisher.socket.poll(5_000)
    publisher.on_readable()
    publisher.publish(top(1))
    publisher.publish(trade(1))
    clock.advance(bus_module.STATE_TTL_NS + 1)
    assert inbox.socket.poll(5_000)
    assert inbox.drain() == []  # a consumer that was stopped must not act on the past
    publisher.heartbeat()
    assert inbox.socket.poll(5_000)
    assert inbox.drain() == [top(1)]
    publisher.close()
    inbox.close()
    context.term()


def test_the_schema_holds_every_member_of_every_enum_that_is_sent() -> None:
    """A renumbered status would be misread although every field is the same."""
    described = messages_module._describe()
    assert "UNKNOWN=4" in described and "STALE=3" in described and "SELL=-1" in described
    enums = [one for one in vars(messages_module).values() if isinstance(one, type) and issubclass(one, Enum)]
    for enum in enums:
        if enum.__members__:
            assert f"{enum.__name__}({next(iter(enum.__members__))}=" in described


def test_another_schema_is_fatal_and_names_the_topic(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = wire.inbox(Top)
    monkeypatch.setattr(bus_module, "SCHEMA_HASH", bus_module.SCHEMA_HASH ^ 1)
    wire.publisher.publish(top(1))
    monkeypatch.undo()
    assert inbox.socket.poll(5_000)
    with pytest.raises(SchemaMismatch, match=r"Top\.backpack\.SOL_USDC_PERP\."):
        inbox.drain()


def test_a_subscription_to_one_symbol_is_announced_and_a_prefix_is_not(wire: Wire) -> None:
    heard: list[tuple[str, str, str, bool]] = []
    wire.publisher.on_demand = lambda *demand: heard.append(demand)
    wire.inbox(Top)
    wire.inbox(Equity, symbol="-")
    assert heard == [("Equity", "backpack", "-", True)]


def test_addresses_are_private_and_short_whatever_the_run_directory(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 80)
    address = Addresses(deep).of("execution.main")
    assert len(address) < 110
    directory = Path(address.removeprefix("ipc://")).parent
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert Addresses(deep).of("execution.main") == address
    with pytest.raises(BadInput, match="over"):
        Addresses(tmp_path).of("x" * 200)
    assert Addresses(tmp_path, {"risk": "tcp://127.0.0.1:1"}).of("risk") == "tcp://127.0.0.1:1"


def test_a_topic_that_was_forgotten_goes_on_where_it_was_when_it_comes_back(wire: Wire) -> None:
    """Its consumers have seen its sequence: from 1 again, all would be dropped for the rest of the epoch."""
    inbox = wire.inbox(Top, Trade)
    for number in range(5):
        wire.publisher.publish(top(number))
        wire.publisher.publish(trade(number))
    assert len(wire.receive(inbox, lambda got: trade(4) in got)) > 1
    wire.publisher.forget(Top, "backpack", "SOL_USDC_PERP")
    wire.publisher.forget(Trade, "backpack", "SOL_USDC_PERP")
    wire.publisher.heartbeat()
    wire.publisher.publish(top(100))
    wire.publisher.publish(trade(100))
    got = wire.receive(inbox, lambda got: top(100) in got and trade(100) in got)
    assert got == [trade(100), top(100)], "and there is no gap"


def test_X02_a_port_in_use_is_named() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    first = context.socket(zmq.XPUB)
    address = f"tcp://127.0.0.1:{first.bind_to_random_port('tcp://127.0.0.1')}"
    with pytest.raises(BadInput, match=rf"{address} cannot be bound: Address already in use"):
        Publisher(context, address, SystemClock())
    first.close()
    context.term()
