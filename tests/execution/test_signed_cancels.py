"""Cancels signed ahead: as if signed on the spot, once, for their own order, while they are valid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from services.execution.live.signed_cancels import PREPARE_NS, SignedCancels
from shared.clock import NS_PER_S, ManualClock
from shared.instrument import Instrument
from shared.loop import Loop
from tests.execution.small_venue import CAPABILITIES
from tests.quoter.builders import INSTRUMENT

VALID_NS = 30 * NS_PER_S


class Codec:
    """Signs with plain text, and counts."""

    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.signed = 0

    def cancel(self, instrument: Instrument, client_id: int, venue_id: str | None, stamp_ms: int) -> bytes:
        self.signed += 1
        return f"{instrument.symbol} {client_id} {venue_id} {stamp_ms}".encode()


@dataclass
class Offset:
    clock: ManualClock

    def timestamp_ms(self) -> int:
        return self.clock.now_ns // 1_000_000


@dataclass
class Stand:
    """Signed cancels on a loop whose clock is turned by hand."""

    clock: ManualClock
    loop: Loop
    codec: Codec = field(default_factory=Codec)
    dead: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.cancels = SignedCancels(
            self.codec, self.loop, self.clock, Offset(self.clock), lambda number: number not in self.dead,  # type: ignore[arg-type]
        )  # fmt: skip

    def pass_time(self, ns: int) -> None:
        self.clock.advance(ns)
        self.loop.run_once(0)

    def prepared(self, client_id: int = 1, venue_id: str = "v1") -> None:
        self.cancels.prepare(INSTRUMENT, client_id, venue_id)
        self.pass_time(PREPARE_NS)


@pytest.fixture
def stand() -> Iterator[Stand]:
    clock = ManualClock(NS_PER_S)
    loop = Loop(clock)
    yield Stand(clock, loop)
    loop.close()


def test_a_prepared_cancel_serves_exactly_once(stand: Stand) -> None:
    stand.prepared()
    assert stand.cancels.take(1, "v1") == b"SOL_USDC_PERP 1 v1 1005"
    assert stand.cancels.take(1, "v1") is None


def test_a_cancel_is_signed_after_the_turn_of_its_acceptance(stand: Stand) -> None:
    stand.cancels.prepare(INSTRUMENT, 1, "v1")
    assert stand.codec.signed == 0
    stand.pass_time(PREPARE_NS)
    assert stand.codec.signed == 1


def test_it_serves_no_other_order_and_no_other_venue_id(stand: Stand) -> None:
    stand.prepared()
    assert stand.cancels.take(2, "v1") is None
    assert stand.cancels.take(1, None) is None
    assert stand.cancels.take(1, "v1") is None  # what did not fit is not kept


def test_it_is_not_used_in_the_last_half_of_its_window(stand: Stand) -> None:
    stand.prepared()
    stand.clock.advance(VALID_NS)
    assert stand.cancels.take(1, "v1") is None


def test_while_its_order_lives_it_is_signed_again_in_time(stand: Stand) -> None:
    stand.prepared()
    for _ in range(40):
        stand.pass_time(2 * NS_PER_S)
    taken = stand.cancels.take(1, "v1")
    assert taken is not None
    stamp_ms = int(taken.split()[-1])
    assert stand.clock.now_ns // 1_000_000 - stamp_ms < VALID_NS // 1_000_000


def test_what_died_is_not_signed_and_not_kept(stand: Stand) -> None:
    stand.dead.add(2)
    stand.prepared(2, "v2")
    assert stand.codec.signed == 0
    stand.prepared(1, "v1")
    stand.dead.add(1)
    stand.pass_time(VALID_NS)
    stand.pass_time(VALID_NS)
    assert stand.codec.signed == 1
    assert stand.cancels.take(1, "v1") is None
