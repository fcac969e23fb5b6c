"""Public frames and REST market data: bytes in, our records out. Pure.

Hot frames are decoded into typed structs, numbers straight from their strings to floats;
`round(x * scale)` is then the exact number of ticks or lots (a float carries 15 digits,
no price or size of this venue has more). Books are keyed by those integers: REST prices
are normalised ("86700"), stream prices padded ("86700.0").

Stamps: `E` is when the venue sent a frame, in microseconds; `n` of a mark price is in
milliseconds. A side of a bookTicker is null when it is empty.
Source: Backpack OpenAPI and stream documents (2026-08-22), probes of 2026-09-22.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from shared.clock import NS_PER_MS, NS_PER_US
from shared.errors import Refused, Unknown
from shared.instrument import FIXED, Instrument
from shared.messages import InstrumentInfo, Side
from shared.venues.market_data import (
    Alive,
    BestPrices,
    DepthDiff,
    DepthSnapshot,
    Levels,
    MarketEvent,
    MarkPrice,
    PublicTrade,
    RawCandles,
    RawSnapshot,
    Unreadable,
)

Pairs = list[tuple[float, float]]
#: ticks a unit of price, lots a unit of size
Scale = tuple[float, float]


class _Depth(msgspec.Struct, tag_field="e", tag="depth", gc=False):
    E: int
    U: int
    u: int
    s: str
    a: Pairs
    b: Pairs


class _BookTicker(msgspec.Struct, tag_field="e", tag="bookTicker", gc=False):
    E: int
    u: int
    s: str
    a: float | None = None
    A: float | None = None
    b: float | None = None
    B: float | None = None


class _Trade(msgspec.Struct, tag_field="e", tag="trade", gc=False):
    E: int
    m: bool
    p: float
    q: float
    s: str
    t: int


class _MarkPrice(msgspec.Struct, tag_field="e", tag="markPrice", gc=False):
    E: int
    s: str
    p: float
    i: float | None = None
    f: float | None = None
    n: int | None = None


class _Ticker(msgspec.Struct, tag_field="e", tag="ticker", gc=False):
    E: int
    s: str


class _Frame(msgspec.Struct, gc=False):
    data: _Depth | _BookTicker | _Trade | _MarkPrice | _Ticker | None = None
    error: msgspec.Raw | None = None


_decode = msgspec.json.Decoder(_Frame, strict=False).decode


class Mapper:
    """Reads frames with the tick and lot sizes of the instruments it was told."""

    def __init__(self) -> None:
        self._scales: dict[str, Scale] = {}

    def set_instruments(self, infos: Sequence[InstrumentInfo]) -> None:
        for info in infos:
            self._scales[info.symbol] = (
                float(1 / Decimal(info.tick_size)),
                float(1 / Decimal(info.lot_size)),
            )

    def read(self, frame: bytes) -> Sequence[MarketEvent]:
        """Return what a frame says, one event at most; () for a symbol whose instrument is not known."""
        try:
            decoded = _decode(frame)
        except msgspec.DecodeError as error:
            return (Unreadable(f"a frame is unreadable: {error}"),)
        data = decoded.data
        if data is None:
            said = decoded.error
            return () if said is None else (Unreadable(f"the venue says {bytes(said)!r}"),)
        scale = self._scales.get(data.s)
        if scale is None:
            return ()
        try:
            return (_TO_EVENT[type(data)](data, scale),)
        except (ValueError, OverflowError):  # a number that is not finite
            return (Unreadable(f"a {type(data).__name__[1:]} of {data.s} holds a number that is not finite"),)

    def read_snapshot(self, raw: RawSnapshot) -> DepthSnapshot:
        """Convert a REST snapshot. Raises: Unknown when a value is unreadable or the symbol is."""
        scale = self._scales.get(raw.symbol)
        if scale is None:
            raise Unknown(f"the instrument of {raw.symbol} is not known")
        try:
            bids = [(float(price), float(size)) for price, size in raw.bids]
            asks = [(float(price), float(size)) for price, size in raw.asks]
            return DepthSnapshot(
                raw.symbol, raw.update_id, _levels(bids, scale), _levels(asks, scale), raw.venue_ns
            )
        except (ValueError, OverflowError, TypeError):
            raise Unknown(f"the depth snapshot of {raw.symbol} is unreadable") from None


def _levels(pairs: Pairs, scale: Scale) -> Levels:
    price_scale, size_scale = scale
    return [(round(price * price_scale), round(size * size_scale)) for price, size in pairs]


def _to_diff(data: _Depth, scale: Scale) -> DepthDiff:
    return DepthDiff(
        data.s, data.U, data.u, None, _levels(data.b, scale), _levels(data.a, scale), data.E * NS_PER_US
    )


def _to_best(data: _BookTicker, scale: Scale) -> BestPrices:
    bid = None if data.b is None else round(data.b * scale[0])
    ask = None if data.a is None else round(data.a * scale[0])
    bid_size = 0 if data.B is None else round(data.B * scale[1])
    ask_size = 0 if data.A is None else round(data.A * scale[1])
    return BestPrices(data.s, bid, bid_size, ask, ask_size, data.u, data.E * NS_PER_US)


def _to_trade(data: _Trade, scale: Scale) -> PublicTrade:
    """`m` true = the buyer was the maker, so the taker sold."""
    side = Side.SELL if data.m else Side.BUY
    return PublicTrade(
        data.s, side, round(data.p * scale[0]), round(data.q * scale[1]), data.t, data.E * NS_PER_US
    )


def _to_mark(data: _MarkPrice, _scale: Scale) -> MarkPrice:
    next_funding_ns = None if data.n is None else data.n * NS_PER_MS
    return MarkPrice(data.s, data.p, data.i, data.f, next_funding_ns, data.E * NS_PER_US)


def _to_alive(data: _Ticker, _scale: Scale) -> Alive:
    return Alive(data.s, data.E * NS_PER_US)


_TO_EVENT: dict[type, Callable[[Any, Scale], MarketEvent]] = {
    _Depth: _to_diff,
    _BookTicker: _to_best,
    _Trade: _to_trade,
    _MarkPrice: _to_mark,
    _Ticker: _to_alive,
}


# --- REST ----------------------------------------------------------------------------------


def snapshot_of(symbol: str, reply: dict[str, Any]) -> RawSnapshot:
    """Read a depth reply: `lastUpdateId` is a string, the stamp microseconds, bids ascend.

    Raises: KeyError, ValueError, TypeError.
    """
    return RawSnapshot(
        symbol, int(reply["lastUpdateId"]), reply["bids"], reply["asks"], int(reply["timestamp"]) * NS_PER_US
    )


def candles_of(symbol: str, interval_s: int, rows: Iterable[dict[str, Any]]) -> RawCandles:
    """Read a klines reply; times are "YYYY-MM-DD HH:MM:SS" in UTC, prices of no trade are missing.

    Raises: KeyError, TypeError, ValueError, also when a row is not of the interval that was asked for.
    """
    found = []
    for row in rows:
        start_s, end_s = _wall_s(row["start"]), _wall_s(row["end"])
        if end_s - start_s != interval_s:
            raise ValueError(f"a candle from {row['start']} to {row['end']} is not one of {interval_s} s")
        if row.get("close") is not None:
            found.append((start_s, _text(row["high"]), _text(row["low"]), _text(row["close"])))
    return RawCandles(symbol, interval_s, sorted(found))


def _wall_s(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def to_instrument(venue: str, market: dict[str, Any]) -> InstrumentInfo:
    """Read a row of the markets.

    Raises: KeyError, TypeError, ValueError when a rule is missing or absurd.
    """
    price, quantity = market["filters"]["price"], market["filters"]["quantity"]
    info = InstrumentInfo(
        scope=venue,
        symbol=_text(market["symbol"]),
        base=_text(market["baseSymbol"]),
        quote=_text(market["quoteSymbol"]),
        is_perp=market["marketType"] == "PERP",
        tick_size=_text(price["tickSize"]),
        lot_size=_text(quantity["stepSize"]),
        min_quantity=_text(quantity["minQuantity"]),
        max_quantity=_text_or_none(quantity.get("maxQuantity")),
        min_notional=None,  # the venue has none
        min_price=_text_or_none(price.get("minPrice")),
        max_price=_text_or_none(price.get("maxPrice")),
        price_rule=FIXED,
        contract_multiplier="1",
    )
    try:
        Instrument.from_info(info)
    except (Refused, ArithmeticError) as error:  # a bound may be no number, or infinite
        raise ValueError(f"{type(error).__name__} {error}") from None
    return info


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is neither text nor a number")
    return str(value)


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
