"""The live view of `makerd run`: a table that refreshes, or plain lines where there is no terminal.

Equity and cost are those of the account, the same for all of its symbols; the rest is each symbol's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from services.console.bus.board import Board
from services.console.running.books import Books, volume_of

UNKNOWN = "unknown"
PLAIN_EVERY_S = 5.0
#: in a narrower terminal a symbol is a card: one row for all of them would be cut
TABLE_WIDTH = 160
_CARD_PAIRS = 2
#: columns that may take several lines, and how narrow they may be
_FOLDED = {"our quotes": 22, "state": 12}
Cells = dict[str, str]


class View(Protocol):
    """What `run` draws on. A terminal that is gone must not keep anybody from stopping."""

    #: seconds between two drawings
    period_s: float

    def draw(self, snapshot: dict[str, Any], board: Board, books: Books, notes: list[str]) -> None:
        """Show the present; `notes` say what is unusual."""
        ...

    def say(self, text: str) -> None: ...


def say(text: str) -> None:
    """Print a line; where nobody reads it any more, go on without."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as the process lives


class PlainView:
    """One line a symbol every few seconds, and every note once."""

    period_s = PLAIN_EVERY_S

    def __init__(self) -> None:
        self._told: list[str] = []

    def draw(self, snapshot: dict[str, Any], board: Board, books: Books, notes: list[str]) -> None:
        for title, row in snapshot["symbols"].items():
            cells = [f"{name} {value}" for name, value in cells_of(row["symbol"], row, board, books).items()]
            say(" | ".join([title, *cells]))
        for note in [note for note in notes if note not in self._told]:
            say(note)
        self._told = notes

    def say(self, text: str) -> None:
        say(text)


class LiveView:
    """A table in the terminal, redrawn twice a second."""

    period_s = 0.5

    def __init__(self, live: Live) -> None:
        self._live = live

    def draw(self, snapshot: dict[str, Any], board: Board, books: Books, notes: list[str]) -> None:
        with suppress(OSError):
            self._live.update(picture(snapshot, board, books, notes, self._live.console.width))

    def say(self, text: str) -> None:
        with suppress(OSError):
            self._live.console.print(text, markup=False)


@contextmanager
def open_view() -> Iterator[View]:
    """Open the view that fits standard output."""
    if not sys.stdout.isatty():
        yield PlainView()
        return
    live = Live(console=Console(), auto_refresh=True, refresh_per_second=4)
    live.start()
    try:
        yield LiveView(live)
    finally:
        with suppress(OSError):
            live.stop()


def picture(snapshot: dict[str, Any], board: Board, books: Books, notes: list[str], width: int) -> Group:
    """Return everything that is shown, as wide as a terminal of `width` columns shows it whole."""
    seen: dict[str, dict[str, Any]] = snapshot["symbols"]
    rows = {title: cells_of(row["symbol"], row, board, books) for title, row in seen.items()}
    symbols: list[RenderableType]
    symbols = [_table(rows)] if width >= TABLE_WIDTH else [_card(*row) for row in rows.items()]
    services = Text("  ").join(
        Text(f"{name} {info['state'].lower()}", style="green" if info["state"] == "RUNNING" else "red")
        for name, info in snapshot["services"].items()
    )
    halted = [Text(f"HALTED {scope}: {why}", "bold red") for scope, why in snapshot["halted"].items()]
    unusual = [Text(note, "yellow") for note in notes]
    return Group(*symbols, services, *halted, *unusual, Text("Ctrl-C stops everything", style="dim"))


def _table(rows: dict[str, Cells]) -> Table:
    table = Table(expand=True)
    for position, (symbol, cells) in enumerate(rows.items()):
        if position == 0:
            for name in ("symbol", *cells):
                header = name.replace("account ", "account\n")
                table.add_column(
                    header, no_wrap=name not in _FOLDED, min_width=_FOLDED.get(name), overflow="fold"
                )
        table.add_row(symbol, *cells.values())
    return table


def _card(symbol: str, cells: Cells) -> Table:
    """Return one symbol as pairs of name and value, the last one in a line of its own."""
    card = Table.grid(padding=(0, 2))
    for _ in range(_CARD_PAIRS):
        card.add_column(style="dim", no_wrap=True)
        card.add_column(overflow="fold")
    pairs = [("symbol", symbol), *cells.items()]
    for at in range(0, len(pairs), _CARD_PAIRS):
        card.add_row(*(text for pair in pairs[at : at + _CARD_PAIRS] for text in pair))
    card.add_row()
    return card


def cells_of(symbol: str, row: dict[str, Any], board: Board, books: Books) -> Cells:
    """Return what is shown of a symbol, by the names of the columns."""
    account = row["account"]
    session, equity = books.session(account, symbol), books.equity(account)
    median_us = board.samples_of(account, symbol).percentile(0.5)
    return {
        "feed": row["feed"],
        "mid": _mid(row),
        "spread": _spread(row),
        "our quotes": _orders(row),
        "position": row["position"] or UNKNOWN,
        "account equity": UNKNOWN if equity is None else f"{equity:.2f}",
        "fills": str(0 if session is None else session.ledger.fills),
        "volume": f"{volume_of(session):.0f}",
        "account cost/10k": _cost(books, account),
        "tick-to-order": "-" if median_us is None else f"{median_us:.0f} us",
        "state": row["target"]
        or (row["permit"] if row["permit"] != "quoting" else row["quotes_reason"])
        or "",
    }


def _cost(books: Books, account: str) -> str:
    cost = books.cost_per_10k(account)
    return "-" if cost is None else f"{cost:.3f}"


def _mid(row: dict[str, Any]) -> str:
    if row["bid"] is None or row["ask"] is None:
        return UNKNOWN
    return f"{(Decimal(row['bid']) + Decimal(row['ask'])) / 2:f}"


def _spread(row: dict[str, Any]) -> str:
    if row["bid"] is None or row["ask"] is None:
        return UNKNOWN
    bid, ask = Decimal(row["bid"]), Decimal(row["ask"])
    return f"{(ask - bid) / (ask + bid) * 20_000:.2f} bps"


def _orders(row: dict[str, Any]) -> str:
    if row["working_orders"] is None:
        return UNKNOWN
    return (
        " ".join(f"{order['side']} {order['quantity']}@{order['price']}" for order in row["working_orders"])
        or "-"
    )
