"""Execution's side of the venue: orders over open connections, reads in workers, the private stream."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from services.execution.account.statements import Statement
from services.execution.account.tieout import is_one_moment
from services.execution.config import ExecutionConfig
from services.execution.core import Execution
from services.execution.live.signed_cancels import SignedCancels
from services.execution.requests import NO_CONNECTION, Output, ReadKind, SendCancel, SendPlace, StartRead
from shared.clock import NS_PER_S, Clock, seconds_to_ns
from shared.errors import RateLimited, Unknown, Withheld
from shared.loop import Loop
from shared.net.orders import Failure, OrderConnections, Reply
from shared.venues.access import Endpoints, Keys
from shared.venues.base import Accepted, Outcome, PrivateEvent, VenueOrder
from shared.venues.base import Unknown as UnknownOutcome
from shared.venues.clock_offset import ClockOffset
from shared.venues.private_stream import PrivateFeed
from shared.venues.registry import Adapter

CLOCK_NS = 60 * NS_PER_S
#: while the venue's clock has never been read
FIRST_CLOCK_NS = NS_PER_S
#: a read that found no free worker for so long is not begun
MAX_WAIT_NS = NS_PER_S
#: the venue may date an order earlier than we signed it, by this
SKEW_MS = 5_000
log = logging.getLogger("execution")

Do = Callable[[Iterable[Output]], None]


class VenueLink:
    """Carries out what the core asks of the venue, and tells it what came of it."""

    def __init__(
        self, loop: Loop, clock: Clock, adapter: Adapter, endpoints: Endpoints, keys: Keys,
        offset: ClockOffset, config: ExecutionConfig, venue: str, core: Execution, do: Do,
    ) -> None:  # fmt: skip
        self._loop, self._clock, self._offset = loop, clock, offset
        self._core, self._do = core, do
        self._codec = adapter.order_codec(endpoints, keys)
        self._signed = SignedCancels(self._codec, loop, clock, offset, lambda number: _is_live(core, number))
        self._connections = OrderConnections(
            loop, endpoints.rest_url, config.connections, clock, seconds_to_ns(config.order_timeout_s)
        )
        self._public = adapter.public_client(venue, endpoints, self._on_request)
        self._account = adapter.account_client(endpoints, keys, offset, self._on_request)
        self._new_feed: Callable[[], PrivateFeed] = partial(
            adapter.private_feed, loop, clock, endpoints, keys, offset, self
        )
        self._feed: PrivateFeed = self._new_feed()
        self._is_measuring = False
        self._reads: dict[ReadKind, Callable[[StartRead], Any]] = {
            ReadKind.INSTRUMENTS: lambda _read: self._public.instruments(),
            ReadKind.OPEN_ORDERS: lambda _read: self._account.open_orders(),
            ReadKind.POSITIONS: lambda _read: self._account.positions(),
            ReadKind.BALANCES: lambda _read: self._account.balances(),
            ReadKind.EQUITY: lambda _read: self._account.equity(),
            ReadKind.FILLS: lambda read: self._account.fills(read.since_ms),
            ReadKind.FUNDING: lambda read: self._account.funding(read.since_ms),
            ReadKind.STATEMENT: lambda _read: self._statement(),
            ReadKind.ORDER_HISTORY: lambda _read: self._account.recent_orders(),
            ReadKind.FIND_ORDER: self._find_order,
        }

    def start(self) -> None:
        self._feed.start()
        self._loop.every(CLOCK_NS, self.measure_clock)
        if self._offset.ahead_ms() is None:
            self._loop.after(FIRST_CLOCK_NS, self.measure_clock)

    def close(self) -> None:
        self._feed.close()
        self._connections.close()

    # --- orders ----------------------------------------------------------------------------------

    def place(self, send: SendPlace) -> None:
        """Sign and send, unless the approval has run out meanwhile."""
        approved, order = send.approved, send.approved.order
        identity, instrument = order.client_order_id, order.instrument
        now_ns = self._clock.monotonic_ns()
        if now_ns >= approved.expires_ns:
            self._do(self._core.on_place_not_sent(identity, "expired", now_ns))
            return
        stamp_ms = self._offset.timestamp_ms()
        request = self._codec.place(order, stamp_ms)

        def on_reply(reply: Reply | Failure) -> None:
            if isinstance(reply, Failure):
                outcome: Outcome = UnknownOutcome(reply.text)
            else:
                outcome = self._codec.read_place(instrument, reply.status, reply.headers, reply.body)
            now_ns = self._clock.monotonic_ns()
            self._do(self._core.on_place_reply(identity, outcome, reply.sent_ns, now_ns))
            if isinstance(outcome, Accepted) and not outcome.is_done:
                self._signed.prepare(instrument, identity, outcome.venue_order_id)

        sent_ns = self._connections.send(request, on_reply, on_reply)
        if sent_ns is None:
            self._do(self._core.on_place_not_sent(identity, NO_CONNECTION, self._clock.monotonic_ns()))
        else:
            self._do(self._core.on_place_sent(identity, sent_ns, stamp_ms))

    def cancel(self, send: SendCancel) -> None:
        identity = send.client_order_id
        request = self._signed.take(identity, send.venue_order_id) or self._codec.cancel(
            send.instrument, identity, send.venue_order_id, self._offset.timestamp_ms()
        )

        def on_reply(reply: Reply | Failure, is_late: bool = False) -> None:
            if isinstance(reply, Failure):
                outcome: Outcome = UnknownOutcome(reply.text)
            else:
                outcome = self._codec.read_cancel(reply.status, reply.headers, reply.body)
            now_ns = self._clock.monotonic_ns()
            self._do(self._core.on_cancel_reply(identity, outcome, reply.sent_ns, now_ns, is_late))

        sent_ns = self._connections.send(request, on_reply, lambda reply: on_reply(reply, True))
        if sent_ns is None:
            self._do(self._core.on_cancel_not_sent(identity, self._clock.monotonic_ns()))
        else:
            self._do(self._core.on_cancel_sent(send, sent_ns))

    # --- reads -----------------------------------------------------------------------------------

    def read(self, read: StartRead) -> None:
        """Ask in a worker; the answer counts from when the asking begins there."""
        begun_ns = asked_ns = self._clock.monotonic_ns()
        if read.kind is ReadKind.FIND_ORDER:
            read = replace(read, since_ms=self._placed_ms(read.client_order_id))

        def ask() -> Any:
            nonlocal begun_ns
            begun_ns = self._clock.monotonic_ns()
            if begun_ns - asked_ns > MAX_WAIT_NS:  # nobody waits for it any more
                raise Withheld("no worker was free in time")
            return self._reads[read.kind](read)

        def answered(future: Future[Any]) -> None:
            now_ns = self._clock.monotonic_ns()
            error = future.exception()
            if isinstance(error, Withheld):
                self._do(self._core.on_read_withheld(read, now_ns))
            elif isinstance(error, Unknown):
                wait_s = error.retry_after_s if isinstance(error, RateLimited) else None
                self._do(self._core.on_read_failed(read, str(error), wait_s, begun_ns, now_ns))
            else:
                self._do(self._core.on_read(read, future.result(), begun_ns, now_ns))

        self._loop.in_worker(ask, answered)

    def _statement(self) -> Statement | None:
        """Read balances between two reads of positions; None = those are not of one moment."""
        before, balances = self._account.positions(), self._account.balances()
        after = self._account.positions()
        if not is_one_moment(before, after, self._core.desk.instruments):
            return None
        return Statement(balances, after)

    def _find_order(self, read: StartRead) -> VenueOrder | None:
        return self._account.find_order(read.symbol, read.client_order_id, read.since_ms)

    def _placed_ms(self, client_order_id: int) -> int:
        """Return the venue time before which an order cannot have been placed; 0 = that is not known."""
        order = self._core.desk.orders.find(client_order_id)
        return 0 if order is None or not order.stamp_ms else order.stamp_ms - SKEW_MS

    def ask_now(self, kind: ReadKind) -> Any:
        """Read and wait: for workers that need several answers in a row. Raises: Unknown."""
        return self._reads[kind](StartRead(kind))

    def _on_request(self, weight: int) -> None:
        """Count a request that a worker is about to send. Raises: Withheld while nothing may be sent."""
        if not self._core.desk.budget.may_request(self._clock.monotonic_ns()):
            raise Withheld("the venue has asked for silence, or the budget is used up")
        self._loop.call_soon(lambda: self._core.on_requests(weight))

    # --- the private stream ------------------------------------------------------------------------

    def reconnect(self, reason: str) -> None:
        log.warning("private stream is replaced", extra={"reason": reason})
        self._feed.close()
        self._do(self._core.on_stream(False, self._clock.monotonic_ns()))
        self._feed = self._new_feed()
        self._feed.start()

    def on_private_events(self, events: Sequence[PrivateEvent], recv_ns: int) -> None:
        for event in events:
            self._do(self._core.on_venue_event(event, recv_ns))

    def on_private_connected(self) -> None:
        self._do(self._core.on_stream(True, self._clock.monotonic_ns()))

    def on_private_disconnected(self, reason: str) -> None:
        log.warning("private stream lost", extra={"reason": reason})
        self._do(self._core.on_stream(False, self._clock.monotonic_ns()))

    # --- the clock -----------------------------------------------------------------------------------

    def measure_clock(self) -> None:
        """Measure the venue's clock in a worker; again soon while that has never worked."""
        if self._is_measuring:
            return
        self._is_measuring = True
        begun_ns = self._clock.monotonic_ns()

        def measured(future: Future[None]) -> None:
            self._is_measuring = False
            error = future.exception()
            if isinstance(error, Unknown):
                if isinstance(error, RateLimited):
                    now_ns = self._clock.monotonic_ns()
                    self._do(self._core.on_rate_limited(error.retry_after_s, begun_ns, now_ns))
                if not isinstance(error, Withheld):
                    log.warning("the venue's clock cannot be read", extra={"error": str(error)})
                if self._offset.ahead_ms() is None:
                    self._loop.after(FIRST_CLOCK_NS, self.measure_clock)
            else:
                future.result()

        self._loop.in_worker(lambda: self._offset.measure(self._public.server_time_ms), measured)


def _is_live(core: Execution, client_order_id: int) -> bool:
    order = core.desk.orders.find(client_order_id)
    return order is not None and order.is_live
