"""The command line of the local venue; everything a person can get wrong is `BadInput`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from services.exchange.markets import DEFAULT_MARKETS, bench_markets
from services.exchange.model import Market
from services.exchange.protocols.registry import FRONTS
from shared.errors import BadInput

DEFAULT_SYMBOLS = "SOL_USDC_PERP,SOL_USDC,BTC_USDC_PERP,ETH_USDC_PERP"
DEFAULT_RATE_LIMIT = 2000
KNOWN_MARKETS = {market.symbol: market for market in (*DEFAULT_MARKETS, *bench_markets(99))}


@dataclass(frozen=True, slots=True)
class Options:
    """A checked command line.

    markets      to list; of a replay, beside the recorded ones
    recordings   the files of a replay; none = the synthetic market
    serve_as     recorded symbol -> served symbol
    rate_limit   requests a minute and account; None = no limit
    latency_s    added to every reply
    parent_grace_s  how long to serve on after the parent is gone; None = do not care
    """

    venue: str
    port: int
    control_port: int
    ready_file: Path
    markets: tuple[Market, ...]
    recordings: tuple[Path, ...]
    serve_as: dict[str, str]
    seed: int
    informed: bool
    updates_per_s: float | None
    rate_limit: int | None
    latency_s: float
    taker_delay_s: float
    accounts_file: Path | None
    says_order_not_found: bool
    trace: bool
    parent_grace_s: float | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"command line: {message}")


def parse_options(arguments: Sequence[str]) -> Options:
    """Raises: BadInput naming the value and the rule."""
    given = _parser().parse_args(arguments)
    recordings = _recordings(given.market)
    symbols = given.symbols if given.symbols is not None or recordings else DEFAULT_SYMBOLS
    return Options(
        venue=given.venue,
        port=given.port,
        control_port=given.control_port,
        ready_file=given.ready_file,
        markets=_markets(symbols),
        recordings=recordings,
        serve_as=_serve_as(given.serve_as),
        seed=given.seed,
        informed=given.informed == "on",
        updates_per_s=given.updates_per_s,
        rate_limit=_rate_limit(given.rate_limit),
        latency_s=given.latency_ms / 1_000,
        taker_delay_s=given.taker_delay_ms / 1_000,
        accounts_file=given.accounts,
        says_order_not_found=given.unknown_order == "order-not-found",
        trace=given.trace,
        parent_grace_s=given.parent_grace_s if given.follow_parent else None,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m services.exchange", description="A local venue on loopback.")
    add = parser.add_argument
    add("--venue", choices=tuple(FRONTS), required=True, help="whose protocol to speak")
    add("--port", type=_number(0, 65_535), default=0, help="REST and websocket; 0 = any free one")
    add("--control-port", type=_number(0, 65_535), default=0, help="faults and test control")
    add("--ready-file", type=Path, required=True, help="written, mode 600, once the venue serves")
    add("--market", default="synthetic", help="synthetic, or replay:PATH[,PATH..] of recordings")
    add("--symbols", help=f"markets to list, comma-separated; synthetic: {DEFAULT_SYMBOLS}")
    add("--serve-as", default="", help="replay: RECORDED=SERVED[,..]; default XXXUSDT=XXX_USDC_PERP")
    add("--seed", type=_number(0, 2**63), default=7, help="of the synthetic market")
    add("--informed", choices=("on", "off"), default="on", help="informed takers in the synthetic market")
    add("--updates-per-s", type=_real(0.1, 5_000), help="synthetic book updates a second and symbol")
    add("--rate-limit", default=str(DEFAULT_RATE_LIMIT), help="requests a minute and account, or off")
    add("--latency-ms", type=_real(0, 60_000), default=0.0, help="added to every reply")
    add("--taker-delay-ms", type=_real(0, 60_000), default=100.0, help="for orders that are not post-only")
    add("--accounts", type=Path, help="JSON list of accounts, mode 600; default: maker and other")
    add("--unknown-order", choices=("not-found", "order-not-found"), default="not-found", help="its words")
    add("--trace", action="store_true", help="keep requests and frames for the control port")
    add("--follow-parent", action="store_true", help="end when the parent process is gone")
    add("--parent-grace-s", type=_real(0, 3_600), default=15.0, help="how long after it is gone")
    return parser


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {low} to {high}")
        return int(text)

    return read


def _real(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} must be a number from {low:g} to {high:g}")
        return value

    return read


def _recordings(market: str) -> tuple[Path, ...]:
    if market == "synthetic":
        return ()
    kind, _, paths = market.partition(":")
    if kind != "replay" or not paths:
        raise BadInput(f"--market {market!r}: must be synthetic or replay:PATH")
    return tuple(Path(path) for path in paths.split(","))


def _markets(symbols: str | None) -> tuple[Market, ...]:
    if symbols is None:
        return ()
    names = [name for name in symbols.split(",") if name]
    if not names:
        raise BadInput("--symbols: must name at least one market")
    for name in names:
        if name not in KNOWN_MARKETS:
            known = ", ".join(market.symbol for market in DEFAULT_MARKETS)
            raise BadInput(f"--symbols {name!r}: not a market of this venue: {known}, S01_USDC_PERP ...")
    return tuple(KNOWN_MARKETS[name] for name in dict.fromkeys(names))


def _serve_as(text: str) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        recorded, equals, served = pair.partition("=")
        if not equals or served not in KNOWN_MARKETS:
            raise BadInput(f"--serve-as {pair!r}: must be RECORDED=SERVED, SERVED a market of this venue")
        mapping[recorded] = served
    return mapping


def _rate_limit(text: str) -> int | None:
    if text == "off":
        return None
    if not (text.isascii() and text.isdigit()) or not int(text):
        raise BadInput(f"--rate-limit {text!r}: must be a whole number above 0, or off")
    return int(text)
