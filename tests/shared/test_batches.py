"""The process shell's two inboxes: what is urgent is read at once, the rest several at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shared.bus import Addresses
from shared.clock import NS_PER_S, ManualClock
from shared.messages import Message, Top, Trade
from shared.service import BATCH_NS, Service
from tests.shared.net.servers import run_until
from tests.shared.test_bus import top, trade


class Listener:
    """Keeps what it is told."""

    timer_ns = NS_PER_S

    def __init__(self) -> None:
        self.tops: list[Top] = []
        self.trades: list[int] = []

    def on_top(self, message: Top, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        self.tops.append(message)
        return ()

    def on_trade(self, message: Trade, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        self.trades.append(message.trade_id)
        return ()

    def on_timer(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()

    def on_stop(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()


def test_what_is_off_the_hot_path_waits_for_its_turn_and_loses_nothing(tmp_path: Path) -> None:
    clock, addresses = ManualClock(NS_PER_S), Addresses(tmp_path)
    source = Service("source", tmp_path, addresses, clock=clock)
    reader = Service("reader", tmp_path, addresses, clock=clock)
    subscribed: list[str] = []
    source.publisher.on_demand = lambda kind, *_: subscribed.append(kind)
    source.loop.watch(source.publisher.socket, source.publisher.on_readable)
    listener = Listener()
    reader.attach(listener)
    reader.listen_to("source", Top, scope="backpack", symbol="SOL_USDC_PERP")
    reader.listen_to("source", Trade, scope="backpack", symbol="SOL_USDC_PERP", in_batches=True)
    reader.loop.watch(reader.inbox.socket, reader._on_inbox)
    run_until(source.loop, lambda: len(subscribed) == 2)

    source.publish_all([trade(1), trade(2), trade(3)])
    run_until(reader.loop, lambda: bool(listener.trades))
    first = len(listener.trades)
    source.publish_all([trade(4), trade(5), top(100)])
    run_until(reader.loop, lambda: bool(listener.tops))
    assert len(listener.trades) == first  # the urgent one overtakes them

    def have_all_after_another_pause() -> bool:
        clock.advance(BATCH_NS)
        return len(listener.trades) == 5

    run_until(reader.loop, have_all_after_another_pause)
    assert listener.trades == [1, 2, 3, 4, 5]
    source.close()
    reader.close()
