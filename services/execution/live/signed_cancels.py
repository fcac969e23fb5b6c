"""Cancels signed ahead: what a resting order's cancel needs is done while nothing hurries.

A signature is the dearest part of a cancel, and the cancel is the first thing that a market
event causes. A request is kept by client order id and serves once, only for the venue's id
that it names and only while its window is long enough open; whatever is missing is signed
on the spot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import NS_PER_MS, Clock
from shared.instrument import Instrument
from shared.loop import Loop
from shared.venues.base import OrderCodec
from shared.venues.clock_offset import ClockOffset

#: an acceptance is followed by other work of the same turn; sign after it
PREPARE_NS = 5 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class _Signed:
    instrument: Instrument
    venue_order_id: str
    request: bytes
    stamp_ms: int
    until_ns: int


class SignedCancels:
    """The signed cancels of one account.

    is_live  tells whether the order of a client id may still have to be cancelled
    """

    def __init__(
        self, codec: OrderCodec, loop: Loop, clock: Clock, offset: ClockOffset,
        is_live: Callable[[int], bool],
    ) -> None:  # fmt: skip
        self._codec, self._loop, self._clock, self._offset = codec, loop, clock, offset
        self._is_live = is_live
        #: half the window: the rest is for the way to the venue and for clocks that differ
        self._valid_ns = codec.capabilities.cancel_window_ms * NS_PER_MS // 2
        self._signed: dict[int, _Signed] = {}
        if self._valid_ns:
            loop.every(self._valid_ns // 4, self._renew)

    def prepare(self, instrument: Instrument, client_order_id: int, venue_order_id: str) -> None:
        """Sign the cancel of an order that was accepted, soon."""
        if self._valid_ns and venue_order_id:
            self._loop.after(PREPARE_NS, lambda: self._sign(instrument, client_order_id, venue_order_id))

    def take(self, client_order_id: int, venue_order_id: str | None) -> bytes | None:
        """Return the signed request of exactly this order, once; None = it must be signed now."""
        signed = self._signed.pop(client_order_id, None)
        if signed is None or signed.venue_order_id != venue_order_id:
            return None
        age_ms = self._offset.timestamp_ms() - signed.stamp_ms  # by the venue's clock, which may have stepped
        is_valid = 0 <= age_ms < self._valid_ns // NS_PER_MS and self._clock.monotonic_ns() < signed.until_ns
        return signed.request if is_valid else None

    def _sign(self, instrument: Instrument, client_order_id: int, venue_order_id: str) -> None:
        if not self._is_live(client_order_id):
            return
        until_ns = self._clock.monotonic_ns() + self._valid_ns
        stamp_ms = self._offset.timestamp_ms()
        request = self._codec.cancel(instrument, client_order_id, venue_order_id, stamp_ms)
        self._signed[client_order_id] = _Signed(instrument, venue_order_id, request, stamp_ms, until_ns)

    def _renew(self) -> None:
        """Forget the dead; sign again what will not be valid until the next look."""
        soon_ns = self._clock.monotonic_ns() + self._valid_ns // 2
        for client_order_id, signed in list(self._signed.items()):
            if not self._is_live(client_order_id):
                del self._signed[client_order_id]
            elif signed.until_ns < soon_ns:
                self._sign(signed.instrument, client_order_id, signed.venue_order_id)
