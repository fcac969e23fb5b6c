"""The live view shows everything whole, in a wide terminal as in a narrow one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from services.console.bus.snapshot import take_snapshot
from services.console.running.books import Books
from services.console.running.supervisor import ProcessInfo
from services.console.running.view import PlainView, cells_of, picture
from tests.console.board_scene import CONFIG, NOW_NS, SYMBOL, board_of, everything

NAMES = (
    "feed", "mid", "spread", "our quotes", "position", "account equity", "fills", "volume",
    "account cost/10k", "tick-to-order", "state",
)  # fmt: skip
PROCESSES = {
    "risk": ProcessInfo("RUNNING", 7, 3, 0, True),
    "signals": ProcessInfo("EXITED", None, 0, 78, True),
}


def shown(width: int, *notes: str) -> str:
    board = board_of(*everything())
    snapshot = take_snapshot(CONFIG, board, PROCESSES, {"ALL": "by hand"}, NOW_NS)
    books = Books(CONFIG, NOW_NS)
    for message in everything():
        books.on_message(message, NOW_NS)
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(picture(snapshot, board, books, list(notes), width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 90, 159, 160, 200])
def test_every_value_can_be_read_at_any_width(width: int) -> None:
    text = shown(width)
    for word in (SYMBOL, "live", "150.01", "1.33 bps", "-3.97", "10000.00", "quoting"):
        assert word in text, f"{word} is cut at {width} columns:\n{text}"
    assert max(len(line) for line in text.splitlines()) <= width
    assert "buy 2.66@150" in text
    assert all(word in text for name in NAMES for word in name.split()), text


def test_services_halts_and_notes_are_shown() -> None:
    text = shown(90, "the recording has ended")
    for words in ("risk running", "signals exited", "HALTED ALL: by hand", "the recording has ended"):
        assert words in text


def test_what_is_not_known_is_called_unknown() -> None:
    board = board_of()
    row = take_snapshot(CONFIG, board, None, {}, NOW_NS)["symbols"][SYMBOL]
    cells = cells_of(SYMBOL, row, board, Books(CONFIG, NOW_NS))
    assert tuple(cells) == NAMES
    assert [cells[name] for name in ("mid", "position", "our quotes", "account equity")] == ["unknown"] * 4
    assert (cells["tick-to-order"], cells["account cost/10k"]) == ("-", "-")


def test_plain_lines_tell_a_note_once(capsys: pytest.CaptureFixture[str]) -> None:
    board = board_of(*everything())
    snapshot = take_snapshot(CONFIG, board, PROCESSES, {}, NOW_NS)
    view = PlainView()
    for _ in range(2):
        view.draw(snapshot, board, Books(CONFIG, NOW_NS), ["the recording has ended"])
    printed = capsys.readouterr().out
    assert printed.count("the recording has ended") == 1
    assert printed.count(f"{SYMBOL} | feed live") == 2
