"""What can be known to be wrong before anything is started: bus addresses, key files, what venues list."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from services.console.commands.venue_reads import instruments_of, require_listed
from services.quoter.config import parse_quoter
from services.quoter.strategies.bins.params import Params as BinParams
from shared.config import Account, Config, Venue
from shared.errors import BadInput, Unknown
from shared.instrument import Instrument
from shared.messages import InstrumentInfo
from shared.venues.access import Endpoints, endpoints_of, keys_of
from shared.venues.registry import adapter_of

_NOWHERE = Endpoints("http://localhost", "ws://localhost")


def check_written(config: Config) -> None:
    """Check bus addresses and key files. Raises: BadInput on the first thing that is wrong."""
    _check_addresses(config)
    for name, account in config.accounts.items():
        venue = config.venue_of(name)
        if account.key_file is not None or venue.ready_file is None:
            _check_keys(config, name, account, venue)


def check_ports(config: Config) -> None:
    """Raise BadInput for a bus address that cannot be bound."""
    for name, address in config.addresses.items():
        url = urlsplit(address)
        try:
            socket.create_server((url.hostname or "", url.port or 0)).close()
        except OSError as error:
            raise BadInput(f"addresses.{name}: {address} cannot be bound: {error.strerror}") from None


def check_external_venues(config: Config) -> None:
    """Check the ready files of venues that run already, and that their venues answer. Raises: BadInput."""
    for name, venue in config.venues.items():
        if venue.ready_file is None:
            continue
        endpoints = endpoints_of(venue, config.run_dir, wait_s=0)
        for account in config.accounts.values():
            if account.venue == name and account.key_file is None:
                keys_of(account, venue, config.run_dir)
        try:
            instruments_of(config, name)
        except Unknown as error:
            where = f"ready file {Path(venue.ready_file)}: the venue at {endpoints.rest_url}"
            raise BadInput(f"{where} does not answer: {error}") from None


def check_quoters(config: Config) -> dict[str, dict[str, InstrumentInfo]]:
    """Check that every quoted symbol is listed and can be quoted; return venue -> symbol -> rules.

    Raises: BadInput; Unknown, naming the venue's address, when it does not answer.
    """
    listed = {name: _listed(config, name) for name in config.venues}
    for symbol, quoter in config.quoters.items():
        venue = config.accounts[quoter.account].venue
        check_quotable(config, symbol, venue, listed[venue])
    return listed


def check_quotable(config: Config, symbol: str, venue: str, listed: Mapping[str, InstrumentInfo]) -> None:
    """Raise BadInput when a venue does not list a symbol, or its rules do not go with the params."""
    info = require_listed(symbol, venue, listed)
    strategy, params = parse_quoter(symbol, config.quoters[symbol])
    strategy.plan(params, Instrument.from_info(info))
    if not info.is_perp:
        _check_capital(config, config.quoters[symbol].account, listed)


def _check_capital(config: Config, account: str, listed: Mapping[str, InstrumentInfo]) -> None:
    """Raise BadInput where one of several spot quoters of an account would count on all of its equity."""
    spot = [
        symbol
        for symbol, quoter in config.quoters.items()
        if quoter.account == account and symbol in listed and not listed[symbol].is_perp
    ]
    for symbol in spot:
        _, params = parse_quoter(symbol, config.quoters[symbol])
        if len(spot) > 1 and isinstance(params, BinParams) and params.capital_usd is None:
            others = ", ".join(other for other in spot if other != symbol)
            raise BadInput(
                f"quoters.{symbol}.params: capital_usd must be given: account {account} quotes {others} on "
                "spot too, and no money can be spent twice"
            )


def _listed(config: Config, venue: str) -> dict[str, InstrumentInfo]:
    try:
        return instruments_of(config, venue)
    except Unknown as error:
        url = endpoints_of(config.venues[venue], config.run_dir, wait_s=0).rest_url
        raise Unknown(f"venue {venue} at {url} does not answer: {error}") from None


def _check_addresses(config: Config) -> None:
    known = {"risk", "signals"}
    known |= {f"marketdata.{venue}" for venue in config.venues}
    known |= {f"execution.{account}" for account in config.accounts}
    known |= {f"quoter.{symbol}" for symbol in config.quoters}
    taken: dict[str, str] = {}
    for name, address in config.addresses.items():
        if name not in known:
            raise BadInput(f"addresses.{name}: no such service; known: {', '.join(sorted(known))}")
        if not _is_tcp(address):
            raise BadInput(f"addresses.{name}: must be tcp://127.0.0.1:port, was {address!r}")
        if address in taken:
            raise BadInput(f"addresses.{name}: {address} is that of {taken[address]} already")
        taken[address] = name


def _is_tcp(address: str) -> bool:
    try:
        url = urlsplit(address)
        return url.scheme == "tcp" and bool(url.hostname) and bool(url.port)
    except ValueError:  # a port that is no number, or too large
        return False


def _check_keys(config: Config, name: str, account: Account, venue: Venue) -> None:
    """Read a key file and let the venue's own code look at its form; nothing of it is kept or shown."""
    keys = keys_of(account, venue, config.run_dir)
    try:
        adapter_of(venue.protocol).order_codec(_NOWHERE, keys)
    except BadInput as error:
        raise BadInput(f"accounts.{name}: key file {account.key_file}: {error}") from None
