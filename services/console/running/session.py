"""One `makerd run` from the first look to the summary: bus, supervisord and journal together.

`fills.jsonl` is written from the journal as it is read, never from the bus: the bus may lose.
What cannot be read at the end is unknown (null) in the summary.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from services.console.bus.listening import Ear
from services.console.bus.snapshot import take_snapshot
from services.console.commands.venue_reads import instruments_of
from services.console.running.deployment import Deployment
from services.console.running.ledger_view import ZERO, AccountLedger
from services.console.running.view import View
from shared.config import Config
from shared.errors import Unknown
from shared.instrument import plain
from shared.messages import Equity, Position, Side, Top
from shared.state.records import FillEntry
from shared.state.store import StateStore

QUANTILES = (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))


class Session:
    """What one run of a deployment has done so far."""

    def __init__(self, config: Config, deployment: Deployment) -> None:
        """Raises: Unknown when the venue or Redis does not answer."""
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
        self._fills: Counter[str] = Counter()
        self._hedges = 0
        self._last_hedge: dict[tuple[str, str], str] = {}
        self._redis_halts: dict[str, str] = {}
        self._lines = (config.run_dir / "fills.jsonl").open("wb")
        deployment.on_new_venue = self._start_over

    def listen(self, for_s: float) -> None:
        """Take in what happens for a while; read the journal; a Redis that is down is read later."""
        self._ear.follow_quoters()
        self._ear.listen(for_s)
        self._mark()
        with contextlib.suppress(Unknown):
            self._read_journals()
            self._redis_halts = self._store.halts()

    def draw(self, view: View, notes: list[str]) -> None:
        try:
            processes = self._deployment.supervisor.processes()
        except Unknown:
            processes = None
        now_ns = self._ear.clock.monotonic_ns()
        snapshot = take_snapshot(self._config, self._ear.board, processes, self._redis_halts, now_ns)
        view.draw(snapshot, self._ear.board, self.ledgers, notes)

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
        summary = self._summary(facts, is_confirmed=all(confirmed.values()))
        self._ear.close()
        self._store.close()
        return summary

    def _start_over(self) -> None:
        """The local venue is a new one, where nothing is held: what was made so far is kept."""
        with contextlib.suppress(Unknown):
            self._read_journals()
        for ledger in self.ledgers.values():
            ledger.start_over()

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
            if position is not None and position.is_known:
                ledger.hold(symbol, instrument.quantity(position.quantity))
        for account, ledger in self.ledgers.items():
            equity = self._ear.board.newest(Equity, account, "-", now_ns)
            if ledger.start_equity is None and equity is not None and equity.equity_usd is not None:
                ledger.start_equity = Decimal(str(equity.equity_usd))

    def _read_journals(self) -> None:
        for account, ledger in self.ledgers.items():
            journal = self._store.journal(account)
            self._journal_ids[account], entries = journal.after(self._journal_ids[account])
            ledger.add(entries, self._quote_of)
            for entry in entries:
                if isinstance(entry, FillEntry):
                    self._take_fill(account, entry)
        self._lines.flush()

    def _take_fill(self, account: str, fill: FillEntry) -> None:
        self._lines.write(orjson.dumps(_fill_line(account, fill)) + b"\n")
        self._fills["fills_buy" if fill.side is Side.BUY else "fills_sell"] += 1
        key = (account, fill.symbol)
        if fill.is_target and self._last_hedge.get(key) != fill.venue_order_id:
            self._last_hedge[key] = fill.venue_order_id  # the fills of one come in a row: it is an IOC
            self._hedges += 1

    def _summary(self, facts: Mapping[str, Mapping[str, Decimal]], *, is_confirmed: bool) -> dict[str, Any]:
        counts = self._ear.board.counts
        volume = sum((ledger.volume for ledger in self.ledgers.values()), ZERO)
        samples = self._ear.board.tick_to_order_us
        quantiles = {name: samples.percentile(fraction) for name, fraction in QUANTILES}
        return {
            "duration_s": round(time.monotonic() - self._started, 1),
            "quotes": counts["quotes"],
            "orders_placed": counts["orders_placed"],
            "orders_rejected": counts["orders_rejected"],
            "cancels": counts["cancels"],
            "fills": self._fills.total(),
            "fills_buy": self._fills["fills_buy"],
            "fills_sell": self._fills["fills_sell"],
            "hedges": self._hedges,
            "volume_usd": float(volume),
            "cost_per_10k_usd": self._cost(volume),
            "open_orders_at_end": _open_orders(facts, is_confirmed=is_confirmed),
            "ledger_matches_venue": _matches(self._config, facts, is_confirmed=is_confirmed),
            "tick_to_order_us": {**quantiles, "n": samples.n},
            "services": {
                name: {"restarts": count} for name, count in sorted(self._deployment.restarts.items())
            },
        }

    def _cost(self, volume: Decimal) -> float | None:
        pnls = [ledger.pnl for ledger in self.ledgers.values()]
        if not volume or None in pnls:
            return None
        return float(-sum((pnl for pnl in pnls if pnl is not None), ZERO) / volume * 10_000)


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
