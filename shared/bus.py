"""The bus: one XPUB socket a process, subscribers connect to names.

A frame is one ZeroMQ message, `topic NUL header body`:

    topic   `Kind.scope.symbol.`; the dot at the end on both sides
    header  schema hash (u32), epoch (u64, process start), seq (u64, per topic), sent_ns (u64)
    body    the message as a MessagePack array; empty = a beat: "seq is the last I sent"

One frame rather than two: a multipart send costs a second call on the hot path and a
prefix subscription does not need it.

State topics are cached and re-sent to a late subscriber and on every heartbeat; a state
frame older than `STATE_TTL_NS` is not delivered. A hole in a fact topic, or its
publisher's restart, is delivered as `Gap`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import zmq

from shared.clock import NS_PER_MS, NS_PER_S, Clock
from shared.errors import BadInput, SchemaMismatch
from shared.messages import KINDS, SCHEMA_HASH, Fact, Gap, Message, topic, topic_of
from shared.private_dir import MAX_SOCKET_PATH, private_directory

HEARTBEAT_NS = 250 * NS_PER_MS
STATE_TTL_NS = NS_PER_S
HIGH_WATER_MARK = 20_000
#: a drain stops here so that a flood cannot starve the timers
MAX_DRAIN = 5_000

_HEADER = struct.Struct("<IQQQ")
_encode = msgspec.msgpack.Encoder().encode


class Addresses:
    """Where a service of a deployment is on the bus.

    By default `ipc://` in a private directory (mode 700) of the run directory, or of /tmp
    where that path would be too long; `table` maps names to `tcp://127.0.0.1:port`.
    """

    def __init__(self, run_dir: Path, table: Mapping[str, str] | None = None) -> None:
        self._table = dict(table or {})
        self._directory = private_directory(run_dir, "bus")

    def of(self, name: str) -> str:
        """Return the ZeroMQ endpoint of the service called `name`."""
        if name in self._table:
            return self._table[name]
        path = self._directory / f"{name}.ipc"
        if len(str(path)) > MAX_SOCKET_PATH:
            raise BadInput(
                f"bus: {path} is over {MAX_SOCKET_PATH} bytes; use a shorter name or run directory"
            )
        return f"ipc://{path}"


class _Published:
    """What a publisher remembers of one topic."""

    __slots__ = ("body", "is_fact", "prefix", "seq")

    def __init__(self, name: bytes, is_fact: bool) -> None:
        self.prefix = name + b"\0"
        self.is_fact = is_fact
        self.seq = 0
        self.body = b""


class Publisher:
    """The XPUB socket of a process. `on_demand(kind, scope, symbol, wanted)` tells subscriptions."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: str, clock: Clock) -> None:
        self.socket: zmq.Socket[bytes] = context.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self.socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self.socket.setsockopt(zmq.LINGER, 200)
        try:
            self.socket.bind(address)
        except zmq.ZMQError as error:
            self.socket.close()
            raise BadInput(f"bus: {address} cannot be bound: {error}") from None
        self.on_demand: Callable[[str, str, str, bool], None] | None = None
        self._clock = clock
        self._epoch = clock.monotonic_ns()
        self._topics: dict[bytes, _Published] = {}
        self._forgotten: dict[bytes, int] = {}  # seq: within an epoch no consumer takes an older one

    def publish(self, message: Message) -> None:
        """Send a message now; state is also kept for late subscribers and heartbeats."""
        name = topic_of(message)
        entry = self._topics.get(name)
        if entry is None:
            entry = self._topics[name] = _Published(name, isinstance(message, Fact))
            entry.seq = self._forgotten.pop(name, 0)
        entry.seq += 1
        body = _encode(message)
        if not entry.is_fact:
            entry.body = body
        self._send(entry, entry.seq, body)

    def heartbeat(self) -> None:
        """Repeat every state with a new stamp, and tell the last seq of every fact topic."""
        for entry in self._topics.values():
            if not entry.is_fact:
                entry.seq += 1
            self._send(entry, entry.seq, entry.body)

    def forget(self, kind: type[Message], scope: str, symbol: str) -> None:
        """Stop repeating a topic (a symbol was removed); should it come back, its seq goes on."""
        name = topic(kind, scope, symbol)
        entry = self._topics.pop(name, None)
        if entry is not None:
            self._forgotten[name] = entry.seq

    def on_readable(self) -> None:
        """Answer subscriptions: re-send cached state that matches, report demand."""
        while True:
            try:
                frame = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            wanted, prefix = frame[:1] == b"\x01", frame[1:]
            if wanted:
                for name, entry in self._topics.items():
                    if name.startswith(prefix):
                        self._send(entry, entry.seq, entry.body)
            parts = prefix.split(b".")
            if self.on_demand is not None and len(parts) == 4 and not parts[3]:
                self.on_demand(parts[0].decode(), parts[1].decode(), parts[2].decode(), wanted)

    def _send(self, entry: _Published, seq: int, body: bytes) -> None:
        header = _HEADER.pack(SCHEMA_HASH, self._epoch, seq, self._clock.monotonic_ns())
        self.socket.send(entry.prefix + header + body, zmq.NOBLOCK)

    def close(self) -> None:
        self.socket.close()


class _Received:
    """What an inbox remembers of one topic."""

    __slots__ = ("decode", "epoch", "is_fact", "kind", "scope", "seq", "symbol")

    def __init__(self, name: bytes) -> None:
        kind, self.scope, self.symbol, _ = name.decode().split(".")
        self.kind = kind
        message_type = KINDS[kind]
        self.decode = msgspec.msgpack.Decoder(message_type).decode
        self.is_fact = issubclass(message_type, Fact)
        self.epoch = 0
        self.seq = -1


class Inbox:
    """The SUB socket of a process: newest state and every fact, in order of arrival."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], clock: Clock) -> None:
        self.socket: zmq.Socket[bytes] = context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
        self._clock = clock
        self._topics: dict[bytes, _Received] = {}
        self._connected: set[str] = set()

    def connect(self, address: str) -> None:
        """Connect to a publisher; one that is not up yet is silent until it is. Idempotent."""
        if address not in self._connected:
            self._connected.add(address)
            self.socket.connect(address)

    def disconnect(self, address: str) -> None:
        if address in self._connected:
            self._connected.remove(address)
            self.socket.disconnect(address)

    def subscribe(self, kind: type[Message], scope: str | None = None, symbol: str | None = None) -> None:
        """Subscribe to a kind, of one scope, of one symbol; None = all."""
        if scope is None:
            prefix = f"{kind.__name__}.".encode()
        elif symbol is None:
            prefix = f"{kind.__name__}.{scope}.".encode()
        else:
            prefix = topic(kind, scope, symbol)
        self.socket.setsockopt(zmq.SUBSCRIBE, prefix)

    def unsubscribe(self, kind: type[Message], scope: str, symbol: str) -> None:
        """Undo one `subscribe` to one symbol."""
        self.socket.setsockopt(zmq.UNSUBSCRIBE, topic(kind, scope, symbol))

    def subscribe_prefix(self, prefix: str) -> None:
        """Subscribe to every topic that starts with `prefix`; "" = everything (`makerd tap`)."""
        self.socket.setsockopt(zmq.SUBSCRIBE, prefix.encode())

    def drain(self) -> list[Message]:
        """Return what arrived: every fact in order, and of each state topic only the newest.

        Raises: SchemaMismatch when a peer speaks another version of the messages.
        """
        states: dict[bytes, bytes] = {}
        messages: list[Message] = []
        receive = self.socket.recv
        for _ in range(MAX_DRAIN):
            try:
                frame = receive(zmq.NOBLOCK)
            except zmq.Again:
                break
            name = frame[: frame.index(0)]
            entry = self._topics.get(name)
            if entry is None:
                entry = self._topics[name] = _Received(name)
            if entry.is_fact:
                self._accept_fact(entry, name, frame, messages)
            else:
                states.pop(name, None)  # re-inserted at the end: order of last arrival
                states[name] = frame
        if states:
            oldest_ns = self._clock.monotonic_ns() - STATE_TTL_NS
            for name, frame in states.items():
                self._accept_state(self._topics[name], name, frame, oldest_ns, messages)
        return messages

    def _accept_state(
        self, entry: _Received, name: bytes, frame: bytes, oldest_ns: int, messages: list[Message]
    ) -> None:
        start = len(name) + 1
        schema, epoch, seq, sent_ns = _HEADER.unpack_from(frame, start)
        if schema != SCHEMA_HASH:
            raise SchemaMismatch(_schema_text(name, schema))
        if sent_ns < oldest_ns or (epoch, seq) <= (entry.epoch, entry.seq):
            return
        entry.epoch, entry.seq = epoch, seq
        messages.append(entry.decode(memoryview(frame)[start + _HEADER.size :]))

    def _accept_fact(self, entry: _Received, name: bytes, frame: bytes, messages: list[Message]) -> None:
        start = len(name) + 1
        schema, epoch, seq, _ = _HEADER.unpack_from(frame, start)
        if schema != SCHEMA_HASH:
            raise SchemaMismatch(_schema_text(name, schema))
        is_beat = len(frame) == start + _HEADER.size
        expected = entry.seq if is_beat else entry.seq + 1
        if entry.seq >= 0 and epoch == entry.epoch and seq < expected:
            return  # a duplicate
        if entry.seq >= 0 and (epoch != entry.epoch or seq != expected):
            messages.append(Gap(entry.scope, entry.symbol, entry.kind))
        entry.epoch, entry.seq = epoch, seq
        if not is_beat:
            messages.append(entry.decode(memoryview(frame)[start + _HEADER.size :]))

    def close(self) -> None:
        self.socket.close()


def _schema_text(name: bytes, schema: int) -> str:
    return (
        f"bus: {name.decode()} was written with schema {schema:08x}, this process has {SCHEMA_HASH:08x}; "
        "restart both on the same version"
    )
