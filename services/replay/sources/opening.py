"""From what a person writes to a source of market data."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from services.marketdata.config import MarketDataConfig
from services.replay.settings import ReplaySettings, Rules
from services.replay.sources.base import Source
from services.replay.sources.binance import BinanceRecording
from services.replay.sources.recorded import OwnRecording
from services.replay.sources.synthetic import SyntheticSource
from services.replay.sources.tables import TableRecording
from services.risk.config import parse_risk
from shared.config import Config, parse
from shared.errors import BadInput
from shared.recording.settings import directory_of

SYNTHETIC = "synthetic"
DEFAULT_SEED = 7
#: of synthetic data: a month
LONGEST_S = 31 * 86_400
FORMATS = "raw Binance frames (<ns> <JSON>), CSV of best prices, a recorded run directory, synthetic[:SEED]"


def open_data(
    texts: list[str], config: Config, settings: ReplaySettings, duration_s: float
) -> dict[str, list[Source]]:
    """Open `[SYMBOL=]DATA` arguments; return symbol -> its sources, in the order given.

    duration_s  of synthetic data
    Raises: BadInput
    """
    if not 0 < duration_s <= LONGEST_S:
        raise BadInput(f"replay: --duration {duration_s:g} must be above 0 and at most {LONGEST_S} seconds")
    found: dict[str, list[Source]] = {}
    for text in texts:
        symbol, data = _split(text, config)
        scope = _scope(config, symbol)
        found.setdefault(symbol, []).append(_open(data, scope, symbol, config, settings, duration_s))
    if not found:
        raise BadInput(f"replay: no data given; known: {FORMATS}")
    return found


def _split(text: str, config: Config) -> tuple[str, str]:
    symbol, equals, data = text.partition("=")
    if equals and "/" not in symbol:
        if not symbol or not data:
            raise BadInput(f"replay: data {text!r} must be SYMBOL=PATH or PATH")
        return symbol, data
    if len(config.quoters) != 1:
        known = ", ".join(config.quoters) or "none"
        raise BadInput(f"replay: data {text!r}: say which symbol, SYMBOL={text}; quoters: {known}")
    return next(iter(config.quoters)), text


def _scope(config: Config, symbol: str) -> str:
    """Return the venue of a symbol: its quoter's, that of the hedge whose leg it is, or the only quoter's."""
    if symbol not in config.quoters:
        for table in parse_risk(config.risk).hedges.values():
            if table.leg_symbol == symbol and table.leg_account in config.accounts:
                return config.accounts[table.leg_account].venue
    name = symbol if symbol in config.quoters else next(iter(config.quoters), None)
    if name is None:
        raise BadInput("replay: the configuration has no quoter")
    return config.accounts[config.quoters[name].account].venue


def _open(
    data: str, scope: str, symbol: str, config: Config, settings: ReplaySettings, duration_s: float
) -> Source:
    if data == SYNTHETIC or data.startswith(f"{SYNTHETIC}:"):
        seed = data.partition(":")[2] or str(DEFAULT_SEED)
        if not seed.isdigit():
            raise BadInput(f"replay: data {data!r}: the seed must be a whole number")
        return SyntheticSource(scope, symbol, int(seed), duration_s)
    path = Path(data)
    rules = settings.rules.get(symbol, Rules())
    if path.is_dir():
        if not directory_of(path).is_dir():
            raise BadInput(f"replay: {path} holds no recording; `makerd record on`, then `makerd run`")
        return OwnRecording(path, scope, symbol)
    first = _first_line(path)
    if first[:1].isdigit() and b" {" in first:
        return BinanceRecording(
            path, scope, symbol, rules, parse(config.marketdata, MarketDataConfig, "marketdata")
        )
    if b"," in first and first[:1].isalpha():
        return TableRecording(path, scope, symbol, rules, settings.max_gap_s)
    raise BadInput(f"replay: {path} is of no known format, it begins with {first[:40]!r}; known: {FORMATS}")


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as raw:
            if path.suffix == ".gz":
                with gzip.open(raw) as lines:
                    return bytes(lines.readline(65_536))
            return raw.readline(65_536)
    except EOFError:
        raise BadInput(f"replay: {path}: truncated, the gzip stream has no end") from None
    except (OSError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BadInput(f"replay: {path} cannot be read: {reason}") from None
