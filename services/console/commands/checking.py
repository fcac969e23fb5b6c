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
from services.quoter.explain import explain
from services.risk.config import parse_risk
from services.signals.config import parse_signals
from shared.config import Config, load, parse
from shared.errors import BadInput, Unknown
from shared.instrument import Instrument
from shared.venues.registry import adapter_of

COLUMNS = ("situation", "side", "price", "quantity", "notional", "percent_from_mid", "reason")


def check_sections(config: Config) -> None:
    """Parse what each service will parse. Raises: BadInput on the first thing that is wrong."""
    parse(config.marketdata, MarketDataConfig, "marketdata")
    parse(config.execution, ExecutionConfig, "execution")
    parse_signals(config.signals)
    parse_risk(config.risk)
    for venue in config.venues.values():
        adapter_of(venue.protocol)
    for symbol, quoter in config.quoters.items():
        parse_quoter(symbol, quoter)


def check(path: Path, mid: str | None, only: str | None) -> int:
    """Validate a file and print the quotes that each quoter would want. Raises: BadInput."""
    config = load(path)
    check_sections(config)
    check_written(config)
    if only is not None and only not in config.quoters:
        raise BadInput(f"--symbol {only!r} has no quoter; known: {', '.join(config.quoters)}")
    print(f"{path}: good")
    for symbol, quoter in config.quoters.items():
        if only in (None, symbol):
            _show_quotes(config, symbol, config.accounts[quoter.account].venue, _price(mid))
    return 0


def _show_quotes(config: Config, symbol: str, venue: str, mid: Decimal | None) -> None:
    try:
        rules = _rules(config, venue, symbol, needs_venue=mid is None)
        mid = mid if mid is not None else _venue_mid(config, venue, symbol)
    except Unknown as error:
        print(f"{symbol}: no quotes shown: {error}")
        return
    table = Table(title=f"{symbol} around {mid:f}", title_justify="left", box=None)
    for name in COLUMNS:
        table.add_column(name.replace("_", " "), no_wrap=True)
    for row in explain(symbol, config.quoters[symbol], rules, mid):
        table.add_row(*(getattr(row, name) for name in COLUMNS))
    Console().print(table)


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


def _price(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise BadInput(f"--mid {text!r} is not a decimal") from None
    if not price.is_finite() or price <= 0:
        raise BadInput(f"--mid {text!r} must be above 0")
    return price
