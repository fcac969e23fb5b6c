"""Frames on their way to the subscribers, and what the fault menu does to them there.

Every frame is rendered once by its front and written here to all sockets of its stream.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.exchange.control.faults import NS_PER_S, Fault, FaultMenu, Where
from services.exchange.control.trace import Trace
from services.exchange.wire.sockets import Carries, ClientSocket, Stream

_SILENCERS = ("silent_public", "ping_only", "market_closed")
_PRIVATE_FAULTS = ("duplicate_private", "reorder_private")
_PUBLIC_FAULTS = ("duplicate_frame", "reorder_frames")

Pending = tuple[Stream, bytes, int]


@dataclass(eq=False, slots=True)
class Hold:
    """Private frames of one account that wait."""

    account: str
    pending: list[Pending] = field(default_factory=list)
    is_over: bool = False


class Broadcaster:
    """Writes public frames with `publish` and private ones with `deliver`."""

    def __init__(self, faults: FaultMenu, trace: Trace | None, monotonic_ns: Callable[[], int]) -> None:
        self._faults = faults
        self._trace = trace
        self._monotonic_ns = monotonic_ns
        self._late: dict[str | None, deque[tuple[int, Pending]]] = {}
        self._overtaken: dict[Stream, Pending] = {}
        self._held: dict[str, deque[Hold]] = {}
        faults.watch(on_clear=self._on_clear)

    def publish(self, stream: Stream, frame: bytes, event_us: int) -> None:
        """Send a public frame to the stream's sockets. `event_us`: its own stamp, for the trace."""
        if self._faults.is_empty:
            self._write(stream, frame, event_us)
        elif not self._is_silenced(stream):
            scope: dict[str, Where] = {"symbol": stream.symbol, "frames": stream.carries}
            if stream.carries is not Carries.OTHER and self._faults.bite("gap", **scope):
                return
            for pending in self._disturbed((stream, frame, event_us), _PUBLIC_FAULTS, scope):
                self._write_or_delay(pending)

    def deliver(self, stream: Stream, frame: bytes, symbol: str | None) -> None:
        """Send a private frame to the account's sockets. `symbol`: whose event it is, None = no market's."""
        account = stream.account
        assert account is not None
        if self._faults.is_empty and account not in self._held:
            self._write(stream, frame, 0)
            return
        scope: dict[str, Where] = {"symbol": symbol, "account": account}
        if not self._faults.bite("silent_private", **scope):
            for pending in self._disturbed((stream, frame, 0), _PRIVATE_FAULTS, scope):
                self._write_or_hold(pending)

    def hold(self, account: str) -> Hold:
        """Keep the account's private frames back until `release`."""
        hold = Hold(account)
        self._held.setdefault(account, deque()).append(hold)
        return hold

    def release(self, hold: Hold) -> None:
        """End a hold; what came under a later one waits for that, and nothing overtakes."""
        hold.is_over = True
        holds = self._held[hold.account]
        while holds and holds[0].is_over:
            for pending in holds.popleft().pending:
                self._write(*pending)
        if not holds:
            del self._held[hold.account]

    def _write(self, stream: Stream, frame: bytes, event_us: int) -> None:
        if self._trace is not None and stream.account is None and stream.sockets:
            self._trace.frames.add((stream.name, stream.symbol, event_us, self._monotonic_ns()))
        for socket in tuple(stream.sockets):
            socket.send(frame)

    def _is_silenced(self, stream: Stream) -> bool:
        return any(self._faults.bite(kind, symbol=stream.symbol) for kind in _SILENCERS)

    def _disturbed(self, pending: Pending, kinds: tuple[str, str], scope: dict[str, Where]) -> list[Pending]:
        """Return what is to be written in place of one frame: nothing, it, or it and another."""
        stream, (duplicate, reorder) = pending[0], kinds
        if (overtaken := self._overtaken.pop(stream, None)) is not None:
            return [pending, overtaken]
        if self._faults.bite(duplicate, **scope):
            return [pending, pending]
        if self._faults.bite(reorder, **scope):
            self._overtaken[stream] = pending
            return []
        return [pending]

    def _write_or_hold(self, pending: Pending) -> None:
        holds = self._held.get(pending[0].account or "")
        if holds is None:
            self._write(*pending)
        else:
            holds[-1].pending.append(pending)

    def _write_or_delay(self, pending: Pending) -> None:
        symbol = pending[0].symbol
        lag = self._faults.bite("lagging_public", symbol=symbol)
        if lag is None:
            self._catch_up(symbol)
            self._write(*pending)
            return
        delay_s = float(lag.params["delay_s"])
        due_ns = self._monotonic_ns() + round(delay_s * NS_PER_S)
        self._late.setdefault(symbol, deque()).append((due_ns, pending))
        asyncio.get_running_loop().call_later(delay_s, self._write_due, symbol)

    def _write_due(self, symbol: str | None) -> None:
        line = self._late.get(symbol)
        now_ns = self._monotonic_ns() + 1_000_000  # timers are exact to a millisecond
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

    def close_all(self) -> None:
        for socket in tuple(self.sockets):
            socket.close()

    def _on_fault(self, fault: Fault) -> None:
        if fault.kind != "close_sockets":
            return
        for socket in tuple(self.sockets):
            if not fault.scope or any(fault.covers(stream.scope()) for stream in socket.streams):
                fault.hits += 1
                socket.close()
        if fault.until_ns is None:
            fault.times_left = 0
