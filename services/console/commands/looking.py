"""Commands that look: `status`, `orders`, `positions`, `fills`, `tap`."""

from __future__ import annotations

import sys
import time
from decimal import Decimal
from typing import Any

import msgspec
import orjson
from rich.console import Console
from rich.table import Table

from services.console.bus.listening import Ear
from services.console.bus.snapshot import take_snapshot
from services.console.commands.venue_reads import instruments_of
from services.console.running.supervisor import Supervisor
from shared.config import Config
from shared.errors import BadInput, Unknown
from shared.instrument import plain
from shared.messages import KINDS, Working
from shared.state.records import FillEntry
from shared.state.store import StateStore

#: two heartbeats: whoever is alive has been heard by then
LISTEN_S = 0.8
PIPE_WIDTH = 160


def snapshot_of(config: Config) -> dict[str, Any]:
    """Listen to a deployment for a moment and return what is known of it."""
    ear = Ear(config)
    try:
        ear.subscribe_for_board()
        ear.listen(LISTEN_S)
        _fill_instruments(config, ear)
        try:
            processes = Supervisor(config.run_dir).processes()
        except Unknown:
            processes = None
        return take_snapshot(config, ear.board, processes, _redis_halts(config), ear.clock.monotonic_ns())
    finally:
        ear.close()


def _redis_halts(config: Config) -> dict[str, str]:
    """Return the flags in Redis; while it does not answer those in files are all that is known."""
    store = StateStore.of(config)
    try:
        return store.halts()
    except Unknown:
        return {}
    finally:
        store.close()


def _fill_instruments(config: Config, ear: Ear) -> None:
    """Ask the venue for what market data did not tell (it may be restarting)."""
    for account, symbol in ear.board.symbols():
        venue = config.accounts[account].venue
        heard = ear.board.newest(Working, account, symbol, ear.clock.monotonic_ns())
        if heard is None or ear.board.instrument(venue, symbol) is not None:
            continue
        try:
            for info in instruments_of(config, venue).values():
                ear.board.add_instrument(info)
        except (Unknown, BadInput):
            continue


def status(config: Config, *, as_json: bool) -> int:
    """Print the state of the deployment."""
    state = snapshot_of(config)
    if as_json:
        sys.stdout.write(orjson.dumps(state, option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0
    console = _terminal()
    services = Table("service", "state", "pid", "up", title="services")
    for name, service in state["services"].items():
        services.add_row(name, service["state"].lower(), _text(service["pid"]), f"{service['uptime_s']} s")
    symbols = Table(
        "symbol", "feed", "bid", "ask", "quotes", "working", "position", "permit", title="symbols"
    )
    for symbol, row in state["symbols"].items():
        working = "unknown" if row["working_orders"] is None else str(len(row["working_orders"]))
        quotes = " ".join(f"{q['side']} {q['quantity']}@{q['price']}" for q in row["quotes"] or [])
        symbols.add_row(
            symbol, row["feed"], _text(row["bid"]), _text(row["ask"]), quotes or _text(row["quotes_reason"]),
            working, _text(row["position"]), row["target"] or row["permit"],
        )  # fmt: skip
    console.print(services, symbols)
    for symbol, row in state["symbols"].items():
        for decision in row["decisions"] or []:
            console.print(f"{symbol}: {decision}", markup=False)
    for name, account in state["accounts"].items():
        console.print(
            f"account {name}: equity {_text(account['equity'])} exposure {_text(account['exposure'])}"
        )
    for scope, reason in state["halted"].items():
        console.print(f"[bold red]halted[/] {scope}: {reason}")
    return 0


def orders(config: Config) -> int:
    """Print every order of ours that is, or may be, live."""
    table = Table("symbol", "id", "venue id", "side", "price", "quantity", "filled", "status")
    for symbol, row in snapshot_of(config)["symbols"].items():
        if row["working_orders"] is None:
            table.add_row(symbol, "unknown: execution does not answer")
        for order in row["working_orders"] or []:
            table.add_row(symbol, *(_text(value) for value in order.values()))
    _terminal().print(table)
    return 0


def positions(config: Config) -> int:
    """Print positions and equity."""
    state = snapshot_of(config)
    table = Table("symbol", "position", "bid", "ask", "confirmed by the venue")
    for symbol, row in state["symbols"].items():
        confirmed = {True: "yes", False: "no", None: "unknown"}[row["position_is_known"]]
        table.add_row(symbol, _text(row["position"]), _text(row["bid"]), _text(row["ask"]), confirmed)
    _terminal().print(table)
    for name, account in state["accounts"].items():
        print(f"{name}: equity {_text(account['equity'])}, exposure {_text(account['exposure'])}")
    return 0


def fills(config: Config, count: int) -> int:
    """Print the newest fills of the journal, oldest first. Raises: Unknown when Redis does not answer."""
    store = StateStore.of(config)
    table = Table("time", "symbol", "side", "price", "quantity", "maker", "fee", "position after")
    try:
        for account in config.accounts:
            for entry in store.journal(account).tail(count):
                if isinstance(entry, FillEntry):
                    table.add_row(*_fill_row(entry))
    finally:
        store.close()
    _terminal().print(table)
    return 0


def _fill_row(entry: FillEntry) -> tuple[str, ...]:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.venue_ns / 1e9))
    return (
        at, entry.symbol, entry.side.name.lower(), plain(entry.price), plain(entry.quantity),
        "yes" if entry.is_maker else "no",
        f"{plain(entry.fee)} {entry.fee_asset}", plain(entry.position_after),
    )  # fmt: skip


def tap(config: Config, prefix: str) -> int:
    """Print bus traffic whose topic starts with `prefix`, one JSON object a line, until interrupted."""
    kind = prefix.split(".")[0]
    if kind and kind not in KINDS:
        raise BadInput(f"topic {prefix!r}: unknown kind {kind!r}; known: {', '.join(KINDS)}")
    ear = Ear(config)
    try:
        ear.inbox.subscribe_prefix(prefix)
        while True:
            if ear.inbox.socket.poll(200):
                for message in ear.inbox.drain():
                    print(orjson.dumps(_readable(message)).decode(), flush=True)
    except KeyboardInterrupt:
        return 0
    finally:
        ear.close()


def _readable(message: Any) -> dict[str, Any]:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return {"kind": type(message).__name__, **{name: _plain_value(value) for name, value in fields.items()}}


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return {name: _plain_value(getattr(value, name)) for name in value.__struct_fields__}
    return value.name.lower() if hasattr(value, "name") else value


def _terminal() -> Console:
    """Return where tables go; a pipe has no width to squeeze them into."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _text(value: object) -> str:
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}"
    return "unknown" if value is None else str(value)
