"""Mark prices for recordings that hold none: the mid stands in, once a second."""

from __future__ import annotations

from collections.abc import Iterator

from shared.clock import NS_PER_S
from shared.messages import InstrumentInfo, Mark, Message, Top

EVERY_NS = NS_PER_S


def with_marks(
    messages: Iterator[tuple[int, Message]], info: InstrumentInfo
) -> Iterator[tuple[int, Message]]:
    """Add a perpetual's marks where the recording has none; one of its own ends that."""
    tick, due_ns, is_wanted = float(info.tick_size), 0, info.is_perp
    for now_ns, message in messages:
        yield now_ns, message
        if not is_wanted:
            continue
        if isinstance(message, Mark):
            is_wanted = False
        elif isinstance(message, Top) and now_ns >= due_ns:
            bid, ask = message.bid, message.ask
            if bid is not None and ask is not None and 0 < bid < ask:
                due_ns = now_ns + EVERY_NS
                mid = (bid + ask) / 2 * tick
                yield now_ns, Mark(info.scope, info.symbol, mid, None, None, None, message.venue_ns, now_ns)
