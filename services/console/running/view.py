"""The live view of `makerd run`: a table that refreshes, or plain lines where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from services.console.bus.board import Board, Samples
from services.console.running.ledger_view import AccountLedger

UNKNOWN = "unknown"
PLAIN_EVERY_S = 5.0


class View(Protocol):
    """What `run` draws on."""

    #: seconds between two drawings
    period_s: float

    def draw(self, snapshot: dict[str, Any], board: Board, ledgers: dict[str, AccountLedger]) -> None: ...
    def say(self, text: str) -> None: ...


class PlainView:
    """One line a symbol every few seconds."""

    period_s = PLAIN_EVERY_S

    def draw(self, snapshot: dict[str, Any], board: Board, ledgers: dict[str, AccountLedger]) -> None:
        for symbol, row in snapshot["symbols"].items():
            cells = [f"{name} {value}" for name, value in _cells(symbol, row, board, ledgers).items()]
            print(" | ".join([symbol, *cells]), flush=True)

    def say(self, text: str) -> None:
        print(text, flush=True)


class LiveView:
    """A table in the terminal, redrawn twice a second."""

    period_s = 0.5

    def __init__(self, live: Live) -> None:
        self._live = live

    def draw(self, snapshot: dict[str, Any], board: Board, ledgers: dict[str, AccountLedger]) -> None:
        symbols = Table(expand=True)
        for position, (symbol, row) in enumerate(snapshot["symbols"].items()):
            cells = _cells(symbol, row, board, ledgers)
            if position == 0:
                for name in ("symbol", *cells):
                    symbols.add_column(name)
            symbols.add_row(symbol, *cells.values())
        services = Text("  ").join(
            Text(f"{name} {info['state'].lower()}", style="green" if info["state"] == "RUNNING" else "red")
            for name, info in snapshot["services"].items()
        )
        halted = [Text(f"HALTED {scope}: {why}", "bold red") for scope, why in snapshot["halted"].items()]
        self._live.update(Group(symbols, services, *halted, Text("Ctrl-C stops everything", style="dim")))

    def say(self, text: str) -> None:
        self._live.console.print(text)


@contextmanager
def open_view() -> Iterator[View]:
    """Open the view that fits standard output."""
    if not sys.stdout.isatty():
        yield PlainView()
        return
    with Live(console=Console(), auto_refresh=True, refresh_per_second=4) as live:
        yield LiveView(live)


def _cells(
    symbol: str, row: dict[str, Any], board: Board, ledgers: dict[str, AccountLedger]
) -> dict[str, str]:
    account = row["account"]
    ledger = ledgers.get(account)
    median_us = Samples(board.tick_to_order_us).percentile(0.5)
    return {
        "feed": row["feed"],
        "mid": _mid(row),
        "spread": _spread(row),
        "our quotes": _orders(row),
        "position": row["position"] or UNKNOWN,
        "equity": UNKNOWN if ledger is None or ledger.equity is None else f"{ledger.equity:.2f}",
        "fills": str(board.fill_counts[account, symbol]),
        "volume": f"{board.volumes.get((account, symbol), Decimal(0)):.0f}",
        "cost/10k": _cost(ledger),
        "tick-to-order": "-" if median_us is None else f"{median_us:.0f} us",
        "state": row["target"]
        or (row["permit"] if row["permit"] != "quoting" else row["quotes_reason"])
        or "",
    }


def _cost(ledger: AccountLedger | None) -> str:
    cost = None if ledger is None else ledger.cost_per_10k
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
