"""`makerd check CONFIG`: everything that a person wrote, parsed by the services that will read it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

from rich.console import Console
from rich.table import Table

from services.console.commands.preflight import check_written
from services.console.commands.venue_reads import (
    documented_instruments,
    instruments_of,
    public_client,
    require_listed,
)
from services.execution.config import ExecutionConfig
from services.marketdata.config import MarketDataConfig
from services.quoter.config import parse_quoter
from services.quoter.explain import Allowed, assumptions, explain
from services.quoter.strategies import maker_hedge
from services.replay.latency import hop_of
from services.replay.settings import parse_replay
from services.risk.config import Config as RiskConfig
from services.risk.config import parse_risk
from services.risk.hedging import check_accounts
from services.risk.policies.fill_hedge import FillHedgeTable
from services.risk.policies.table import PolicyTable
from services.signals.config import parse_signals
from shared.config import Config, load, parse
from shared.errors import BadInput, Unknown
from shared.instrument import Instrument
from shared.venues.registry import adapter_of

COLUMNS = (
    "situation", "side", "price", "quantity", "notional", "ticks_from_mid", "percent_from_mid", "reason",
)  # fmt: skip

#: quote units, where no other is given
ASSUMED_EQUITY_USD = Decimal(10_000)


def check_sections(config: Config) -> None:
    """Parse what each service will parse. Raises: BadInput on the first thing that is wrong."""
    marketdata = parse(config.marketdata, MarketDataConfig, "marketdata")
    parse(config.execution, ExecutionConfig, "execution")
    parse_signals(config.signals)
    hop_of(parse_replay(config.replay).latency)
    risk = parse_risk(config.risk)
    check_accounts(risk.hedges, config.accounts, ((q.account, name) for name, q in config.quoters.items()))
    _check_settle("risk", risk.own_order_settle_s, marketdata.max_lag_s)
    for venue in config.venues.values():
        adapter_of(venue.protocol)
    for symbol, quoter in config.quoters.items():
        _, params = parse_quoter(symbol, quoter)
        _check_settle(f"quoters.{symbol}.params", params.own_order_settle_s, marketdata.max_lag_s)
        if isinstance(params, maker_hedge.Params):
            _check_reference(symbol, params, risk.tables_of(symbol).fill_hedge)


def _check_settle(where: str, settle_s: float, max_lag_s: float) -> None:
    """A book that still counts as live must not show orders of ours that are already forgotten."""
    if settle_s <= max_lag_s:
        raise BadInput(
            f"{where}: own_order_settle_s {settle_s:g} must be above marketdata.max_lag_s {max_lag_s:g}: "
            "or quotes chase what the late book still shows of ours"
        )


def _check_reference(symbol: str, params: maker_hedge.Params, table: FillHedgeTable | None) -> None:
    """Quotes around one position and hedges to another would trade for ever."""
    if table is not None and table.reference != params.reference:
        raise BadInput(
            f"quoters.{symbol}.params: reference {params.reference:g} must be that of risk.fill_hedge, "
            f"which is {table.reference:g}: fills would be traded back to another position"
        )


def check(path: Path, mid: str | None, only: str | None, equity: str | None = None) -> int:
    """Validate a file and print the quotes that each quoter would place under its limits.

    equity  of each account, quote units; None = ASSUMED_EQUITY_USD
    Raises: BadInput.
    """
    config = load(path)
    check_sections(config)
    check_written(config)
    if only is not None and only not in config.quoters:
        raise BadInput(f"--symbol {only!r} has no quoter; known: {', '.join(config.quoters)}")
    print(f"{path}: good")
    for symbol, hedge in parse_risk(config.risk).hedges.items():
        if only in (None, symbol):
            print(f"{symbol}: risk.hedges: {_echo(hedge)}")
    for symbol, quoter in config.quoters.items():
        if only in (None, symbol):
            venue = config.accounts[quoter.account].venue
            for line in (*_policies(config, symbol, venue), *_halves_missing(config, symbol)):
                print(line)
            usd = _number(equity, "--equity")
            _show_quotes(
                config, symbol, venue, _number(mid, "--mid"), ASSUMED_EQUITY_USD if usd is None else usd
            )
    return 0


def _policies(config: Config, symbol: str, venue: str) -> list[str]:
    """Return what each policy that judges a symbol was told, as it understands it."""
    risk = parse_risk(config.risk)
    tables = risk.tables_of(symbol)
    found = ((name, getattr(tables, name)) for name in tables.__struct_fields__ if name != "rebalance")
    lines = [f"{symbol}: risk.{name}: {_echo(table)}" for name, table in found if table is not None]
    return lines + _rebalancing(config, risk, symbol, venue)


def _rebalancing(config: Config, risk: RiskConfig, symbol: str, venue: str) -> list[str]:
    """Return how a symbol is rebalanced: it is on without a table too, and off beside other policies."""
    listed = documented_instruments(config, venue).get(symbol)
    if listed is not None and listed.is_perp:
        return []
    head, table = f"{symbol}: risk.rebalance", risk.rebalance_of(symbol)
    if table is not None:
        kind = "" if listed is not None else " if it is a spot symbol"
        return [
            f"{head}: on{kind}: base_asset_target_pct {table.base_asset_target_pct:g}, "
            f"threshold_pct {table.threshold_pct:g}"
        ]
    rivals = risk.rivals_of(symbol)
    return [f"{head}: off, beside {' and '.join(rivals)}" if rivals else f"{head}: off"]


def _halves_missing(config: Config, symbol: str) -> list[str]:
    """Return a warning where a strategy waits for a policy that is not there."""
    fill_hedge = parse_risk(config.risk).tables_of(symbol).fill_hedge
    if config.quoters[symbol].strategy != maker_hedge.STRATEGY.name or fill_hedge is not None:
        return []
    return [f"{symbol}: warning: maker_hedge without [risk.fill_hedge]: nothing trades its fills back"]


def _echo(table: PolicyTable) -> str:
    return ", ".join(f"{key} {_word(value)}" for key, value in table.echo().items() if value is not None)


def _word(value: object) -> str:
    if isinstance(value, PolicyTable):
        return f"({_echo(value)})"
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _show_quotes(config: Config, symbol: str, venue: str, mid: Decimal | None, equity: Decimal) -> None:
    try:
        rules = _rules(config, venue, symbol, needs_venue=mid is None)
        mid = mid if mid is not None else _venue_mid(config, venue, symbol)
    except Unknown as error:
        print(f"{symbol}: no quotes shown: {error}")
        return
    title = f"{symbol} around {mid:f}, with an equity of {equity:f}"
    table = Table(title=title, title_justify="left", box=None)
    for name in COLUMNS:
        table.add_column(name.replace("_", " "), no_wrap=True)
    for row in explain(symbol, config.quoters[symbol], rules, mid, _allowed(config, symbol, float(equity))):
        table.add_row(*(getattr(row, name) for name in COLUMNS))
    assumed = assumptions(config.quoters[symbol], symbol)
    if assumed:
        print(f"{symbol}: assumed of the signals: {assumed}")
    Console().print(table)


def _allowed(config: Config, symbol: str, equity_usd: float) -> Allowed:
    """Return what the limits of `[risk]` leave to a symbol while nothing else is held."""
    risk = parse_risk(config.risk)
    limits = risk.limits_of(symbol)
    bounds = [equity_usd * limits.max_position_share, equity_usd * risk.max_gross_equity_multiple]
    bounds += [usd for usd in (limits.max_position_usd, risk.max_total_gross_usd) if usd is not None]
    return Allowed(equity_usd, min(bounds), limits.max_order_usd)


def _rules(config: Config, venue: str, symbol: str, *, needs_venue: bool) -> Instrument:
    """Ask the venue; while the local one does not run, take what it will list."""
    try:
        listed = instruments_of(config, venue)
    except (BadInput, Unknown) as error:
        listed = documented_instruments(config, venue)
        if needs_venue or not listed:
            raise Unknown(f"{error}; give --mid, or start the deployment") from None
    return Instrument.from_info(require_listed(symbol, venue, listed))


def _venue_mid(config: Config, venue: str, symbol: str) -> Decimal:
    book = public_client(config, venue).depth(symbol, 5)
    if not book.bids or not book.asks:
        raise Unknown(f"{symbol}: the venue's book has an empty side; give --mid")
    best_bid = max(Decimal(price) for price, _ in book.bids)
    return (best_bid + min(Decimal(price) for price, _ in book.asks)) / 2


def _number(text: str | None, option: str) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadInput(f"{option} {text!r} is not a decimal") from None
    if not number.is_finite() or number <= 0:
        raise BadInput(f"{option} {text!r} must be above 0")
    return number
