"""HTTP and websocket listening, the same for every venue protocol.

A request is stamped with CLOCK_MONOTONIC when its last bytes arrive, before anything
is parsed, because the stamp is the end of every tick-to-order measurement.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from shared.errors import BadInput

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
_SHUTDOWN_TIMEOUT_S = 0.5


@dataclass(slots=True)
class HttpRequest:
    """One request as it came in. `query` is raw; `headers` ignore case; `recv_ns` is monotonic.

    `note` is filled by the protocol front while tracing is on.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    recv_ns: int
    note: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. `headers` beyond the content type."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_response(self) -> web.Response:
        return web.Response(
            status=self.status, body=self.body, headers={"Content-Type": self.content_type, **self.headers}
        )


class _StampingHandler(RequestHandler):
    """aiohttp's connection, which also remembers when bytes last came in."""

    __slots__ = ("monotonic_ns", "recv_ns")

    monotonic_ns: Callable[[], int]
    recv_ns: int

    def data_received(self, data: bytes) -> None:
        self.recv_ns = self.monotonic_ns()
        super().data_received(data)


class _StampingServer(web.Server):
    monotonic_ns: Callable[[], int]

    def __call__(self) -> RequestHandler:
        handler = _StampingHandler(self, loop=self._loop, **self._kwargs)
        handler.monotonic_ns = self.monotonic_ns
        return handler


class Listener:
    """One listening TCP port on a loopback address."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._handler = handler
        self._monotonic_ns = monotonic_ns
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def open(self, host: str, port: int) -> None:
        """Listen; `port` 0 takes a free one, told in `self.port`.

        Raises: BadInput if the address cannot be bound.
        """
        server = _StampingServer(self._handler, access_log=None)
        server.monotonic_ns = self._monotonic_ns
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_TIMEOUT_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise BadInput(f"port {port}: cannot listen on {host}: {error.strerror or error}") from error
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


async def read_request(request: web.BaseRequest) -> HttpRequest:
    """Return the whole request, its body included."""
    body = await request.read() if request.body_exists else b""
    protocol = request.protocol
    assert isinstance(protocol, _StampingHandler)
    url = request.rel_url
    return HttpRequest(
        request.method, url.path, url.raw_query_string, request.headers, body, protocol.recv_ns
    )
