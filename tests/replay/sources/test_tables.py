"""CSV of best prices and of the trades beside them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from services.replay.settings import Rules
from services.replay.sources.tables import TableRecording
from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Side, Top, Trade
from tests.replay.market import SYMBOL, VENUE

T0 = 1_625_097_600
PLAIN = "time,bid,bid_size,ask,ask_size\n"
PAIRED = "time_seconds,bid_price_bid_size,ask_price_ask_size\n"
TRADES = "time_seconds,price,size,is_buyer_maker\n"


def row(second: float, bid: str = "100.00", ask: str = "100.05", size: str = "1.5") -> str:
    return f"{T0 + second},{bid},{size},{ask},2.0\n"


def written(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def opened(path: Path, rules: Rules | None = None, max_gap_s: float = 60.0) -> TableRecording:
    return TableRecording(path, VENUE, SYMBOL, rules or Rules(), max_gap_s)


def of(tmp_path: Path, text: str, trades: str = "", **changes: Any) -> TableRecording:
    if trades:
        written(tmp_path / "x__trade.csv", trades)
    return opened(written(tmp_path / "x__market-depth.csv", text), **changes)


def told(source: TableRecording, kind: type[Any]) -> list[tuple[float, Any]]:
    found = [(now_ns, message) for now_ns, message in source.messages() if isinstance(message, kind)]
    return [((now_ns - T0 * NS_PER_S) / NS_PER_S, message) for now_ns, message in found]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
@pytest.mark.parametrize(
    "text",
    [
        PLAIN + row(0) + row(1, bid="100.01"),
        PAIRED + f"{T0},100.00_1.5,100.05_2.0\n{T0 + 1},100.01_1.5,100.05_2.0\n",
        PLAIN + f"{T0 * NS_PER_S},100.00,1.5,100.05,2.0\n{(T0 + 1) * NS_PER_S},100.01,1.5,100.05,2.0\n",
    ],
)
def test_both_layouts_tell_the_same_in_seconds_or_nanoseconds(tmp_path: Path, text: str, suffix: str) -> None:
    source = opened(written(tmp_path / f"x{suffix}", text))
    info = source.instrument()
    assert (info.tick_size, info.lot_size, info.is_perp) == ("0.01", "0.5", True)
    tops = told(source, Top)
    assert [(at, top.bid, top.ask, top.bid_size) for at, top in (tops[0], tops[-1])] == [
        (0.0, 10_000, 10_005, 3), (1.0, 10_001, 10_005, 3),
    ]  # fmt: skip
    depth = told(source, Depth)[-1][1]
    assert (depth.bids, depth.asks) == (((10_001, 3),), ((10_005, 4),))
    assert isinstance(next(source.messages())[1], InstrumentInfo)


def test_trades_beside_are_merged_by_time_with_the_takers_side(tmp_path: Path) -> None:
    trades = TRADES + f"{T0 + 0.4},100.00,0.5,true\n{T0 + 0.6},100.05,1.5,0\n{T0 + 0.7},100.05,0,1\n"
    source = of(tmp_path, PLAIN + row(0) + row(1, ask="100.06"), trades)
    found = told(source, Trade)
    assert [(round(at, 3), trade.side, trade.price, trade.size) for at, trade in found] == [
        (0.4, Side.SELL, 10_000, 1), (0.6, Side.BUY, 10_005, 3),
    ]  # fmt: skip
    times = [now_ns for now_ns, _ in source.messages()]
    assert times == sorted(times)


def test_unchanged_prices_are_repeated_as_a_sign_of_life(tmp_path: Path) -> None:
    source = of(tmp_path, PLAIN + row(0) + row(10))
    tops = told(source, Top)
    assert len(tops) == 21  # twice a second
    assert all(top.as_of_ns == T0 * NS_PER_S + round(at * NS_PER_S) for at, top in tops)
    assert all(state.status is FeedStatus.LIVE for _, state in told(source, FeedState))
    assert source.gaps() == []


def test_a_silence_beyond_the_longest_one_is_a_gap_with_begin_and_end(tmp_path: Path) -> None:
    source = of(tmp_path, PLAIN + row(0) + row(30) + row(31), max_gap_s=20)
    states = [(at, state.status) for at, state in told(source, FeedState)]
    assert (0.5, FeedStatus.STALE) in states
    assert not [at for at, status in states if 0.5 < at < 30]
    (gap,) = source.gaps()
    assert (gap.begin_ns, gap.end_ns) == (T0 * NS_PER_S, (T0 + 30) * NS_PER_S)
    assert gap.reason == "silent for 30.0 s"


@pytest.mark.parametrize("bad", [row(1, bid="100.05", ask="100.00"), row(1, size="0")])
def test_a_row_without_two_sides_is_nothing_to_quote_on(tmp_path: Path, bad: str) -> None:
    states = [state.status for _, state in told(of(tmp_path, PLAIN + row(0) + bad + row(2)), FeedState)]
    assert FeedStatus.STALE in states and states[-1] is FeedStatus.LIVE


def test_the_recorded_hour_is_read(shared_data: Path) -> None:
    directory = shared_data / "gemini_ethusd_2021-07-01"
    source = opened(directory / "gemini__eth-usd__2021-07-01__market-depth.csv.gz")
    kinds = {type(message) for _, (_, message) in zip(range(3_000), source.messages(), strict=False)}
    assert {InstrumentInfo, Top, Depth, FeedState, Trade} <= kinds
    assert source.instrument().tick_size == "0.01"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "columns a,b are unknown; known: time_seconds,.* or time,bid,"),
        ("", "columns  are unknown"),
        (PLAIN, "holds no prices"),
        (PLAIN + "soon,1,1,2,1\n", r"row 1: time 'soon' is not a number of seconds or nanoseconds"),
        (PLAIN + "-5,1,1,2,1\n", r"row 1: time '-5' is not a number"),
        (PLAIN + row(0) + f"{T0 + 1},100\n", r"row 2 has 2 cells of 5"),
        (PLAIN + row(0) + row(1, bid="x"), r"'x' is not a number"),
        (PAIRED + f"{T0},100.00,100.05_1\n", r"row 1: '100.00' and '100.05_1' must be price_size"),
        (PLAIN + row(9) + row(2), r"row 2: the recording's clock jumps back by 7\.000 s"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        list(of(tmp_path, text).messages())
    assert str(caught.value).startswith(str(tmp_path / "x__market-depth.csv"))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(2, bid="100.005"), r"depth.csv: row 3: price 100.005 is not a multiple of 0.01"),
        (row(2, size="nan"), r"depth.csv: row 3: size 'nan' is not a number"),
    ],
)
def test_a_bad_cell_further_down_names_its_row(
    tmp_path: Path, bad: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.replay.sources.tables._LOOKED_AT", 2)
    source = of(tmp_path, PLAIN + row(0, bid="100.01") + row(1) + bad)
    with pytest.raises(BadInput, match=words):
        list(source.messages())


@pytest.mark.parametrize(
    ("trades", "words"),
    [
        ("a,b\n", r"trade.csv: columns a,b must be time_seconds,price,size,is_buyer_maker"),
        (TRADES + f"{T0},100.00,1,maybe\n", r"trade.csv: row 1: is_buyer_maker 'maybe' must be 0 or 1"),
        (TRADES + f"{T0},100.00,1\n", r"trade.csv: row 1 has 3 cells of 4"),
    ],
)
def test_what_is_wrong_with_the_trades_names_their_file(tmp_path: Path, trades: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        list(of(tmp_path, PLAIN + row(0) + row(1), trades).messages())


def test_a_truncated_table_is_said(tmp_path: Path) -> None:
    rows = "".join(row(number / 10, size=f"{number % 7 + 1}") for number in range(8_000))
    path = written(tmp_path / "x.csv.gz", PLAIN + rows)
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(BadInput, match=r"x.csv.gz: truncated"):
        list(opened(path).messages())
    path.write_bytes(gzip.compress(PLAIN.encode() + b"\xff\xfe,1,1,1,1\n"))
    with pytest.raises(BadInput, match=r"x.csv.gz: cannot be read"):
        list(opened(path).messages())


def test_a_clock_that_jumps_ahead_names_the_file_and_the_row(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"depth.csv: row 2: the recording's clock jumps ahead by 3601\.000 s"):
        list(of(tmp_path, PLAIN + row(0) + row(3_601)).messages())
    hourly = PLAIN + "".join(row(3_600 * number) for number in range(4))
    assert list(of(tmp_path, hourly).messages())


def test_trades_may_be_hours_apart_but_not_where_there_are_no_prices(tmp_path: Path) -> None:
    prices = PLAIN + "".join(row(3_000 * number) for number in range(5))
    trades = TRADES + f"{T0 + 1},100.00,1.0,1\n{T0 + 12_000},100.00,1.0,1\n"
    assert len(told(of(tmp_path, prices, trades), Trade)) == 2
    far = trades + f"{T0 + 16_000},100.00,1.0,1\n"
    with pytest.raises(BadInput, match=r"trade.csv: row 3: the recording's clock jumps ahead by 4000\.000 s"):
        list(of(tmp_path, prices, far).messages())
