"""Redis is emptied while it runs: the next start takes over all of it, not what came after."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from services.execution.account.ledger import Holding, Ledger
from services.execution.account.restore import Stored
from services.execution.live.store_link import StoreLink
from services.execution.requests import HeldPosition, JournalFill
from shared.clock import SystemClock
from shared.errors import Unknown
from shared.instrument import Instrument
from shared.messages import Side
from shared.state.store import StateStore
from shared.venues.base import VenueFill
from tests.execution.small_venue import INFO, SYMBOL
from tests.fixtures.redis_server import RedisServer, wait_until

D = Decimal
CLOCK = SystemClock()
PERP = Instrument.from_info(INFO)
ACCOUNT = "main"


class Trader:
    """A ledger whose every fill is journalled through a link."""

    def __init__(self, link: StoreLink) -> None:
        self.link = link
        self.ledger, self.holding = Ledger(), Holding()
        self.link.keep_ledger(self.ledger.start(D(1_000), {"USDC": D(1_000)}, 1))

    def fill(self, number: int, side: Side, price: str) -> None:
        fill = VenueFill(
            SYMBOL, number, str(number), None, side, D(price), D(1), True, D("0.02"), "USDC", CLOCK.wall_ns()
        )
        sums = self.ledger.count(fill, PERP, self.holding)
        assert sums is not None
        held = HeldPosition(
            SYMBOL, self.holding.quantity, self.holding.entry_price, True, number, fill.venue_ns
        )
        self.link.append_fill(JournalFill(fill, None, None, False, held, sums))


@pytest.fixture
def link(store: StateStore) -> Iterator[StoreLink]:
    link = StoreLink(store, ACCOUNT, CLOCK)
    link.start()
    yield link
    link.stop()


def empty(server: RedisServer, store: StateStore) -> None:
    """Do to one deployment what FLUSHALL does to all."""
    link = server.link()
    prefix = store.keys.halt.removesuffix("halt")
    for key in link.call("KEYS", f"{prefix}*"):
        link.call("DEL", key)
    link.close()


def loaded(store: StateStore) -> Stored:
    """Return what a start would take over; it is read again while the journal grows."""
    while True:
        try:
            return StoreLink(store, ACCOUNT, CLOCK).load()
        except Unknown:
            continue


@pytest.mark.parametrize("is_traded_after", [True, False])
def test_an_emptied_redis_gets_everything_back(
    store: StateStore, redis_server: RedisServer, link: StoreLink, is_traded_after: bool
) -> None:
    trader = Trader(link)
    trader.fill(1, Side.BUY, "100")
    trader.fill(2, Side.SELL, "101")
    wait_until(lambda: len(loaded(store).fills) == 2)
    empty(redis_server, store)
    if is_traded_after:
        trader.fill(3, Side.BUY, "100")
    numbers = [1, 2, 3] if is_traded_after else [1, 2]
    wait_until(lambda: sorted(key[1] for key, _ in loaded(store).fills) == numbers)
    wait_until(lambda: loaded(store).ledger == trader.ledger.snapshot())
    wait_until(lambda: [one.seq for one in loaded(store).positions] == [max(numbers)])
    later = Ledger()
    later.load(loaded(store).ledger, loaded(store).fills)
    assert later.start(D(7), {}, 9) == {}, "the session goes on"


def test_what_a_start_has_read_comes_back_too(
    store: StateStore, redis_server: RedisServer, link: StoreLink
) -> None:
    trader = Trader(link)
    trader.fill(1, Side.BUY, "100")
    wait_until(lambda: loaded(store).ledger == trader.ledger.snapshot())
    assert link.stop()
    restarted = StoreLink(store, ACCOUNT, CLOCK)
    restarted.start()
    before = restarted.load()
    wait_until(lambda: restarted.is_healthy(CLOCK.monotonic_ns()))
    empty(redis_server, store)
    wait_until(lambda: loaded(store).ledger == before.ledger and loaded(store).fills == before.fills)
    assert restarted.stop()
