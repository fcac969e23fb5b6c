"""Orders over one websocket: every request has a number, by which its reply is known.

The contract is that of `order_transport.py`. A number is used once in the life of the
process, so that no reply can be taken for another's. When the socket closes, everything in
flight fails at once: each request may have been executed. Nothing is sent while bytes wait
for room, because an order that leaves late is not the order that was wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.clock import NS_PER_MS, NS_PER_S, Clock
from shared.loop import Loop
from shared.net.order_transport import Failure, OnLate, OnReply, Reply
from shared.net.stream import StreamListener, WebSocketStream

CHECK_NS = 20 * NS_PER_MS
#: how long a reply may still come after its timeout, and how many such requests are remembered
LATE_NS = 60 * NS_PER_S
MAX_LATE = 256


@dataclass(frozen=True, slots=True)
class Numbered:
    """A reply as a frame brings it: to which request, and what `Reply` calls status and body."""

    number: int
    status: int
    body: bytes


class Framing(Protocol):
    """How one venue numbers requests and replies. Pure.

    The signed part of a request is built by the order codec and knows of no number: it can be
    signed ahead, and a venue that takes orders by HTTP too is given the same bytes there.
    """

    @property
    def ping(self) -> bytes | None:
        """The message that keeps the connection open; None = websocket pings do."""
        ...

    def wrap(self, number: int, request: bytes) -> bytes:
        """Return the frame of a request."""
        ...

    def read(self, frame: bytes) -> Numbered | None:
        """Return the reply in a frame, None = it is none, or none that can be read. Never raises."""
        ...

    def answer(self, frame: bytes) -> bytes | None:
        """Return what a frame that is no reply wants to be answered with (the venue's own ping)."""
        ...


@dataclass(slots=True)
class _Waiting:
    """A request that is waiting for its reply."""

    sent_ns: int
    deadline_ns: int
    on_reply: OnReply
    on_late: OnLate | None


class SocketOrders(StreamListener):
    """One websocket of one account."""

    def __init__(
        self, loop: Loop, clock: Clock, url: Callable[[], str], framing: Framing, *,
        timeout_ns: int = 2 * NS_PER_S, max_in_flight: int = 50,
    ) -> None:  # fmt: skip
        """Begin to connect. max_in_flight: more requests than this the venue does not hold at once."""
        self._loop, self._clock, self._framing = loop, clock, framing
        self._timeout_ns, self._max_in_flight = timeout_ns, max_in_flight
        self._number = 0
        self._waiting: dict[int, _Waiting] = {}  # by number, oldest first
        self._late: dict[int, _Waiting] = {}
        self._is_closed = False
        self.last_error = ""
        self._timer = loop.every(CHECK_NS, self._time_out)
        self._stream = WebSocketStream(loop, clock, url, self, text_ping=framing.ping)
        self._stream.start()

    @property
    def is_ready(self) -> bool:
        """True when a request would leave at once."""
        return self._stream.has_room and len(self._waiting) < self._max_in_flight

    def send(self, request: bytes, on_reply: OnReply, on_late: OnLate | None = None) -> int | None:
        """Send a request; return when it left, None = nothing was sent."""
        if not self.is_ready:
            return None
        self._number += 1
        sent_ns = self._clock.monotonic_ns()
        # known before the first byte leaves: should the socket break now, it fails with the others
        self._waiting[self._number] = _Waiting(sent_ns, sent_ns + self._timeout_ns, on_reply, on_late)
        self._stream.send_text(self._framing.wrap(self._number, request))
        return sent_ns

    def close(self) -> None:
        """Close; replies that are outstanding are not reported any more."""
        self._is_closed = True
        self._timer.cancel()
        self._stream.close()
        self._waiting.clear()
        self._late.clear()

    # --- the stream's events ---

    def on_open(self) -> None:
        self.last_error = ""

    def on_pong(self) -> None:
        """A pong proves a link; only replies prove that orders are taken."""

    def on_frames(self, frames: list[bytes], recv_ns: int) -> None:
        for frame in frames:
            reply = self._framing.read(frame)
            if reply is not None:
                self._on_reply(reply, recv_ns)
            elif (answer := self._framing.answer(frame)) is not None:
                self._stream.send_text(answer)

    def on_closed(self, reason: str) -> None:
        """Everything in flight has an unknown outcome."""
        self.last_error = reason
        failed, self._waiting = list(self._waiting.values()), {}
        self._late.clear()  # a new connection brings no replies of the old one
        if failed:
            # not at once: `send` itself may have broken the socket
            self._loop.call_soon(lambda: self._fail(failed, reason))

    # --- outcomes ---

    def _on_reply(self, numbered: Numbered, recv_ns: int) -> None:
        waiting = self._waiting.pop(numbered.number, None)
        if waiting is not None:
            waiting.on_reply(Reply(numbered.status, {}, numbered.body, waiting.sent_ns, recv_ns))
            return
        late = self._late.pop(numbered.number, None)
        if late is not None and late.on_late is not None:
            late.on_late(Reply(numbered.status, {}, numbered.body, late.sent_ns, recv_ns))

    def _fail(self, failed: Sequence[_Waiting], text: str) -> None:
        now_ns = self._clock.monotonic_ns()
        for waiting in failed:
            if not self._is_closed:
                waiting.on_reply(Failure(text, waiting.sent_ns, now_ns))

    def _time_out(self) -> None:
        # all timeouts are equal, so the dicts are in order of their deadlines
        now_ns = self._clock.monotonic_ns()
        while self._late and now_ns - next(iter(self._late.values())).deadline_ns >= LATE_NS:
            del self._late[next(iter(self._late))]
        overdue = []
        while self._waiting and next(iter(self._waiting.values())).deadline_ns <= now_ns:
            number, waiting = next(iter(self._waiting.items()))
            del self._waiting[number]
            self._late[number] = waiting
            overdue.append(waiting)
            if len(self._late) > MAX_LATE:
                del self._late[next(iter(self._late))]
        self._fail(overdue, f"no reply within {self._timeout_ns / NS_PER_S:g} s")
