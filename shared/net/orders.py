"""Orders over HTTP: complete requests out, replies in; nothing is ever sent twice.

A pool of open keep-alive connections, connected and handshaken by worker threads before
they are needed. One request is in flight per connection, and its file descriptor is in
the loop only for that time.

What became of a request: see `order_transport.py`. After a timeout the connection is read
for another minute, and a late reply goes to `on_late`.
"""

from __future__ import annotations

import socket
from concurrent.futures import Future

import zmq

from shared.clock import NS_PER_MS, NS_PER_S, Clock
from shared.loop import Loop
from shared.net.backoff import Backoff
from shared.net.connection import HttpConnection
from shared.net.dial import dial
from shared.net.http import BadResponse, Response
from shared.net.order_transport import Failure, OnLate, OnReply, Reply

CHECK_NS = 20 * NS_PER_MS
LATE_NS = 60 * NS_PER_S
#: an idle connection older than this is replaced, before the venue closes it under a request
MAX_IDLE_NS = 45 * NS_PER_S
#: workers that may dial at once: a venue that does not answer must not take them all
MAX_DIALLING = 2


class _Exchange:
    """A request that is waiting for its reply."""

    __slots__ = ("connection", "deadline_ns", "is_late", "on_late", "on_reply", "sent_ns")

    def __init__(
        self,
        connection: HttpConnection,
        sent_ns: int,
        deadline_ns: int,
        on_reply: OnReply,
        on_late: OnLate | None,
    ) -> None:
        self.connection = connection
        self.sent_ns = sent_ns
        self.deadline_ns = deadline_ns
        self.on_reply = on_reply
        self.on_late = on_late
        self.is_late = False


class OrderConnections:
    """The pool of one process to one venue."""

    def __init__(
        self, loop: Loop, base_url: str, size: int, clock: Clock, timeout_ns: int = 2 * NS_PER_S
    ) -> None:
        """Begin to open `size` connections to `base_url` (http or https)."""
        self._loop = loop
        self._url = base_url
        self._size = size
        self._clock = clock
        self._timeout_ns = timeout_ns
        self._idle: list[tuple[HttpConnection, int]] = []  # with the time of last use
        self._exchanges: dict[int, _Exchange] = {}  # by file descriptor, oldest first
        self._late: dict[int, _Exchange] = {}
        self._dialling = 0
        self._dial_after_ns = self._retire_ns = 0
        self._backoff = Backoff(NS_PER_S // 4, 8 * NS_PER_S)
        self._is_closed = False
        self.last_error = ""  # why the latest attempt to connect failed; "" = it did not
        self._timer = loop.every(CHECK_NS, self._check)
        self._top_up(clock.monotonic_ns())

    @property
    def idle_count(self) -> int:
        """How many connections are ready to be used."""
        return len(self._idle)

    @property
    def in_flight(self) -> int:
        """How many requests are waiting for their reply."""
        return len(self._exchanges)

    def send(self, request: bytes, on_reply: OnReply, on_late: OnLate | None = None) -> int | None:
        """Send a complete request; return when its first byte had left, None = nothing was sent.

        `on_reply` is called exactly once, later, from the loop.
        """
        while self._idle:
            connection, _ = self._idle.pop()  # the latest used: the warmest
            if connection.is_open() and connection.begin(request):
                break
            connection.close()
        else:
            return None
        sent_ns = self._clock.monotonic_ns()
        exchange = _Exchange(connection, sent_ns, sent_ns + self._timeout_ns, on_reply, on_late)
        self._exchanges[connection.fileno] = exchange
        events = zmq.POLLIN | zmq.POLLOUT if connection.wants_to_write else zmq.POLLIN
        self._loop.watch(connection.fileno, lambda: self._on_ready(exchange), events)
        return sent_ns

    def close(self) -> None:
        """Close every connection; replies that are outstanding are not reported any more."""
        self._is_closed = True
        self._timer.cancel()
        for exchange in (*self._exchanges.values(), *self._late.values()):
            self._drop(exchange)
        while self._idle:
            self._idle.pop()[0].close()

    # --- replies ---

    def _on_ready(self, exchange: _Exchange) -> None:
        connection = exchange.connection
        try:
            if connection.wants_to_write and connection.write_rest():
                self._loop.watch(connection.fileno, lambda: self._on_ready(exchange))
            response = connection.read()
        except (OSError, BadResponse) as error:
            self._fail(exchange, str(error) or type(error).__name__)
            return
        if response is not None:
            self._finish(exchange, response)

    def _finish(self, exchange: _Exchange, response: Response) -> None:
        now_ns = self._clock.monotonic_ns()
        connection = exchange.connection
        if connection.is_reusable(response) and not exchange.is_late:
            self._forget(exchange)
            self._idle.append((connection, now_ns))
        else:
            self._drop(exchange)
        reply = Reply(response.status, response.headers, response.body, exchange.sent_ns, now_ns)
        if not exchange.is_late:
            exchange.on_reply(reply)
        elif exchange.on_late is not None:
            exchange.on_late(reply)

    def _fail(self, exchange: _Exchange, text: str) -> None:
        self._drop(exchange)
        if not exchange.is_late:  # otherwise it has been reported already
            exchange.on_reply(Failure(text, exchange.sent_ns, self._clock.monotonic_ns()))

    def _forget(self, exchange: _Exchange) -> None:
        fileno = exchange.connection.fileno
        self._loop.unwatch(fileno)
        (self._late if exchange.is_late else self._exchanges).pop(fileno, None)

    def _drop(self, exchange: _Exchange) -> None:
        self._forget(exchange)
        exchange.connection.close()

    # --- upkeep ---

    def _check(self) -> None:
        now_ns = self._clock.monotonic_ns()
        self._time_out(now_ns)
        if now_ns >= self._retire_ns:
            self._retire_ns = now_ns + NS_PER_S
            self._retire(now_ns)
        self._top_up(now_ns)

    def _time_out(self, now_ns: int) -> None:
        # all timeouts are equal, so the dicts are in order of their deadlines
        while self._late and (first := next(iter(self._late.values()))).deadline_ns <= now_ns:
            self._drop(first)
        while self._exchanges and (first := next(iter(self._exchanges.values()))).deadline_ns <= now_ns:
            del self._exchanges[first.connection.fileno]
            first.is_late = True
            first.deadline_ns = now_ns + LATE_NS
            self._late[first.connection.fileno] = first
            if len(self._late) > 4 * self._size:
                self._drop(next(iter(self._late.values())))
            text = f"no reply within {self._timeout_ns / NS_PER_S:g} s"
            first.on_reply(Failure(text, first.sent_ns, now_ns))

    def _retire(self, now_ns: int) -> None:
        """Close what has been idle for too long, or was closed by the peer."""
        usable = []
        for connection, used_ns in self._idle:
            if now_ns - used_ns < MAX_IDLE_NS and connection.is_open():
                usable.append((connection, used_ns))
            else:
                connection.close()
        self._idle = usable

    def _top_up(self, now_ns: int) -> None:
        missing = self._size - len(self._idle) - len(self._exchanges) - self._dialling
        if now_ns < self._dial_after_ns:
            return
        for _ in range(min(missing, MAX_DIALLING - self._dialling)):
            self._dialling += 1
            self._loop.in_worker(lambda: dial(self._url), self._on_dialled, socket.socket.close)

    def _on_dialled(self, dialled: Future[socket.socket]) -> None:
        self._dialling -= 1
        now_ns = self._clock.monotonic_ns()
        error = dialled.exception()
        if isinstance(error, OSError):
            self.last_error = f"cannot connect to {self._url}: {error}"
            self._dial_after_ns = now_ns + self._backoff.take_ns()
            return
        connection = HttpConnection(dialled.result())
        if self._is_closed:
            connection.close()
            return
        self.last_error = ""
        self._backoff.reset()
        self._idle.insert(0, (connection, now_ns))
        self._top_up(now_ns)
