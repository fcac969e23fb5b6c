"""One `makerd run` from the first look to the summary: bus, supervisord and journal together.

`fills.jsonl` is written from the journal as it is read, never from the bus: the bus may lose.
What cannot be read at the end is unknown (null) in the summary.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from services.console.bus.listening import Ear
from services.console.bus.snapshot import take_snapshot
from services.console.commands.venue_reads import instruments_of
from services.console.running.books import Books
from services.console.running.deployment import Deployment
from services.console.running.stats_file import DeploymentStats, write_stats
from services.console.running.view import View
from shared.accounting.money.exact import ZERO, total
from shared.accounting.money.values import PART_NAMES, VOLUME_NAMES
from shared.accounting.report import costs_of
from shared.clock import NS_PER_MS
from shared.config import Config
from shared.errors import Unknown
from shared.instrument import plain
from shared.state.records import FillEntry
from shared.state.store import StateStore

WRITE_S = 1.0
#: counts of a symbol that the summary adds up
COUNTED = (
    "quotes", "orders_placed", "orders_rejected", "cancels", "fills", "fills_buy", "fills_sell", "hedges",
)  # fmt: skip
QUANTILES = (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))


class Session:
    """What one run of a deployment has done so far."""

    def __init__(self, config: Config, deployment: Deployment) -> None:
        """Raises: Unknown when the venue or Redis does not answer."""
        self._config = config
        self._deployment = deployment
        self._ear = Ear(config)
        self._ear.subscribe_for_board()
        self._ear.subscribe_for_books()
        self._store = StateStore.of(config)
        self._started = time.monotonic()
        self.books = Books(config, self._ear.clock.monotonic_ns())
        self._ear.on_message = self.books.on_message
        for venue in config.venues:
            for info in instruments_of(config, venue).values():
                self._ear.board.add_instrument(info)
                self.books.add_instrument(info)
        self._journal_ids = {account: self._store.journal(account).last_id() for account in config.accounts}
        self._written = self._started
        self._redis_halts: dict[str, str] = {}
        self._lines = (config.run_dir / "fills.jsonl").open("wb")
        deployment.on_new_venue = self._start_over

    def listen(self, for_s: float) -> None:
        """Take in what happens for a while; read the journal; a Redis that is down is read later."""
        self._ear.follow_quoters()
        self._ear.listen(for_s)
        self.books.watch(self._ear.board, self._ear.clock.monotonic_ns())
        with contextlib.suppress(Unknown):
            self._read_journals()
            self._redis_halts = self._store.halts()
        if time.monotonic() - self._written >= WRITE_S:
            self._written = time.monotonic()
            write_stats(self._config.run_dir, self._stats(is_running=True))

    def draw(self, view: View, notes: list[str]) -> None:
        try:
            processes = self._deployment.supervisor.processes()
        except Unknown:
            processes = None
        now_ns = self._ear.clock.monotonic_ns()
        snapshot = take_snapshot(self._config, self._ear.board, processes, self._redis_halts, now_ns)
        view.draw(snapshot, self._ear.board, self.books, notes)

    def finish(self, confirmed: Mapping[str, bool]) -> dict[str, Any]:
        """Return the summary. To be called when `execution` has left.

        confirmed  account -> whether its execution left with the venue's confirmation
        """
        self._ear.listen(0.3)
        facts: dict[str, dict[str, Decimal]] = {}
        with contextlib.suppress(Unknown):
            self._read_journals()
            facts = {account: self._store.ledger(account) for account in self._config.accounts}
        self._lines.close()
        stats = self._stats(is_running=False)
        write_stats(self._config.run_dir, stats)
        summary = self._summary(stats, facts, is_confirmed=all(confirmed.values()))
        self._ear.close()
        self._store.close()
        return summary

    def _start_over(self) -> None:
        """The local venue is a new one, where nothing is held: what was made so far is kept."""
        with contextlib.suppress(Unknown):
            self._read_journals()
        self.books.start_over()

    def _stats(self, *, is_running: bool) -> DeploymentStats:
        clock = self._ear.clock
        return self.books.stats(clock.monotonic_ns(), clock.wall_ns() // NS_PER_MS, is_running=is_running)

    def _read_journals(self) -> None:
        for account in self._config.accounts:
            journal = self._store.journal(account)
            self._journal_ids[account], entries = journal.after(self._journal_ids[account])
            self.books.book(account, entries)
            for entry in entries:
                if isinstance(entry, FillEntry):
                    self._lines.write(orjson.dumps(_fill_line(account, entry)) + b"\n")
        self._lines.flush()

    def _summary(
        self, stats: DeploymentStats, facts: Mapping[str, Mapping[str, Decimal]], *, is_confirmed: bool
    ) -> dict[str, Any]:
        samples = self._ear.board.tick_to_order_us
        quantiles = {name: samples.percentile(fraction) for name, fraction in QUANTILES}
        return {
            "duration_s": round(time.monotonic() - self._started, 1),
            **summary_of(stats),
            "open_orders_at_end": _open_orders(facts, is_confirmed=is_confirmed),
            "ledger_matches_venue": _matches(self._config, facts, is_confirmed=is_confirmed),
            "tick_to_order_us": {**quantiles, "n": samples.n},
            "services": {
                name: {"restarts": count} for name, count in sorted(self._deployment.restarts.items())
            },
        }


def summary_of(stats: DeploymentStats) -> dict[str, Any]:
    """Return the sums over all symbols, and every symbol's report; money that is not known is None."""
    reports = [report for account in stats.accounts.values() for report in account.symbols.values()]
    nets = [account.net for account in stats.accounts.values()]
    known = [net for net in nets if net is not None]
    net = total(*known) if len(known) == len(nets) else None
    volume = total(*(account.costs.volume for account in stats.accounts.values()))
    costs = costs_of(net, volume)
    return {
        **{name: sum(getattr(report.activity, name) for report in reports) for name in COUNTED},
        "volume_usd": float(volume),
        "cost_per_10k_usd": costs.cost_per_10k,
        "wear_rate_pct": costs.wear_rate_pct,
        "net_usd": net,
        "parts_usd": {
            name: total(*(getattr(report.money.parts, name) for report in reports)) for name in PART_NAMES
        },
        "volumes_usd": {
            name: total(*(getattr(report.money.volumes, name) for report in reports)) for name in VOLUME_NAMES
        },
        "accounts": stats.accounts,
    }


def _open_orders(facts: Mapping[str, Mapping[str, Decimal]], *, is_confirmed: bool) -> int | None:
    """Return how many orders of ours are open; None = nobody has confirmed that."""
    if not is_confirmed:
        return None
    return int(sum((fact.get("open_orders_at_end", ZERO) for fact in facts.values()), ZERO))


def _matches(
    config: Config, facts: Mapping[str, Mapping[str, Decimal]], *, is_confirmed: bool
) -> bool | None:
    """Return whether every ledger is the venue's balance to the last digit; None = one is not known."""
    found = [facts.get(account, {}).get("matches_venue") for account in config.accounts]
    if not is_confirmed or None in found:
        return None
    return all(value == 1 for value in found)


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
