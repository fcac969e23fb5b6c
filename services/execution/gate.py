"""Whether the account may quote, and how that is called in `Working.state`. Pure.

Fails closed: any doubt about the start, the private stream or the store means that quotes
are cancelled and none are placed. It opens by itself when the doubt is gone.
"""

from __future__ import annotations

from services.execution.desk import Desk
from services.execution.reads.recovery import Recovery
from services.execution.reads.schedule import Reads
from services.execution.requests import ReadKind, ReconnectStream
from services.execution.symbols import Symbol

RECOVERING = "recovering"
READY = "ready"
CANCELLING = "cancelling"
HALTED = "halted"
DEGRADED = "degraded"
#: good reads that must have begun after the stream came up, for what it did not tell before
_RESYNC = (ReadKind.OPEN_ORDERS, ReadKind.FILLS, ReadKind.POSITIONS)
#: good reads that must have begun after a stop before the ledger is whole
_CLOSING = (ReadKind.FILLS, ReadKind.FUNDING)


class Gate:
    """`reason` is why the account does not quote, None when it may."""

    def __init__(self, desk: Desk, reads: Reads, recovery: Recovery) -> None:
        self._desk = desk
        self._reads = reads
        self._recovery = recovery
        self.is_stopping = False
        self.stop_ns = 0
        self.is_store_ok = False
        self.reason: str | None = "starting"
        #: the stream that everything was read again for since it came up (by when it did)
        self._resynced_ns = -1

    @property
    def is_recovered(self) -> bool:
        return self._recovery.is_complete

    def refresh(self, now_ns: int) -> None:
        """Judge again; on a change everything is looked at and published."""
        reason = self._judge(now_ns)
        if reason == self.reason:
            return
        if self._recovery.is_complete:
            self._desk.alert("quoting", is_error=False, state=reason or READY)
        self.reason = reason
        self._desk.wake_all()
        self._desk.touched.update(self._desk.symbols)

    def _judge(self, now_ns: int) -> str | None:
        if self.is_stopping:
            return "stopping"
        missing = self._recovery.missing()
        if missing is not None:
            return f"start waits for: {missing}"
        if not self.is_store_ok:
            return "redis does not answer"
        if not self._desk.stream.is_trusted:
            return "private stream down or silent"
        return self._resync(now_ns)

    def _resync(self, now_ns: int) -> str | None:
        """Return what has still to be read since the stream came up."""
        up_since_ns = self._desk.stream.up_since_ns
        if up_since_ns == self._resynced_ns:
            return None
        for kind in _RESYNC:
            if self._reads.last_good_ns(kind) <= up_since_ns:
                self._reads.hurry(kind, now_ns)
                return f"private stream is back, waiting for {kind.value}"
        self._resynced_ns = up_since_ns
        return None

    def check_stream(self, now_ns: int) -> None:
        """Distrust a stream that keeps silent, and have it replaced."""
        desk = self._desk
        if desk.stream.went_silent(now_ns):
            desk.alert("the private stream does not tell what replies tell")
            self._hurry_all(now_ns)
        if desk.stream.must_reconnect(now_ns):
            desk.outbox.append(ReconnectStream("it does not speak"))

    def on_stream(self, is_up: bool, now_ns: int) -> None:
        stream = self._desk.stream
        if not is_up:
            if stream.is_up and not self.is_stopping:
                self._desk.alert("the private stream is down")
            stream.on_down()
            return
        stream.on_up(now_ns)
        self._hurry_all(now_ns)

    def on_store(self, is_ok: bool) -> None:
        if is_ok is not self.is_store_ok and self._recovery.is_complete:
            self._desk.alert("redis answers again" if is_ok else "redis does not answer", is_error=not is_ok)
        self.is_store_ok = is_ok

    def stop(self, now_ns: int) -> None:
        self.is_stopping = True
        self.stop_ns = now_ns

    def is_stopped(self) -> bool:
        """True when the venue has shown, after the stop, that none of our orders is open."""
        is_read = self.is_stopping and self._reads.last_good_ns(ReadKind.OPEN_ORDERS) > self.stop_ns
        return is_read and self._recovery.is_swept and self._desk.is_clear()

    def is_ledger_read(self) -> bool:
        """True when all fills and payments from before the stop have been read."""
        is_read = all(self._reads.last_good_ns(kind) > self.stop_ns for kind in _CLOSING)
        return is_read and not self._desk.orders.has_owed()

    def seek_confirmation(self, now_ns: int) -> None:
        """Hurry the read which shows that cancelled orders are gone, where somebody waits for it."""
        desk, reads = self._desk, self._reads
        if self.is_stopping:
            self._seek_end(now_ns)
            return
        is_halted = is_awaited = False
        for symbol in desk.symbols.values():
            if symbol.halt_reason is not None or symbol.pending is not None:
                is_halted = is_halted or symbol.halt_reason is not None
                is_awaited = is_awaited or (not symbol.orders.live and not symbol.is_clear())
        if is_awaited or (is_halted and desk.strays):
            reads.demand(ReadKind.OPEN_ORDERS, now_ns)

    def _seek_end(self, now_ns: int) -> None:
        if not self.is_stopped() and (self._desk.strays or not self._desk.orders.has_live()):
            self._reads.demand(ReadKind.OPEN_ORDERS, now_ns)
        for kind in _CLOSING:
            if self._reads.last_good_ns(kind) <= self.stop_ns:
                self._reads.demand(kind, now_ns)

    def state_of(self, symbol: Symbol) -> str:
        """Return the symbol's `Working.state`."""
        if self.is_stopping:
            return CANCELLING
        if symbol.halt_reason is not None:  # before everything else is known, too
            is_gone = self._recovery.is_swept and symbol.is_clear() and not self._desk.strays
            return HALTED if is_gone else CANCELLING
        if not self._recovery.is_complete:
            return RECOVERING
        is_sure = symbol.is_known and symbol.is_open and self._desk.venue.is_answering
        if self.reason is not None or not is_sure:
            return DEGRADED
        return READY

    def _hurry_all(self, now_ns: int) -> None:
        for kind in _RESYNC:
            self._reads.hurry(kind, now_ns)
