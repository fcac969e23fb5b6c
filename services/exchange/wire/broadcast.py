"""Frames on their way to the subscribers, and what the fault menu does to them there.

Every frame is rendered once by its front and written here to all sockets of its stream.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from services.exchange.control.faults import NS_PER_S, Fault, FaultMenu
from services.exchange.control.trace import Trace
from services.exchange.wire.sockets import ClientSocket, Stream

_SILENCERS = ("silent_public", "ping_only", "market_closed")
_PRIVATE_FAULTS = ("duplicate_private", "reorder_private")
_PUBLIC_FAULTS = ("duplicate_frame", "reorder_frames")

Pending = tuple[Stream, bytes, int]


class Broadcaster:
    """Writes public frames with `publish` and private ones with `deliver`."""

    def __init__(self, faults: FaultMenu, trace: Trace | None) -> None:
        self._faults = faults
        self._trace = trace
        self._late: dict[str | None, deque[tuple[int, Pending]]] = {}
        self._overtaken: dict[Stream, Pending] = {}
        self._held: dict[str, list[Pending]] = {}
        faults.watch(on_clear=self._on_clear)

    def publish(self, stream: Stream, frame: bytes, event_us: int) -> None:
        """Send a public frame to the stream's sockets. `event_us`: its own stamp, for the trace."""
        if self._faults.is_empty:
            self._write(stream, frame, event_us)
        elif not self._is_silenced(stream):
            for pending in self._disturbed((stream, frame, event_us), *_PUBLIC_FAULTS):
                self._write_or_delay(pending)

    def deliver(self, stream: Stream, frame: bytes) -> None:
        """Send a private frame to the account's sockets."""
        account = stream.account
        assert account is not None
        if self._faults.is_empty and account not in self._held:
            self._write(stream, frame, 0)
        elif not self._faults.bite("silent_private", symbol=stream.symbol, account=account):
            for pending in self._disturbed((stream, frame, 0), *_PRIVATE_FAULTS):
                self._write_or_hold(pending)

    def hold(self, account: str) -> None:
        """Keep the account's private frames back until `release`."""
        self._held.setdefault(account, [])

    def release(self, account: str) -> None:
        for pending in self._held.pop(account, []):
            self._write(*pending)

    def _write(self, stream: Stream, frame: bytes, event_us: int) -> None:
        if self._trace is not None and stream.account is None and stream.sockets:
            self._trace.frames.add((stream.name, stream.symbol, event_us, time.monotonic_ns()))
        for socket in tuple(stream.sockets):
            socket.send(frame)

    def _is_silenced(self, stream: Stream) -> bool:
        return any(self._faults.bite(kind, symbol=stream.symbol) for kind in _SILENCERS)

    def _disturbed(self, pending: Pending, duplicate: str, reorder: str) -> list[Pending]:
        """Return what is to be written in place of one frame: nothing, it, or it and another."""
        stream = pending[0]
        if (overtaken := self._overtaken.pop(stream, None)) is not None:
            return [pending, overtaken]
        if stream.account is None and stream.kind != "depth":
            return [pending]
        scope = {"symbol": stream.symbol, "account": stream.account}
        if stream.account is None and self._faults.bite("gap", **scope):
            return []
        if self._faults.bite(duplicate, **scope):
            return [pending, pending]
        if self._faults.bite(reorder, **scope):
            self._overtaken[stream] = pending
            return []
        return [pending]

    def _write_or_hold(self, pending: Pending) -> None:
        held = self._held.get(pending[0].account or "")
        if held is None:
            self._write(*pending)
        else:
            held.append(pending)

    def _write_or_delay(self, pending: Pending) -> None:
        symbol = pending[0].symbol
        lag = self._faults.bite("lagging_public", symbol=symbol)
        if lag is None:
            self._catch_up(symbol)
            self._write(*pending)
            return
        delay_s = float(lag.params["delay_s"])
        due_ns = time.monotonic_ns() + round(delay_s * NS_PER_S)
        self._late.setdefault(symbol, deque()).append((due_ns, pending))
        asyncio.get_running_loop().call_later(delay_s, self._write_due, symbol)

    def _write_due(self, symbol: str | None) -> None:
        line = self._late.get(symbol)
        now_ns = time.monotonic_ns() + 1_000_000  # timers are exact to a millisecond
        while line and line[0][0] <= now_ns:
            self._write(*line.popleft()[1])

    def _catch_up(self, symbol: str | None) -> None:
        for _, pending in self._late.pop(symbol, ()):
            self._write(*pending)

    def _on_clear(self) -> None:
        for symbol in tuple(self._late):
            self._catch_up(symbol)
        for pending in self._overtaken.values():
            self._write(*pending)
        self._overtaken.clear()


class SocketPark:
    """All open websockets: pings, and the faults that hit the sockets themselves."""

    def __init__(self, faults: FaultMenu) -> None:
        self._faults = faults
        self.sockets: list[ClientSocket] = []
        faults.watch(on_add=self._on_fault)

    def refuses(self) -> bool:
        """Return whether a new websocket is refused just now."""
        return not self._faults.is_empty and self._faults.bite("close_sockets") is not None

    def close_all(self, code: int = 1001) -> int:
        closing = tuple(self.sockets)
        for socket in closing:
            socket.close(code)
        return len(closing)

    def _on_fault(self, fault: Fault) -> None:
        if fault.kind == "close_sockets":
            fault.hits += self.close_all()
            if fault.until_ns is None:
                fault.times_left = 0
