"""Keeps what passes on the bus: `python -m tests.bench.listener --to NAMES --prefixes TOPICS --out FILE ...`

Frames are kept as they are and read once everything is over; `--lazy` looks only ten times a
second, for measurements that do not need to know when a message arrived: whoever is measured
must not share the processor with who measures.

The file holds, per frame, its arrival (monotonic ns), its length, and its bytes.
"""

from __future__ import annotations

import argparse
import os
import signal
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import zmq

from shared.bus import Addresses, Inbox
from shared.clock import SystemClock
from shared.messages import KINDS, SCHEMA_HASH, Message

ENTRY = struct.Struct("<QI")
BUS_HEADER = struct.Struct("<IQQQ")
POLL_MS = 100
NICE = 10


class Heard(NamedTuple):
    """A message as it passed: when it was sent, and when it arrived at the listener (monotonic ns)."""

    message: Message
    sent_ns: int
    arrived_ns: int


def read(path: Path) -> Iterator[Heard]:
    """Yield what a listener kept, repetitions included."""
    decoders = {name: msgspec.msgpack.Decoder(kind).decode for name, kind in KINDS.items()}
    kept, position = path.read_bytes(), 0
    while position < len(kept):
        arrived_ns, length = ENTRY.unpack_from(kept, position)
        position += ENTRY.size
        frame = kept[position : position + length]
        position += length
        end = frame.index(0) + 1
        body = frame[end + BUS_HEADER.size :]
        if body:
            sent_ns = BUS_HEADER.unpack_from(frame, end)[3]
            kind = frame[: frame.index(b".")].decode()
            yield Heard(decoders[kind](body), sent_ns, arrived_ns)


def listen(names: list[str], prefixes: list[str], out: Path, addresses: Addresses, lazy: bool) -> None:
    """Keep everything until SIGTERM, then write it."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    inbox = Inbox(zmq.Context(), SystemClock())
    for name in names:
        inbox.connect(addresses.of(name))
    for prefix in prefixes:
        inbox.subscribe_prefix(prefix)
    kept: list[tuple[int, bytes]] = []
    receive = inbox.socket.recv
    while not stopped:
        if lazy:
            time.sleep(POLL_MS / 1000)
        else:
            inbox.socket.poll(POLL_MS)
        try:
            while True:
                frame = receive(zmq.NOBLOCK)
                kept.append((time.monotonic_ns(), frame))
        except zmq.Again:
            continue
    write_frames(out, kept)


def write_frames(out: Path, kept: Iterable[tuple[int, bytes]]) -> None:
    out.write_bytes(b"".join(ENTRY.pack(at_ns, len(frame)) + frame for at_ns, frame in kept))


def write_kept(out: Path, kept: Iterable[tuple[int, bytes, Message]]) -> None:
    """Write messages that never were on a bus, as if they had been."""
    encode = msgspec.msgpack.Encoder().encode
    write_frames(
        out,
        (
            (at_ns, name + b"\0" + BUS_HEADER.pack(SCHEMA_HASH, 0, 0, at_ns) + encode(message))
            for at_ns, name, message in kept
        ),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.listener")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--to", required=True, help="services, comma-separated")
    parser.add_argument("--prefixes", required=True, help="topics, comma-separated")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lazy", action="store_true")
    given = parser.parse_args()
    if given.lazy:
        os.nice(NICE)
    addresses = Addresses(given.run_dir)
    listen(given.to.split(","), given.prefixes.split(","), given.out, addresses, given.lazy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
