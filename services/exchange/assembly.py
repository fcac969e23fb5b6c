"""Builds the venue that the options describe: accounts, markets, and what moves them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from services.exchange.engine.venue import LocalVenue
from services.exchange.market import MarketDriver
from services.exchange.market.recording import Recording, RecordingError, open_recording
from services.exchange.market.replay import ReplayMarket
from services.exchange.market.synthetic import SyntheticMarket, default_params
from services.exchange.model import AccountSpec, Market
from services.exchange.options import KNOWN_MARKETS, Options
from services.exchange.wire.credentials import default_accounts, read_accounts
from services.exchange.wire.market_hall import MarketHall
from services.exchange.wire.server import ExchangeServer
from shared.clock import NS_PER_S, NS_PER_US, Clock
from shared.errors import BadInput

_RECORDED_SYMBOL = re.compile(rb'"stream":"([a-z0-9]+)@')
_SEARCHED_LINES = 100


@dataclass(frozen=True, slots=True)
class Served:
    """A recording and the market it is served as."""

    recording: Recording
    market: Market


def build_server(options: Options, clock: Clock) -> ExchangeServer:
    """Raises: BadInput for an accounts file or a recording that cannot be used."""
    accounts = default_accounts() if options.accounts_file is None else read_accounts(options.accounts_file)
    try:
        served = _recordings(options)
        markets = dict.fromkeys((*(one.market for one in served), *options.markets))
        venue = _venue(options, tuple(markets), [spec for spec, _ in accounts], clock)
        drivers = _replays(venue, served) if served else [_synthetic(options, venue)]
    except (ValueError, RecordingError) as error:
        raise BadInput(str(error)) from error
    hall = MarketHall(venue, drivers, clock)
    return ExchangeServer(options, hall, [owner for _, owner in accounts], clock)


def _venue(
    options: Options, markets: Sequence[Market], accounts: Sequence[AccountSpec], clock: Clock
) -> LocalVenue:
    """Ids start at the microsecond of the start, so that no two runs share one."""
    return LocalVenue(
        markets,
        accounts,
        id_base=clock.wall_ns() // NS_PER_US,
        taker_delay_ns=round(options.taker_delay_s * NS_PER_S),
    )


def _synthetic(options: Options, venue: LocalVenue) -> SyntheticMarket:
    flows = [default_params(market) for market in options.markets]
    if options.updates_per_s is not None:
        flows = [replace(flow, updates_per_s=options.updates_per_s) for flow in flows]
    if not options.informed:
        flows = [replace(flow, informed_per_s=0.0) for flow in flows]
    return SyntheticMarket(venue, flows, options.seed)


def _replays(venue: LocalVenue, served: Sequence[Served]) -> list[MarketDriver]:
    return [ReplayMarket(venue, one.market.symbol, one.recording) for one in served]


def _recordings(options: Options) -> list[Served]:
    """Raises: BadInput if options do not fit the recordings, RecordingError for a bad one."""
    served = [_served(path, options.serve_as) for path in options.recordings]
    recorded = [_recorded_symbol(path) for path in options.recordings]
    for symbol in options.serve_as:
        if symbol not in recorded:
            raise BadInput(f"--serve-as {symbol}: recorded here are only: {', '.join(recorded) or 'none'}")
    symbols = [one.market.symbol for one in served]
    if len(set(symbols)) != len(symbols):
        raise BadInput(f"--market: two recordings are served as one market: {', '.join(symbols)}")
    if served and options.updates_per_s is not None:
        raise BadInput("--updates-per-s: a recording has its own pace")
    return served


def _served(path: Path, serve_as: dict[str, str]) -> Served:
    """Return the recording with its market; by default XXXUSDT is served as XXX_USDC_PERP."""
    recording = open_recording(path)
    recorded = _recorded_symbol(path)
    symbol = serve_as.get(recorded, f"{recorded.removesuffix('USDT')}_USDC_PERP")
    if symbol not in KNOWN_MARKETS:
        raise BadInput(f"{path}: {recorded} has no market here; name one with --serve-as {recorded}=SYMBOL")
    return Served(recording, KNOWN_MARKETS[symbol])


def _recorded_symbol(path: Path) -> str:
    with gzip.open(path, "rb") as lines:
        for _, line in zip(range(_SEARCHED_LINES), lines, strict=False):
            if found := _RECORDED_SYMBOL.search(line):
                return found[1].decode().upper()
    raise BadInput(f"{path}: its first {_SEARCHED_LINES} lines name no symbol")
