"""From a configuration and its data to a machine that can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from services.execution.config import ExecutionConfig
from services.quoter.config import Settings, parse_quoter
from services.replay.desk_link import ways_of
from services.replay.latency import hop_of
from services.replay.machine import Machine
from services.replay.parts import Listener, Parts
from services.replay.settings import ReplaySettings, parse_replay
from services.replay.venue.account import Fees, SimAccount
from services.replay.venue.queue import FillModel
from services.replay.venue.simulated import SimulatedVenue
from services.risk.config import Config as RiskConfig
from services.risk.config import parse_risk
from services.risk.hedging import check_accounts
from services.signals.config import parse_signals
from shared.clock import NS_PER_MS
from shared.config import Config, parse
from shared.errors import BadInput
from shared.venues.base import Capabilities
from shared.venues.registry import adapter_of

#: no process came before the replay's, so there is nothing to wait for before the first order
SIGNING_WINDOW_MS = 100
_TEN_THOUSANDTH = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Assembly:
    """What is the same for every fill model: the cores' settings, and what the replay assumes."""

    parts: Parts
    settings: ReplaySettings


def assemble(config: Config, symbols: Sequence[str]) -> Assembly:
    """Read everything that a replay of these symbols needs. Raises: BadInput.

    A symbol that is not configured takes the settings of the only quoter there is; the leg of a hedge
    has none.
    """
    risk = parse_risk(config.risk)
    quoted = tuple((quoter.account, symbol) for symbol, quoter in config.quoters.items())
    check_accounts(risk.hedges, config.accounts, quoted)
    legs = legs_of(config, risk, symbols)
    hedges = {symbol: table for symbol, table in risk.hedges.items() if symbol in symbols}
    risk = msgspec.structs.replace(risk, hedges=hedges)  # others: nothing of theirs is replayed
    quoters = tuple(_quoter_of(config, symbol) for symbol in symbols if symbol not in legs)
    accounts = {settings.account: settings.venue for settings in quoters}
    accounts |= {account: config.accounts[account].venue for account in legs.values()}
    capabilities = {venue: _capabilities(config, venue) for venue in sorted(set(accounts.values()))}
    parts = Parts(
        quoters, accounts, risk, parse_signals(config.signals),
        parse(config.execution, ExecutionConfig, "execution"), capabilities, config.deployment.tag, legs,
    )  # fmt: skip
    settings = parse_replay(config.replay)
    _check_named("held", settings.held, config, symbols)
    _check_named("rules", settings.rules, config, symbols)
    return Assembly(parts, settings)


def legs_of(config: Config, risk: RiskConfig, symbols: Sequence[str]) -> dict[str, str]:
    """Return which of the symbols are legs of hedges, and on which account: symbol -> account.

    Raises: BadInput where a leg could not be told from a quoted symbol, or its data are missing.
    """
    legs: dict[str, str] = {}
    for hedged, table in risk.hedges.items():
        if hedged not in symbols:
            continue
        if table.leg_symbol in config.quoters:
            raise BadInput(
                f"risk.hedges.{hedged}.leg_symbol: a replay tells symbols by their names alone, and "
                f"{table.leg_symbol} is quoted too"
            )
        if table.leg_symbol not in symbols:
            raise BadInput(f"replay: no data of {table.leg_symbol}, the leg that hedges {hedged}")
        legs[table.leg_symbol] = table.leg_account
    return legs


def _check_named(table: str, given: Mapping[str, object], config: Config, symbols: Sequence[str]) -> None:
    known = {*config.quoters, *symbols}
    for name in given:
        if name not in known:
            raise BadInput(f"replay.{table}.{name}: no such symbol; known: {', '.join(sorted(known))}")


def _quoter_of(config: Config, symbol: str) -> Settings:
    name = symbol
    if name not in config.quoters:
        if len(config.quoters) != 1:
            known = ", ".join(config.quoters) or "none"
            raise BadInput(f"data for {symbol!r}, which is not configured; quoters: {known}")
        name = next(iter(config.quoters))
    quoter = config.quoters[name]
    strategy, params = parse_quoter(name, quoter)
    return Settings(symbol, config.accounts[quoter.account].venue, quoter.account, strategy, params)


def _capabilities(config: Config, venue: str) -> Capabilities:
    known = adapter_of(config.venues[venue].protocol).capabilities
    return Capabilities(
        known.reply_is_final, known.client_id_bits, SIGNING_WINDOW_MS, known.cancel_window_ms, known.limits
    )


def build(assembly: Assembly, model: FillModel, listener: Listener, now_ns: int) -> Machine:
    """Return a machine whose clock stands at `now_ns`."""
    parts, settings = assembly.parts, assembly.settings
    fees = Fees(_share(settings.maker_fee_bps), _share(settings.taker_fee_bps))
    held = {symbol: Decimal(str(amount)) for symbol, amount in settings.held.items()}
    venues: dict[str, SimulatedVenue] = {}
    for account, name in parts.venues.items():
        venue = venues.setdefault(name, SimulatedVenue(model))
        venue.add_account(SimAccount(account, Decimal(str(settings.equity)), fees, held))
    latency = settings.latency
    return Machine(
        parts, venues, hop_of(latency), round(latency.feed_ms * NS_PER_MS),
        ways_of(latency.order_ms, latency.reply_ms, parts.execution), listener, now_ns,
    )  # fmt: skip


def _share(bps: float) -> Decimal:
    return Decimal(str(bps)) / _TEN_THOUSANDTH
