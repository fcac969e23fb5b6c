"""The same decisions: recorded cores give the same again, and whatever is not the same is found and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.marketdata.config import MarketDataConfig
from services.marketdata.recorded import MARKETDATA
from services.quoter.recorded import QUOTER
from services.replay.verify import Verdict, recordings_of, verify
from services.risk.config import parse_risk
from services.risk.core import Risk
from services.risk.recorded import RISK
from services.signals.config import Config as SignalsConfig
from services.signals.recorded import SIGNALS
from shared.clock import NS_PER_MS, NS_PER_S
from shared.config import Quoter as QuoterTable
from shared.errors import BadInput
from shared.messages import Flow, Message, Quotes, Side, Top, Trade
from shared.recording.core import encode_outcome
from shared.recording.file import RecordingFile
from shared.recording.reader import Recording, market_messages
from tests.execution.world import ask, bid
from tests.marketdata.scene import Scene
from tests.quoter.builders import INFO, START_NS, SYMBOL, VENUE, feed, top
from tests.replay.recorded_cores import RecordedWorld, new_file, parts_of, quoter, record, write
from tests.risk import desk as risk_desk

MS = NS_PER_MS


def same(file: RecordingFile) -> Verdict:
    file.close()
    verdict = verify(file.path)
    assert not verdict.problem, verdict.problem
    assert verdict.calls and verdict.outputs
    return verdict


def quoted(file: RecordingFile) -> Path:
    """Record a quoter on a market that moves; return its file."""
    desk = quoter(file)
    for step in range(20):
        now_ns = START_NS + step * 10 * MS
        desk.quoter.on_top(top(19_990 + 5 * step, 20_010 + 5 * step, now_ns), now_ns)
        desk.quoter.on_timer(now_ns + MS)
    desk.quoter.on_stop(START_NS + NS_PER_S)
    file.close()
    return file.path


# --- each core ------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["one_sided", "two_sided"])
def test_a_quoter_decides_the_same_again(tmp_path: Path, strategy: str) -> None:
    file = new_file(tmp_path)
    params = {"half_spread_ticks": 2.0, "quantity": 1.0} if strategy == "two_sided" else {"min_hold_s": 1.0}
    desk = quoter(file, strategy, **params)
    for step in range(50):
        now_ns = START_NS + step * 10 * MS
        desk.quoter.on_top(top(19_990 + 5 * step, 20_010 + 5 * step, now_ns), now_ns)
    same(file)


def test_execution_decides_the_same_again_through_losses_and_a_stop(tmp_path: Path) -> None:
    file = new_file(tmp_path, "execution.main")
    world = RecordedWorld(file)
    world.start()
    world.permit()
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    world.quote(bid(9_991), ask(10_011))
    world.vanish()
    world.settle()
    world.do(world.core.on_halts({"ALL": "a test"}, world.now_ns))
    world.run(3_000)
    world.do(world.core.on_stop_request(world.now_ns))
    world.run(3_000)
    assert world.core.is_stopped()
    assert world.sent_ids, "nothing was sent: this shows nothing"
    assert same(file).outputs > 50


def test_market_data_decides_the_same_again_and_what_it_told_can_be_read(tmp_path: Path) -> None:
    file = new_file(tmp_path, f"marketdata.{VENUE}")
    scene = Scene(infos=())
    scene.core = record(MARKETDATA, file, VENUE, "backpack", MarketDataConfig())
    scene.out += scene.core.on_instruments((risk_desk.info(),), scene.now_ns)
    scene.demand("Depth")
    scene.live()
    scene.frames(scene.best(12, "150.01", "150.03"), scene.trade(1), b"not a frame")
    scene.frames(scene.depth(12, bids=[["150.00", "0"]]))
    scene.wait(1.0, pulse=True)
    scene.disconnect()
    scene.core.take_outgoing()
    assert scene.core.take_unreadable()
    scene.out += scene.core.on_stop(scene.now_ns)
    same(file)
    told = list(market_messages(tmp_path, VENUE))
    assert [message for _, message in told] == scene.out
    assert {"InstrumentInfo", "Top", "Depth", "Trade", "Mark", "FeedState"} == {
        type(message).__name__ for message in scene.out
    }
    times = [now_ns for now_ns, _ in told]
    assert times == sorted(times) and times[-1] == scene.now_ns


def test_risk_decides_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = new_file(tmp_path, "risk")

    def recorded_risk(config: Any, accounts: Any) -> Risk:
        return record(RISK, file, config, accounts)

    monkeypatch.setattr(risk_desk, "Risk", recorded_risk)
    desk = risk_desk.Desk(max_position_share=0.2)
    desk.set_price(101.0)
    desk.run(2_000)
    desk.take(desk.core.on_halts({"ALL": "a test"}, desk.now_ns))
    desk.core.wanted_halts()
    desk.take(desk.core.on_stop(desk.now_ns))
    assert same(file).outputs > 10


def test_signals_decide_the_same_again(tmp_path: Path) -> None:
    file = new_file(tmp_path, "signals")
    core = record(SIGNALS, file, SignalsConfig(volatility_min_samples=2))
    core.watch(VENUE, SYMBOL)
    core.on_instrument_info(INFO, START_NS)
    told: list[Message] = []
    for step in range(100):
        now_ns = START_NS + step * 100 * MS
        core.on_feed_state(feed(now_ns=now_ns), now_ns)
        core.on_top(top(19_990 + step, 20_010 + step, now_ns), now_ns)
        side = Side.BUY if step % 3 else Side.SELL
        core.on_trade(Trade(VENUE, SYMBOL, side, 20_000 + step, 5, step, None, now_ns), now_ns)
        told += core.on_timer(now_ns)
    core.forget(VENUE, SYMBOL)
    assert any(isinstance(message, Flow) for message in told)
    same(file)


def test_what_a_core_raises_is_recorded_and_raised_again(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    desk = quoter(file, quantity=0.001, half_spread_ticks=2.0)
    strict = msgspec.structs.replace(INFO, min_quantity="100")
    file_of_refusing = new_file(tmp_path, "quoter.refusing")
    refusing = quoter(file_of_refusing, quantity=1.0, half_spread_ticks=2.0, min_size="refuse")
    with pytest.raises(BadInput):
        refusing.quoter.on_instrument_info(strict, START_NS + 1)
    assert not list(desk.quoter.on_instrument_info(INFO, START_NS + 1))
    same(file)
    same(file_of_refusing)


# --- what is not the same ---------------------------------------------------------------------------


def test_another_decision_is_found_and_named(tmp_path: Path) -> None:
    path = quoted(new_file(tmp_path))
    recording = Recording(path)
    codec, parts = recording.codec, parts_of(path)
    number, call = next((n, c) for n, c in enumerate(recording.calls(), 1) if c.method == "on_top" and n > 15
                        and recording.outcome_of(c.outcome))  # fmt: skip
    (quotes,) = recording.outcome_of(call.outcome)
    assert isinstance(quotes, Quotes)
    other = msgspec.structs.replace(quotes, levels=quotes.levels[:1])
    parts[number] = parts[number][0], encode_outcome(codec, (other,))
    verdict = verify(write(path, parts))
    assert f"quoter.SOL: call {number}, on_top at " in verdict.problem
    assert f"Quotes of {SYMBOL}: levels was {other.levels!r}, is {quotes.levels!r}" in verdict.problem
    assert verdict.calls == number - 1


def test_a_decision_that_is_not_made_again_is_found(tmp_path: Path) -> None:
    path = quoted(new_file(tmp_path))
    codec, parts = Recording(path).codec, parts_of(path)
    parts[1] = parts[1][0], encode_outcome(codec, (Top("v", "s", 1, 1, 2, 1, 1, 0, 0, 0, 0),))
    assert "recorded 1 outputs" in verify(write(path, parts)).problem


def test_an_input_that_is_missing_is_found(tmp_path: Path) -> None:
    path = quoted(new_file(tmp_path))
    parts = parts_of(path)
    del parts[1]  # the instrument
    assert verify(write(path, parts)).problem


def test_another_version_is_not_compared(tmp_path: Path) -> None:
    path = quoted(new_file(tmp_path))
    parts = parts_of(path)
    header = msgspec.msgpack.decode(parts[0][0]) | {"fingerprint": 1}
    parts[0] = msgspec.msgpack.encode(header), parts[0][1]
    assert "another version" in verify(write(path, parts)).problem


def test_a_core_that_cannot_be_built_any_more_is_told(tmp_path: Path) -> None:
    path = quoted(new_file(tmp_path))
    codec, parts = QUOTER.codec(), parts_of(path)
    values = (SYMBOL, VENUE, QuoterTable("main", "gone"))
    parts[0] = parts[0][0], codec.encode((codec.tag(values), values))
    assert "cannot be built any more: quoters" in verify(write(path, parts)).problem


# --- which recordings ----------------------------------------------------------------------------------


def test_a_run_without_recordings_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing is recorded there"):
        recordings_of(tmp_path)
    with pytest.raises(BadInput, match="neither a run directory nor a recording"):
        recordings_of(tmp_path / "gone")
    with pytest.raises(BadInput, match="holds no recording"):
        list(market_messages(tmp_path, VENUE))


def test_a_run_is_all_of_its_recordings_and_a_file_is_itself(tmp_path: Path) -> None:
    one, other = quoted(new_file(tmp_path, "quoter.A")), quoted(new_file(tmp_path, "quoter.B"))
    assert recordings_of(tmp_path) == [one, other]
    assert recordings_of(one) == [one]


def test_a_configuration_of_risk_comes_back_as_it_was(tmp_path: Path) -> None:
    config = parse_risk({"max_position_share": 0.1, "symbols": {SYMBOL: {"max_order_usd": 7.0}}})
    file = new_file(tmp_path, "risk")
    record(RISK, file, config, {"main": VENUE})
    file.close()
    assert Recording(file.path, lambda _kind: RISK.types).values() == (config, {"main": VENUE})
