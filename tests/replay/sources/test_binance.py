"""Raw Binance frames: the live core reads them; what is wrong is one clear line or a gap."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from services.marketdata.config import MarketDataConfig
from services.replay.settings import Rules
from services.replay.sources.binance import BinanceRecording, names_of
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import BadInput
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Message, Side, Top, Trade
from tests.replay.market import SYMBOL, VENUE, write_lines
from tests.replay.sources.frames import NATIVE, Frames, a_market


def opened(path: Path, rules: Rules | None = None) -> BinanceRecording:
    return BinanceRecording(path, VENUE, SYMBOL, rules or Rules(), MarketDataConfig())


def of(tmp_path: Path, frames: Frames, rules: Rules | None = None) -> BinanceRecording:
    return opened(write_lines(tmp_path / "frames.txt", frames.lines), rules)


def told(source: BinanceRecording, kind: type[Any]) -> list[tuple[int, Any]]:
    return [(now_ns, message) for now_ns, message in source.messages() if isinstance(message, kind)]


def statuses(source: BinanceRecording) -> list[FeedStatus]:
    found: list[FeedStatus] = []
    for _, state in told(source, FeedState):
        if not found or found[-1] is not state.status:
            found.append(state.status)
    return found


def test_D10_the_rules_are_found_in_the_data(tmp_path: Path) -> None:
    info = of(tmp_path, a_market().trade("2000.05", "0.015")).instrument()
    assert (info.base, info.quote, info.is_perp) == ("ETH", "USDT", True)
    assert (info.tick_size, info.lot_size, info.min_quantity) == ("0.01", "0.005", "0.005")


def test_rules_that_a_person_gives_come_first(tmp_path: Path) -> None:
    given = Rules(tick_size="0.005", lot_size="0.001", min_notional="5", is_perp=False, base="X", quote="Y")
    info = of(tmp_path, a_market(), given).instrument()
    assert (info.tick_size, info.lot_size, info.min_notional) == ("0.005", "0.001", "5")
    assert (info.base, info.quote, info.is_perp) == ("X", "Y", False)


@pytest.mark.parametrize(
    ("native", "names"),
    [
        ("ETHUSDT", ("ETH", "USDT")),
        ("ETHBTC", ("ETH", "BTC")),
        ("USDT", ("USDT", "QUOTE")),
        ("", ("BASE", "QUOTE")),
    ],
)
def test_a_symbol_is_its_base_and_its_quote(native: str, names: tuple[str, str]) -> None:
    assert names_of(native) == names


@pytest.mark.parametrize("is_futures", [True, False])
def test_futures_are_chained_by_pu_and_spot_by_the_first_id(tmp_path: Path, is_futures: bool) -> None:
    source = of(tmp_path, a_market(is_futures=is_futures))
    assert source.instrument().is_perp is is_futures
    assert statuses(source)[-1] is FeedStatus.LIVE
    assert source.gaps() == []
    tops = [top for _, top in told(source, Top)]
    assert (tops[-1].bid, tops[-1].ask) == (200_000, 200_001)
    assert isinstance(told(source, Depth)[-1][1], Depth)


@pytest.mark.parametrize("is_futures", [True, False])
def test_lost_updates_are_a_gap_until_the_file_holds_another_snapshot(
    tmp_path: Path, is_futures: bool
) -> None:
    frames = a_market(100, is_futures=is_futures)
    lost_ns = (frames.now_ms + 20) * NS_PER_MS
    frames.depth(lost=5).calm(100)
    silent_ns = frames.now_ms * NS_PER_MS
    frames.snapshot().calm(200)
    source = of(tmp_path, frames)
    live = [(now_ns, state.status is FeedStatus.LIVE) for now_ns, state in told(source, FeedState)]
    assert not [now_ns for now_ns, is_live in live if is_live and lost_ns <= now_ns <= silent_ns]
    assert live[-1][1]
    (gap,) = source.gaps()
    assert gap.begin_ns == lost_ns and gap.reason
    assert gap.end_ns is not None and silent_ns < gap.end_ns < silent_ns + 3 * NS_PER_S


def test_a_gap_to_the_end_of_the_file_has_no_end(tmp_path: Path) -> None:
    source = of(tmp_path, a_market(100).depth(lost=5).calm(100))
    assert list(source.messages())
    (gap,) = source.gaps()
    assert gap.end_ns is None


def test_silence_is_a_gap(tmp_path: Path) -> None:
    frames = a_market(100)
    frames.now_ms += 30_000
    source = of(tmp_path, frames.calm(200))
    assert statuses(source)[-1] is FeedStatus.LIVE
    assert [gap.end_ns is not None for gap in source.gaps()] == [True]


def test_D02_a_trade_has_the_takers_side(tmp_path: Path) -> None:
    frames = a_market().trade("2000.00", "1.000", True).trade("2000.01", "2.000", False)
    frames.trade("2000.01", "2.000", X="INSURANCE_FUND")  # no trade of the book
    trades = [trade for _, trade in told(of(tmp_path, frames), Trade)]
    assert [(trade.side, trade.price) for trade in trades] == [(Side.SELL, 200_000), (Side.BUY, 200_001)]


def test_the_first_message_is_the_rules_and_times_never_fall(tmp_path: Path) -> None:
    frames = a_market()
    frames.lines[40], frames.lines[41] = frames.lines[41], frames.lines[40]  # a little disorder of stamps
    frames.lines[40:42] = [
        (frames.lines[40][0], frames.lines[41][1]),
        (frames.lines[41][0], frames.lines[40][1]),
    ]
    messages: list[tuple[int, Message]] = list(of(tmp_path, frames).messages())
    assert isinstance(messages[0][1], InstrumentInfo)
    times = [now_ns for now_ns, _ in messages]
    assert times == sorted(times)


def test_the_same_file_tells_the_same_again(tmp_path: Path) -> None:
    source = of(tmp_path, a_market().depth(lost=3).calm(50))
    assert list(source.messages()) == list(source.messages())
    assert len(source.gaps()) == 1
    assert 0 < source.position() <= source.size


# --- what is wrong with a file ----------------------------------------------------------------


def test_a_clock_that_jumps_ahead_names_the_file_and_the_line(tmp_path: Path) -> None:
    frames = a_market(50)
    frames.now_ms += 3_600_000 * 24 * 365 * 300
    with pytest.raises(BadInput, match=r"frames.txt: line 53: the recording's clock jumps ahead by 94608"):
        list(of(tmp_path, frames.calm(5)).messages())


def line_of(now_ns: int, frame: Any) -> str:
    return f"{now_ns} {json.dumps(frame)}\n"


def test_a_clock_that_jumps_back_names_the_file_and_the_line(tmp_path: Path) -> None:
    frames = a_market(50)
    frames.now_ms -= 5_000
    with pytest.raises(BadInput, match=r"frames.txt: line 53: the recording's clock jumps back by 4\.980 s"):
        list(of(tmp_path, frames.calm(5)).messages())


def test_a_truncated_gzip_is_said(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "frames.gz", a_market(8_000).lines)
    path.write_bytes(path.read_bytes()[:-2_000])
    with pytest.raises(BadInput, match=r"frames.gz: truncated"):
        list(opened(path).messages())
    path.write_bytes(b"\x1f\x8b" + bytes(30))
    with pytest.raises(BadInput, match=r"frames.gz: "):
        opened(path)


@pytest.mark.parametrize("suffix", [".txt", ".gz"])
def test_a_last_line_that_is_cut_off_names_it_and_one_without_its_end_is_read(
    tmp_path: Path, suffix: str
) -> None:
    text = "".join(line_of(*line) for line in a_market(5).lines)
    path = tmp_path / f"frames{suffix}"

    def write(whole: str) -> None:
        path.write_bytes(gzip.compress(whole.encode()) if suffix == ".gz" else whole.encode())

    write(text[:-30])
    with pytest.raises(BadInput, match=rf"frames{suffix}: line 7 is cut off: "):
        opened(path)
    write(text.rstrip("\n"))
    assert isinstance(list(opened(path).messages())[-1][1], FeedState)


BROKEN: dict[str, tuple[str, str]] = {
    "no time": ("hello {}\n", r"line 2 does not begin with a time in ns"),
    "not JSON": ("1700000000900000000 {nonsense}\n", r"line 2 is not a Binance frame"),
    "no frame": ("1700000000900000000 [1, 2]\n", r"line 2 is not a Binance frame"),
    "a word for a price": (
        line_of(1_700_000_000_900_000_000, {"lastUpdateId": 1, "bids": [["x", "1"]], "asks": []}),
        r"'x' is not a number",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_frame_among_the_first_lines_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / "frames.txt"
    line, words = BROKEN[name]
    path.write_text(line_of(*a_market(1).lines[0]) + line)
    with pytest.raises(BadInput, match=words):
        opened(path)


def _stream(kind: str, **changes: Any) -> dict[str, Any]:
    values = {
        "depth": {"U": 1, "u": 2, "pu": 0, "b": [], "a": []},
        "bookTicker": {"u": 1, "b": "2000", "B": "1", "a": "2001", "A": "1"},
        "trade": {"t": 1, "p": "1", "q": "1", "m": True},
    }
    return {"stream": f"x@{kind}", "data": {"s": NATIVE, "E": 1, **values[kind], **changes}}


LATE: dict[str, tuple[dict[str, Any], str]] = {
    "off the grid": (_stream("depth", b=[["2000.005", "1"]]), r"price 2000\.005 is not a multiple of 0\.01"),
    "no number": (_stream("bookTicker", B="x"), r"size 'x' is not a number"),
    "a negative size": (_stream("bookTicker", B="-1"), r"size -1 is not a multiple"),
    "a level without size": ({"lastUpdateId": 1, "bids": [["2000"]], "asks": []}, "not a Binance frame"),
    "a stream that is no text": ({"stream": 7, "data": {}}, "not a Binance frame"),
    "an id that is no number": (_stream("depth", U="a"), "not a Binance frame"),
    "another symbol": (_stream("trade", s="BTCUSDT"), r"of 'BTCUSDT' in a file of 'ETHUSDT'"),
}


@pytest.mark.parametrize("name", LATE)
def test_what_is_wrong_later_names_the_file_and_the_line(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.replay.sources.binance._LOOKED_AT", 50)
    frame, words = LATE[name]
    source = of(tmp_path, a_market(100).add(frame))
    with pytest.raises(BadInput, match=rf"frames.txt: line 103: .*{words}"):
        list(source.messages())


def test_a_file_without_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no prices"):
        of(tmp_path, Frames().depth())


@pytest.mark.parametrize("name", ["binance_usdm_2024-08-08", "binance_spot_2024-08-08"])
def test_the_recorded_days_are_read(shared_data: Path, name: str) -> None:
    source = opened(shared_data / name / "ethusdt_20240808.gz")
    info = source.instrument()
    assert (info.tick_size, info.base, info.quote) == ("0.01", "ETH", "USDT")
    kinds: dict[type[Message], int] = {}
    states = []
    for number, (_, message) in enumerate(source.messages()):
        kinds[type(message)] = kinds.get(type(message), 0) + 1
        if isinstance(message, FeedState):
            states.append(message.status)
        if number > 5_000:
            break
    assert kinds[Top] > 1_000 and kinds[Trade] > 50 and kinds[Depth] > 100
    assert states[-1] is FeedStatus.LIVE and source.gaps() == []
