"""From `[SYMBOL=]DATA` on the command line to sources; what cannot be opened is one clear line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from services.replay.settings import ReplaySettings
from services.replay.sources.base import Source
from services.replay.sources.binance import BinanceRecording
from services.replay.sources.opening import open_data
from services.replay.sources.recorded import OwnRecording
from services.replay.sources.synthetic import SyntheticSource
from services.replay.sources.tables import TableRecording
from shared.errors import BadInput
from tests.replay.market import START_NS, SYMBOL, config_of, info_of, write_lines
from tests.replay.sources.frames import a_market
from tests.replay.sources.test_recorded import written

OTHER = "SOL_USDC_PERP"


def opened(tmp_path: Path, *texts: str, symbols: tuple[str, ...] = (SYMBOL,)) -> dict[str, list[Source]]:
    return open_data(list(texts), config_of(tmp_path, symbols), ReplaySettings(), 5.0)


def test_each_format_is_known_by_its_first_line(tmp_path: Path) -> None:
    frames = write_lines(tmp_path / "a.gz", a_market(5).lines)
    table = tmp_path / "b.csv"
    table.write_text("time,bid,bid_size,ask,ask_size\n1700000000,99,1,101,1\n")
    written(tmp_path / "run", marketdata__backpack=[(START_NS, info_of())])
    run = str(tmp_path / "run")
    found = opened(tmp_path, str(frames), str(table), run, "synthetic", "synthetic:3")
    kinds = [type(source) for source in found[SYMBOL]]
    assert kinds == [BinanceRecording, TableRecording, OwnRecording, SyntheticSource, SyntheticSource]
    assert [source.name for source in found[SYMBOL]][-2:] == ["synthetic:7", "synthetic:3"]


def test_several_symbols_are_told_apart_by_name(tmp_path: Path) -> None:
    texts = (f"{SYMBOL}=synthetic", f"{OTHER}=synthetic:1", f"{SYMBOL}=synthetic:2")
    found = opened(tmp_path, *texts, symbols=(SYMBOL, OTHER))
    assert {symbol: len(files) for symbol, files in found.items()} == {SYMBOL: 2, OTHER: 1}


@pytest.mark.parametrize(
    ("text", "symbols", "words"),
    [
        ("=x", (SYMBOL,), "data '=x' must be SYMBOL=PATH or PATH"),
        (f"{SYMBOL}=", (SYMBOL,), "must be SYMBOL=PATH or PATH"),
        ("synthetic", (SYMBOL, OTHER), f"say which symbol, SYMBOL=synthetic; quoters: {SYMBOL}, {OTHER}"),
        ("synthetic", (), "say which symbol, .*; quoters: none"),
        ("X=synthetic", (), "the configuration has no quoter"),
        ("synthetic:x", (SYMBOL,), "data 'synthetic:x': the seed must be a whole number"),
        ("MOON=synthetic", (SYMBOL,), "synthetic market 'MOON' is not known; choices: "),
        ("/nowhere/x.gz", (SYMBOL,), "/nowhere/x.gz cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_named(
    tmp_path: Path, text: str, symbols: tuple[str, ...], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        opened(tmp_path, text, symbols=symbols)


def test_no_data_at_all_lists_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no data given; known: raw Binance frames"):
        opened(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"hello world\n", b"\x00\x01\x02", b"1,2,3\n"])
def test_an_unknown_format_lists_the_known_ones(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    words = "x.bin is of no known format, it begins with .*; known: raw Binance frames .*CSV .*synthetic"
    with pytest.raises(BadInput, match=words):
        opened(tmp_path, str(path))


@pytest.mark.parametrize("content", [b"no gzip at all", gzip.compress(b"1 {}\n" * 50)[:-12], b""])
def test_a_gzip_that_is_none_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.gz"):
        opened(tmp_path, str(path))


def test_a_directory_without_a_recording_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty holds no recording; `makerd record on`"):
        opened(tmp_path, str(tmp_path / "empty"))
