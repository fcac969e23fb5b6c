"""Tick-to-order of the real processes, told by what production itself publishes.

    OrderUpdate   client id, `sent_ns`, `cause_ns` = receive time of the market frame
    Top           `cause_ns` -> `venue_ns`, the stamp in that frame
    venue         stamp -> when that frame was sent; client id -> when that request was received

Of each frame only the first request counts, be it a cancel or a placement. Both ends are
stamped by the venue, so the result holds every hop, the kernel included.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.clock import NS_PER_MS, NS_PER_US
from shared.messages import OrderStatus, OrderUpdate, Top
from tests.bench.deployment import ACCOUNT, VENUE
from tests.bench.listener import Heard, read
from tests.bench.processes import BenchFailure
from tests.bench.stack import Running, Stack
from tests.bench.venue import Frame, Request, Venue

WARM_UP_S = 1.5
#: `sent_ns` is read after the send: the venue may have the request a moment before it
STAMP_SLACK_NS = NS_PER_MS


@dataclass(frozen=True, slots=True)
class Block:
    """What one block of the stack showed.

    wire_us     venue frame sent -> venue request received
    inside_us   frame received -> request sent, as `makerd` itself reports it
    cpu_shares  per process, of one processor
    """

    wire_us: list[float]
    inside_us: list[float]
    running: list[Running]
    cpu_shares: dict[str, float] = field(default_factory=dict)


def run_block(
    venue: Venue, quoters: Mapping[str, Mapping[str, Any]], directory: Path, seconds: float
) -> Block:
    """Run the whole stack on a venue's markets for so long. Raises: BenchFailure."""
    out = directory / "heard"
    with Stack(directory, venue, quoters) as stack:
        listener = stack.children.start(
            "listener", "tests.bench.listener", "--run-dir", str(directory), "--lazy", "--to",
            f"marketdata.{VENUE},execution.{ACCOUNT}", "--prefixes", ",".join(_prefixes(quoters)),
            "--out", str(out),
        )  # fmt: skip
        time.sleep(WARM_UP_S)
        before, start_ns = stack.running(), time.monotonic_ns()
        time.sleep(seconds)
        after = stack.running()
        stack.children.check()
        stack.children.stop_one(listener)
    heard = [one for one in read(out) if one.arrived_ns >= start_ns]
    wire_us = wire_latencies_us(heard, venue.frames_since(start_ns), venue.requests_since(start_ns))
    if not wire_us:
        raise BenchFailure("no request could be matched with the frame that caused it")
    running = [one for one in after if one.service != "listener"]
    return Block(wire_us, inside_latencies_us(heard), running, _cpu_shares(before, after, seconds))


def _prefixes(symbols: Iterable[str]) -> list[str]:
    return [
        prefix
        for symbol in symbols
        for prefix in (f"Top.{VENUE}.{symbol}.", f"OrderUpdate.{ACCOUNT}.{symbol}.")
    ]


def wire_latencies_us(
    heard: Sequence[Heard], frames: Sequence[Frame], requests: Sequence[Request]
) -> list[float]:
    """Return, of every frame that caused requests, the time until the venue had the first one."""
    stamps = {
        (top.symbol, top.cause_ns): top.venue_ns // NS_PER_US
        for top in (one.message for one in heard)
        if isinstance(top, Top) and top.cause_ns and top.cause_ns == top.recv_ns and top.venue_ns is not None
    }
    sent_ns: dict[tuple[str, int], int] = {}
    for frame in frames:
        sent_ns.setdefault((frame.symbol, frame.event_us), frame.sent_ns)
    received = _Received(requests)
    latencies = []
    for update in _first_of_each_cause(heard):
        frame_ns = sent_ns.get((update.symbol, stamps.get((update.symbol, update.cause_ns), 0)))
        recv_ns = received.of(update)
        if frame_ns is not None and recv_ns is not None:
            latencies.append((recv_ns - frame_ns) / NS_PER_US)
    return latencies


def inside_latencies_us(heard: Sequence[Heard]) -> list[float]:
    """Return, of every first request, the time from its frame's receipt to its sending."""
    return [(update.sent_ns - update.cause_ns) / NS_PER_US for update in _first_of_each_cause(heard)]


def _first_of_each_cause(heard: Sequence[Heard]) -> list[OrderUpdate]:
    first: dict[tuple[str, int], OrderUpdate] = {}
    for one in heard:
        update = one.message
        if isinstance(update, OrderUpdate) and update.cause_ns and update.sent_ns:
            key = (update.symbol, update.cause_ns)
            if key not in first or update.sent_ns < first[key].sent_ns:
                first[key] = update
    return list(first.values())


class _Received:
    """When the venue received the request of an update."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._by_client_id: dict[tuple[str, int], list[int]] = {}
        self._by_order_id: dict[str, list[int]] = {}
        for request in requests:
            if request.client_id is not None:
                key = (request.method, request.client_id)
                self._by_client_id.setdefault(key, []).append(request.recv_ns)
            if request.method == "DELETE" and request.order_id is not None:
                self._by_order_id.setdefault(request.order_id, []).append(request.recv_ns)

    def of(self, update: OrderUpdate) -> int | None:
        is_cancel = update.status is OrderStatus.PENDING_CANCEL
        method = "DELETE" if is_cancel else "POST"
        times = self._by_client_id.get((method, update.client_order_id), [])
        if is_cancel and not times and update.venue_order_id is not None:
            times = self._by_order_id.get(update.venue_order_id, [])
        earliest_ns = update.sent_ns - STAMP_SLACK_NS
        return min((recv_ns for recv_ns in times if recv_ns >= earliest_ns), default=None)


def _cpu_shares(before: list[Running], after: list[Running], seconds: float) -> dict[str, float]:
    """Return the processors' share of every service, all of its processes together."""
    shares: dict[str, float] = {}
    for old, new in zip(before, after, strict=True):
        shares[new.service] = shares.get(new.service, 0.0) + (new.usage.cpu_s - old.usage.cpu_s) / seconds
    return shares
