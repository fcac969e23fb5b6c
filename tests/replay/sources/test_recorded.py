"""Our own recordings as a market: without the orders that were ours then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.replay.running import replay
from services.replay.sources.recorded import OwnRecording
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import BadInput
from shared.messages import (
    Depth,
    FeedState,
    FeedStatus,
    InstrumentInfo,
    Message,
    OrderStatus,
    Side,
    Top,
    Working,
    WorkingOrder,
)
from shared.recording.core import CoreKind
from tests.replay.market import ACCOUNT, START_NS, SYMBOL, VENUE, config_of, depth, feed, info_of, top
from tests.replay.recorded_cores import new_file, record
from tests.replay.stage import synthetic

Said = list[tuple[int, Message]]


class Teller:
    """A core that says what it is told."""

    def on_message(self, message: Message, now_ns: int) -> list[Message]:  # noqa: ARG002 the time is recorded
        return [message]


TELLER: CoreKind[Teller] = CoreKind("teller", Teller, Teller)


def written(run: Path, **said: Said) -> OwnRecording:
    """Record what processes said (`__` in a name is the dot) and open it."""
    for name, messages in said.items():
        file = new_file(run, name.replace("__", "."))
        teller = record(TELLER, file)
        for now_ns, message in messages:
            teller.on_message(message, now_ns)
        file.close()
    return OwnRecording(run, VENUE, SYMBOL)


def working(*orders: tuple[Side, int, int]) -> Working:
    shown = tuple(
        WorkingOrder(number, str(number), side, price, size, 0, OrderStatus.LIVE, START_NS, False)
        for number, (side, price, size) in enumerate(orders, 1)
    )
    return Working(ACCOUNT, SYMBOL, shown, (), "ready")


def at(seconds: float) -> int:
    return START_NS + round(seconds * NS_PER_S)


def begun() -> Said:
    return [(START_NS, info_of()), (START_NS, feed())]


def last(source: OwnRecording, kind: type[Any]) -> Any:
    return [message for _, message in source.messages() if isinstance(message, kind)][-1]


def test_what_is_told_comes_back_in_order_with_the_rules(tmp_path: Path) -> None:
    said = [*begun(), (at(1), depth(((99, 5),), ((101, 5),))), (at(1), top(99, 5, 101, 5))]
    source = written(tmp_path, marketdata__backpack=said)
    assert source.instrument() == info_of()
    assert list(source.messages()) == said and list(source.messages()) == said
    assert source.gaps() == []


def test_the_orders_of_then_are_subtracted(tmp_path: Path) -> None:
    market = [
        *begun(),
        (at(5), depth(((100, 3), (99, 9)), ((101, 10),))),
        (at(5), top(100, 3, 101, 10)),
    ]
    ours = [(at(1), working((Side.BUY, 100, 3), (Side.BUY, 99, 4), (Side.SELL, 101, 6)))]
    source = written(tmp_path, marketdata__backpack=market, execution__main=ours)
    shown = last(source, Top)
    assert (shown.bid, shown.bid_size, shown.ask, shown.ask_size) == (99, 5, 101, 4)
    behind = last(source, Depth)
    assert (behind.bids, behind.asks) == (((99, 5),), ((101, 4),))


def test_a_side_that_was_ours_alone_is_empty(tmp_path: Path) -> None:
    market = [*begun(), (at(5), depth(((100, 3),), ((101, 10),))), (at(5), top(100, 3, 101, 10))]
    ours = [(at(1), working((Side.BUY, 100, 3)))]
    shown = last(written(tmp_path, marketdata__backpack=market, execution__main=ours), Top)
    assert (shown.bid, shown.bid_size) == (None, 0)


def test_what_is_gone_is_subtracted_no_more(tmp_path: Path) -> None:
    market = [*begun(), (at(9), depth(((100, 3),), ((101, 10),))), (at(9), top(100, 3, 101, 10))]
    ours = [(at(1), working((Side.BUY, 100, 3))), (at(2), working())]
    shown = last(written(tmp_path, marketdata__backpack=market, execution__main=ours), Top)
    assert (shown.bid, shown.bid_size) == (100, 3)


def test_orders_of_several_accounts_add_up_and_other_symbols_do_not_count(tmp_path: Path) -> None:
    market = [*begun(), (at(5), top(100, 9, 101, 10))]
    other = Working("main", "BTC_USDC_PERP", working((Side.BUY, 100, 7)).orders, (), "ready")
    second = Working("second", SYMBOL, working((Side.BUY, 100, 2)).orders, (), "ready")
    source = written(
        tmp_path, marketdata__backpack=market,
        execution__main=[(at(1), working((Side.BUY, 100, 3))), (at(1), other)],
        execution__second=[(at(1), second)],
    )  # fmt: skip
    assert last(source, Top).bid_size == 4


def test_a_feed_that_was_in_doubt_is_a_gap(tmp_path: Path) -> None:
    market = [
        *begun(), (at(1), depth(((99, 5),), ((101, 5),))), (at(1), top(99, 5, 101, 5)),
        (at(2), feed(FeedStatus.STALE)), (at(2) + NS_PER_MS, feed(FeedStatus.SYNCING)), (at(4), feed()),
        (at(6), feed(FeedStatus.STALE)),
    ]  # fmt: skip
    source = written(tmp_path, marketdata__backpack=market)
    states = [message for _, message in source.messages() if isinstance(message, FeedState)]
    assert len(states) == 5
    assert [(gap.begin_ns, gap.end_ns) for gap in source.gaps()] == [(at(2), at(4)), (at(6), None)]


def restarted(run: Path, first: Said, second: Said) -> OwnRecording:
    """Record market data that was started anew; between the two starts is one that was killed at once."""
    written(run, marketdata__backpack=first)
    killed = new_file(run, "marketdata.backpack")
    killed.close()
    killed.path.write_bytes(b"")
    return written(run, marketdata__backpack=second)


def test_where_market_data_was_started_anew_is_a_gap_until_it_is_live_again(tmp_path: Path) -> None:
    def book(second: float) -> Said:
        return [(at(second), depth(((99, 5),), ((101, 5),))), (at(second), top(99, 5, 101, 5))]

    first, second = [*begun(), *book(1)], [(at(7), feed(FeedStatus.SYNCING)), *book(8), (at(9), feed())]
    source = restarted(tmp_path, first, second)
    said = list(source.messages())
    now_ns, state = said[len(first)]
    assert now_ns == at(1) and isinstance(state, FeedState) and state.status is FeedStatus.STALE
    assert said[: len(first)] == first and said[len(first) + 1 :] == second
    (gap,) = source.gaps()
    assert (gap.begin_ns, gap.end_ns) == (at(1), at(9))
    assert gap.reason == "market data was started anew, nothing is recorded for 6.0 s"
    assert source.position() == source.size > 0


def test_a_host_that_was_restarted_between_two_recordings_is_refused(tmp_path: Path) -> None:
    again = restarted(tmp_path, [*begun(), (at(9), feed())], [(at(2), info_of()), (at(2), feed())])
    with pytest.raises(BadInput, match=r"\.rec: begins 7\.000 s before the end of the recording before it"):
        list(again.messages())


def test_a_run_that_holds_nothing_of_the_symbol_is_refused(tmp_path: Path) -> None:
    other = InstrumentInfo(VENUE, "X", "X", "USDC", True, "1", "1", "1", None, None, None, None, "fixed", "1")
    with pytest.raises(BadInput, match=f"nothing of {SYMBOL} is recorded"):
        written(tmp_path, marketdata__backpack=[(START_NS, other)])


def test_a_replay_of_a_recording_is_the_replay_of_what_was_recorded(tmp_path: Path) -> None:
    (market,) = synthetic()
    recorded = written(tmp_path / "run", marketdata__backpack=list(market.messages()))
    config = config_of(tmp_path, replay="maker_fee_bps = 1\n")
    first, second = (replay(config, {SYMBOL: [source]}) for source in (market, recorded))
    assert [outcome.reports for outcome in first.outcomes] == [outcome.reports for outcome in second.outcomes]
    assert all(outcome.reports[SYMBOL].activity.fills for outcome in second.outcomes)
