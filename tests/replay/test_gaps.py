"""A replay that meets a gap quotes nothing until the book is rebuilt, and says so; wrong data are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.marketdata.config import MarketDataConfig
from services.replay.assembly import assemble, build
from services.replay.running import Replayed, replay
from services.replay.settings import ReplaySettings, Rules
from services.replay.sources.binance import BinanceRecording
from services.replay.sources.marks import with_marks
from services.replay.sources.opening import open_data
from services.replay.venue.queue import FillModel
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import BadInput
from shared.messages import Mark, Message, Quotes, Side, Top
from tests.replay.market import (
    START_NS,
    SYMBOL,
    VENUE,
    config_of,
    depth,
    feed,
    info_of,
    mark,
    top,
    trade,
    write_lines,
)
from tests.replay.sources.frames import a_market
from tests.replay.stage import Feed, Script, Watch

PLAIN = "time,bid,bid_size,ask,ask_size\n"


def minutes(start_s: float, seconds: float, step_ms: int = 100) -> Feed:
    """A calm market, rules first."""
    messages: Feed = [(START_NS + round(start_s * NS_PER_S), info_of())]
    for number in range(round(seconds * 1_000 / step_ms)):
        now_ns = START_NS + round(start_s * NS_PER_S) + number * step_ms * NS_PER_MS
        messages += [
            (now_ns, top(200_000, 5_000 + number % 7, 200_004, 5_000, now_ns)),
            (now_ns, depth(((200_000, 5_000),), ((200_004, 5_000),), now_ns)),
            (now_ns, feed(now_ns=now_ns)),
        ]
    return messages


def played(tmp_path: Path, *files: Any) -> Replayed:
    return replay(config_of(tmp_path), {SYMBOL: files}, (FillModel.QUEUE,))


def quoted(tmp_path: Path, messages: Feed) -> list[tuple[int, bool]]:
    """Return when Quotes were published, and whether there was anything in them."""
    watch = Watch()
    assembly = assemble(config_of(tmp_path), (SYMBOL,))
    machine = build(assembly, FillModel.QUEUE, watch, messages[0][0])
    for now_ns, message in messages:
        machine.on_market(message, now_ns)
    return [(now_ns, bool(quotes.levels)) for now_ns, quotes in watch.of(Quotes)]


def test_nothing_is_quoted_from_a_lost_update_until_another_snapshot(tmp_path: Path) -> None:
    frames = a_market(400)
    lost_ns = (frames.now_ms + 20) * NS_PER_MS
    frames.depth(lost=5).calm(150)
    snapshot_ns = (frames.now_ms + 20) * NS_PER_MS
    frames.snapshot().calm(400)
    path = write_lines(tmp_path / "frames.txt", frames.lines)
    source = BinanceRecording(path, VENUE, SYMBOL, Rules(lot_size="0.001"), MarketDataConfig())
    quotes = quoted(tmp_path, list(with_marks(source.messages(), source.instrument())))
    assert any(levels for now_ns, levels in quotes if now_ns < lost_ns)
    way_ns = 2 * NS_PER_MS  # the feed and a hop
    between = [levels for now_ns, levels in quotes if lost_ns + way_ns <= now_ns <= snapshot_ns]
    assert between and not any(between)
    assert any(levels for now_ns, levels in quotes if now_ns > snapshot_ns)
    (gap,) = played(tmp_path, source).gaps[SYMBOL]
    assert gap.begin_ns == lost_ns and gap.end_ns is not None and gap.end_ns >= snapshot_ns


def test_between_two_files_that_do_not_meet_is_a_gap_in_which_nothing_is_quoted(tmp_path: Path) -> None:
    files = [Script(minutes(0, 8)), Script(minutes(30, 8))]
    done = played(tmp_path, *files)
    (gap,) = done.gaps[SYMBOL]
    assert gap.reason == "no data between two files for 22.1 s"
    assert (gap.begin_ns - START_NS) / NS_PER_S == 7.9
    assert gap.end_ns == START_NS + 30 * NS_PER_S
    assert done.outcomes[0].is_clean and not any(done.outcomes[0].difference.values())
    assert any("no data between two files" in reason for reason in done.outcomes[0].pauses)


def test_days_between_two_files_are_passed_over_and_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day_s = 86_400.0
    done = played(tmp_path, Script(minutes(0, 8)), Script(minutes(30 * day_s, 8)))
    assert done.outcomes[0].is_clean and (done.end_ns - START_NS) // NS_PER_S == 30 * day_s + 7
    # a shorter one, lived through timer by timer and passed over
    files = [Script(minutes(0, 8)), Script(minutes(400, 8))]
    lived = played(tmp_path, *files)
    monkeypatch.setattr("services.replay.running.LONGEST_IDLE_NS", 200 * NS_PER_S)
    assert played(tmp_path, *files).outcomes == lived.outcomes
    assert lived.outcomes[0].reports[SYMBOL].activity.orders_placed > 2


def test_files_that_meet_are_one_recording(tmp_path: Path) -> None:
    done = played(tmp_path, Script(minutes(0, 4)), Script(minutes(4, 4)))
    assert done.gaps == {SYMBOL: ()}


def test_files_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match="script: begins before the end of the file before it: order them by time"
    ):
        played(tmp_path, Script(minutes(4, 4)), Script(minutes(0, 4)))


def test_files_of_other_rules_are_refused_with_the_remedy(tmp_path: Path) -> None:
    files = Script(minutes(0, 2)), Script(minutes(2, 2), info_of(tick_size="0.1"))
    with pytest.raises(BadInput, match=f"rules differ from those of script: give replay.rules.{SYMBOL}"):
        played(tmp_path, *files)


def test_data_without_an_event_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the data hold no event"):
        played(tmp_path, Script([]))


@pytest.mark.parametrize(
    "early",
    [
        trade(Side.BUY, 200_004, 1),
        depth(((1, 1),), ((2, 1),)),
        mark(2_000.0, None, None, START_NS),
        top(1, 1, 2, 1),
    ],
)
def test_a_recording_that_does_not_begin_with_the_rules_is_given_them(tmp_path: Path, early: Message) -> None:
    messages = [(START_NS, early), *minutes(1, 3)]
    assert played(tmp_path, Script(messages)).event_count > 80


def test_trades_from_before_the_first_best_price_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "x_depth.csv").write_text(
        PLAIN + "1625097600,100.00,1,100.01,1\n1625097601,100.01,1,100.02,1\n"
    )
    (tmp_path / "x_trade.csv").write_text("time_seconds,price,size,is_buyer_maker\n1625097500,100.00,1,0\n")
    config = config_of(tmp_path)
    done = replay(config, open_data([str(tmp_path / "x_depth.csv")], config, ReplaySettings(), 1.0))
    assert done.event_count > 4


def test_a_row_that_crosses_fills_nothing(tmp_path: Path) -> None:
    rows = "".join(f"{1625097600 + number / 10},100.00,5,100.10,5.01\n" for number in range(60))
    bad = "1625097606.1,100.30,5,99.80,5\n"
    (tmp_path / "x.csv").write_text(PLAIN + rows + bad + "1625097606.3,100.01,5,100.10,5\n")
    config = config_of(tmp_path)
    done = replay(config, open_data([str(tmp_path / "x.csv")], config, ReplaySettings(), 1.0))
    for outcome in done.outcomes:
        assert outcome.reports[SYMBOL].activity.orders_placed
        assert outcome.reports[SYMBOL].activity.fills == 0


def test_a_perpetual_without_marks_is_marked_at_its_mid_once_a_second() -> None:
    messages = minutes(0, 5)
    marks = [message for _, message in with_marks(iter(messages), info_of()) if isinstance(message, Mark)]
    assert [one.mark_price for one in marks] == [2_000.02] * 5
    own = [*messages[:2], (START_NS, mark(1.0, None, None, START_NS)), *messages[2:]]
    found = [message for _, message in with_marks(iter(own), info_of()) if isinstance(message, Mark)]
    assert len(found) == 2  # the recording's own marks end it
    spot = with_marks(iter(messages), info_of(is_perp=False))
    assert not [message for _, message in spot if isinstance(message, Mark)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("maker_fee_bps = 1001", r"replay: maker_fee_bps: .*<= 1000.*, was 1001"),
        ("equity = 0", r"replay: equity: .*> 0.*, was 0"),
        ("makr_fee_bps = 1", r"replay: unknown key 'makr_fee_bps'; did you mean 'maker_fee_bps'"),
        ("latency = {hop_ms = -1}", r"replay: latency.hop_ms: .*was -1"),
        (
            f"rules = {{{SYMBOL} = {{tick_size = '0.0'}}}}",
            r"replay: rules.ETH_USDC_PERP.tick_size: .*was '0.0'",
        ),
        ("rules = {MOON = {}}", r"replay.rules.MOON: no such symbol; known: ETH_USDC_PERP"),
        ("held = {MOON = 1}", r"replay.held.MOON: no such symbol; known: ETH_USDC_PERP"),
        ("max_gap_s = 0.5", r"replay: max_gap_s: .*>= 1.*was 0.5"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        replay(config_of(tmp_path, replay=text + "\n"), {SYMBOL: [Script(minutes(0, 1))]})
    assert "\n" not in str(caught.value)


def test_rules_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"script: trading rules cannot be used: .*contract multiplier"):
        played(tmp_path, Script(minutes(0, 1), info_of(contract_multiplier="0")))


def test_data_for_a_symbol_that_none_of_several_quoters_has_are_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path, (SYMBOL, "BTC_USDC_PERP"))
    with pytest.raises(
        BadInput, match="data for 'MOON', which is not configured; quoters: ETH_USDC_PERP, BTC"
    ):
        replay(config, {"MOON": [Script(minutes(0, 1))]})


def test_frames_of_a_file_are_shown_with_our_orders_in_them(tmp_path: Path) -> None:
    """The market of a replay is the recorded one and ours: what is best is never worse than recorded."""
    source = Script(minutes(0, 6))
    watch = Watch()
    machine = build(assemble(config_of(tmp_path), (SYMBOL,)), FillModel.QUEUE, watch, START_NS)
    for now_ns, message in with_marks(source.messages(), source.instrument()):
        machine.on_market(message, now_ns)
    tops = [message for _, message in watch.shown if isinstance(message, Top)]
    assert {one.bid for one in tops} == {200_000}
    assert max(one.bid_size for one in tops) > 5_006
