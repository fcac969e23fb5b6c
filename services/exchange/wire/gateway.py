"""The door of the venue: every request and websocket comes through here, and so do their faults.

A fault of the connection bites here, whatever the protocol; a fault in what a venue
says bites in the protocol front.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from services.exchange.control.faults import NS_PER_S, FaultMenu, Where
from services.exchange.control.trace import Trace
from services.exchange.protocols import Front
from services.exchange.wire.broadcast import SocketPark
from services.exchange.wire.http_listener import HttpRequest, Reply, read_request
from services.exchange.wire.periodic import Periodic
from services.exchange.wire.sockets import PING_FRAME, ClientSocket

MAX_CLIENT_FRAME = 1024 * 1024
_REFUSED = Reply(503, b"", "text/plain")


class Gateway:
    """Serves one front; `latency_s` is added to every reply."""

    def __init__(
        self,
        front: Front,
        faults: FaultMenu,
        trace: Trace | None,
        latency_s: float,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._front = front
        self._monotonic_ns = monotonic_ns
        self._faults = faults
        self._trace = trace
        self._latency_s = latency_s
        self._park = SocketPark(faults)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request)
        read = await read_request(request)
        if self._trace is not None and self._front.is_order_entry(read.method, read.path):
            read.note = self._noted(read)
        reply = await (self._front.respond(read) if self._faults.is_empty else self._faulty(request, read))
        if read.note is not None:
            read.note["status"] = reply.status
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        return reply.to_response()

    def timers(self) -> list[Periodic]:
        """Return the regular pings, and the incessant ones of the fault `ping_only`."""
        return [Periodic(self._front.ping_interval_s, self._ping), Periodic(1.0, self._ping_if_only)]

    def close_sockets(self) -> None:
        self._park.close_all()

    def _noted(self, read: HttpRequest) -> dict[str, Any]:
        note: dict[str, Any] = {
            "recv_ns": read.recv_ns,
            "method": read.method,
            "path": read.path,
            "account": None,
            "symbol": None,
            "client_id": None,
            "order_id": None,
            "outcome": None,
            "status": None,
        }
        assert self._trace is not None
        self._trace.requests.add(note)
        return note

    async def _faulty(self, request: web.BaseRequest, read: HttpRequest) -> Reply:
        """Answer while faults are in force: before, instead of or after the front."""
        scope: dict[str, Where] = {
            "method": read.method,
            "path": read.path,
            "symbol": self._front.symbols_of(read),
            "account": self._front.account_of(read),
        }
        if self._faults.bite("no_answer", **scope):
            await _until_client_leaves(request)
            return _REFUSED
        if fault := self._faults.bite("reject_429", **scope):
            return _fault_note(read, self._front.rate_refusal(int(fault.params["retry_after"])))
        if fault := self._faults.bite("error_5xx", **scope):
            if fault.params["processed"]:
                await self._front.respond(read)
            return _fault_note(read, self._front.outage(int(fault.params["status"])))
        reply = await self._front.respond(read)
        if self._faults.bite("drop_reply", **scope):
            _abort(request)
        if fault := self._faults.bite("delay_reply", **scope):
            await asyncio.sleep(float(fault.params["delay_s"]))
        return reply

    async def _serve_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._park.refuses():
            return _REFUSED.to_response()
        upgraded = web.WebSocketResponse(autoping=False, max_msg_size=MAX_CLIENT_FRAME)
        await upgraded.prepare(request)
        transport = request.transport
        if transport is None:
            return upgraded
        socket = ClientSocket(transport, self._monotonic_ns())
        self._park.sockets.append(socket)
        try:
            await self._listen_to(upgraded, socket)
        finally:
            self._park.sockets.remove(socket)
            self._front.on_closed(socket)
        return upgraded

    async def _listen_to(self, upgraded: web.WebSocketResponse, socket: ClientSocket) -> None:
        async for message in upgraded:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._front.on_text(socket, message.data)
            elif message.type is WSMsgType.PONG:
                socket.pong_ns = self._monotonic_ns()
            elif message.type is WSMsgType.PING:
                try:
                    await upgraded.pong(message.data)
                except ConnectionError:
                    return

    def _ping(self) -> None:
        """Ping everybody; hang up on those who have not answered for too long."""
        too_old_ns = self._monotonic_ns() - round(self._front.pong_timeout_s * NS_PER_S)
        for socket in tuple(self._park.sockets):
            if socket.pong_ns < too_old_ns:
                socket.close()
            else:
                socket.send(PING_FRAME)

    def _ping_if_only(self) -> None:
        if not self._faults.is_empty and self._faults.is_on("ping_only"):
            for socket in tuple(self._park.sockets):
                socket.send(PING_FRAME)


def _fault_note(read: HttpRequest, reply: Reply) -> Reply:
    if read.note is not None and read.note["outcome"] is None:
        read.note["outcome"] = "Fault"
    return reply


def _abort(request: web.BaseRequest) -> None:
    """Cut the connection: the client sees it end without a reply."""
    if request.transport is not None:
        request.transport.abort()


async def _until_client_leaves(request: web.BaseRequest) -> None:
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.05)
