"""One `makerd run` from the first look to the summary: bus, supervisord and journal together.

`finish` writes `fills.jsonl` from the journal, never from the bus: the bus may lose.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from services.console.bus.board import Samples
from services.console.bus.listening import Ear
from services.console.bus.snapshot import take_snapshot
from services.console.commands.venue_reads import instruments_of
from services.console.running.deployment import Deployment
from services.console.running.ledger_view import ZERO, AccountLedger
from services.console.running.view import View
from shared.config import Config
from shared.errors import Unknown
from shared.instrument import plain
from shared.messages import Equity, Position, Top
from shared.state.records import FillEntry, JournalEntry
from shared.state.store import StateStore


class Session:
    """What one run of a deployment has done so far."""

    def __init__(self, config: Config, deployment: Deployment) -> None:
        self._config = config
        self._deployment = deployment
        self._ear = Ear(config)
        self._ear.subscribe_for_board()
        self._store = StateStore.of(config)
        self._started = time.monotonic()
        self._quote_of: dict[str, str] = {}
        for venue in config.venues:
            for info in instruments_of(config, venue).values():
                self._ear.board.add_instrument(info)
                self._quote_of[info.symbol] = info.quote
        self.ledgers = {account: AccountLedger() for account in config.accounts}
        self._journal_ids = {account: self._store.journal(account).last_id() for account in config.accounts}
        self._entries: dict[str, list[JournalEntry]] = {account: [] for account in config.accounts}

    def listen(self, for_s: float) -> None:
        """Take in what happens for a while; read the journal; a Redis that is down is read later."""
        self._ear.listen(for_s)
        self._mark()
        with contextlib.suppress(Unknown):
            self._read_journals()

    def draw(self, view: View) -> None:
        try:
            processes = self._deployment.supervisor.processes()
        except Unknown:
            processes = None
        now_ns = self._ear.clock.monotonic_ns()
        view.draw(
            take_snapshot(self._config, self._ear.board, processes, now_ns), self._ear.board, self.ledgers
        )

    def finish(self) -> dict[str, Any]:
        """Write the fills and return the summary. To be called when `execution` has confirmed and left."""
        self._ear.listen(0.3)
        self._read_journals()
        self._write_fills(self._config.run_dir / "fills.jsonl")
        facts = {account: self._store.ledger(account) for account in self._config.accounts}
        summary = self._summary(facts)
        self._ear.close()
        self._store.close()
        return summary

    def _mark(self) -> None:
        now_ns = self._ear.clock.monotonic_ns()
        for account, symbol in self._ear.board.symbols():
            ledger = self.ledgers[account]
            venue = self._config.accounts[account].venue
            top = self._ear.board.newest(Top, venue, symbol, now_ns)
            instrument = self._ear.board.instrument(venue, symbol)
            if instrument is None:
                continue
            if top is not None and top.bid is not None and top.ask is not None:
                ledger.mark(symbol, instrument.tick_size * (top.bid + top.ask) / 2)
            position = self._ear.board.newest(Position, account, symbol, now_ns)
            if position is not None and position.is_known and symbol not in ledger.start_positions:
                ledger.start_positions[symbol] = ledger.positions[symbol] = instrument.quantity(
                    position.quantity
                )
        for account, ledger in self.ledgers.items():
            equity = self._ear.board.newest(Equity, account, "-", now_ns)
            if ledger.start_equity is None and equity is not None and equity.equity_usd is not None:
                ledger.start_equity = Decimal(str(equity.equity_usd))

    def _read_journals(self) -> None:
        for account, ledger in self.ledgers.items():
            journal = self._store.journal(account)
            self._journal_ids[account], entries = journal.after(self._journal_ids[account])
            ledger.add(entries, self._quote_of)
            self._entries[account] += entries

    def _write_fills(self, path: Path) -> None:
        with path.open("wb") as lines:
            for account, entries in self._entries.items():
                for entry in entries:
                    if isinstance(entry, FillEntry):
                        lines.write(orjson.dumps(_fill_line(account, entry)) + b"\n")

    def _summary(self, facts: Mapping[str, Mapping[str, Decimal]]) -> dict[str, Any]:
        counts = self._ear.board.counts
        fills = [
            entry for entries in self._entries.values() for entry in entries if isinstance(entry, FillEntry)
        ]
        volume = sum((ledger.volume for ledger in self.ledgers.values()), ZERO)
        pnls = [ledger.pnl for ledger in self.ledgers.values()]
        cost = None
        if volume and None not in pnls:
            cost = float(-sum((pnl for pnl in pnls if pnl is not None), ZERO) / volume * 10_000)
        samples = Samples(self._ear.board.tick_to_order_us)
        open_orders = [fact.get("open_orders_at_end") for fact in facts.values()]
        return {
            "duration_s": round(time.monotonic() - self._started, 1),
            "quotes": counts["quotes"],
            "orders_placed": counts["orders_placed"],
            "orders_rejected": counts["orders_rejected"],
            "cancels": counts["cancels"],
            "fills": len(fills),
            "fills_buy": sum(fill.side.name == "BUY" for fill in fills),
            "fills_sell": sum(fill.side.name == "SELL" for fill in fills),
            "hedges": len({fill.venue_order_id for fill in fills if fill.is_target}),
            "volume_usd": float(volume),
            "cost_per_10k_usd": cost,
            "open_orders_at_end": None if None in open_orders else int(sum(n or 0 for n in open_orders)),
            "ledger_matches_venue": all(fact.get("matches_venue") == 1 for fact in facts.values()),
            "tick_to_order_us": {
                name: samples.percentile(fraction)
                for name, fraction in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))
            },
            "services": {
                name: {"restarts": count} for name, count in sorted(self._deployment.restarts.items())
            },
        }


def _fill_line(account: str, fill: FillEntry) -> dict[str, Any]:
    return {
        "account": account,
        "symbol": fill.symbol,
        "side": fill.side.name.lower(),
        "price": plain(fill.price),
        "quantity": plain(fill.quantity),
        "fee": plain(fill.fee),
        "fee_asset": fill.fee_asset,
        "is_maker": fill.is_maker,
        "is_hedge": fill.is_target,
        "mid": None if fill.mid is None else plain(fill.mid),
        "position_after": plain(fill.position_after),
        "trade_id": fill.trade_id,
        "venue_order_id": fill.venue_order_id,
        "client_order_id": fill.client_order_id,
        "venue_ns": fill.venue_ns,
    }
