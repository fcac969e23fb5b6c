"""Engine state to the JSON shapes of the public REST endpoints.

Decimals carry no trailing zeros; keys are sorted when the reply is written.

Source: the venue's OpenAPI document (Market, Depth, Ticker, Trade, MarkPrice, Kline).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.exchange.decimals import plain
from services.exchange.model import DayStats, Depth, MarkChange, Market, Side, Trade
from services.exchange.protocols.backpack.render.stamps import iso_s, to_ms, to_us
from services.exchange.protocols.backpack.render.symbols import Listed
from services.exchange.protocols.backpack.rest.candles import Candle

LISTED_AT = "2025-01-01T00:00:00.000000"
FUNDING_BOUND_BPS = "100"
OPEN_INTEREST_LIMIT = "4000000"
_RATIO = Decimal("0.000001")


def market(listed: Listed, book_state: str) -> dict[str, Any]:
    rules = listed.market
    return {
        "baseSymbol": rules.base,
        "createdAt": LISTED_AT,
        "filters": {"price": _price_filter(listed), "quantity": _quantity_filter(rules)},
        "fundingInterval": to_ms(rules.funding_interval_ns) if listed.is_perp else None,
        "fundingRateLowerBound": f"-{FUNDING_BOUND_BPS}" if listed.is_perp else None,
        "fundingRateUpperBound": FUNDING_BOUND_BPS if listed.is_perp else None,
        "imfFunction": imf_function(rules) if listed.is_perp else None,
        "marketType": listed.type_name,
        "mmfFunction": mmf_function(rules) if listed.is_perp else None,
        "openInterestLimit": OPEN_INTEREST_LIMIT if listed.is_perp else "0",
        "orderBookState": book_state,
        "positionLimitWeight": "1" if listed.is_perp else None,
        "quoteSymbol": rules.quote,
        "rwaMarketType": None,
        "symbol": rules.symbol,
        "visible": True,
    }


def _price_filter(listed: Listed) -> dict[str, Any]:
    rules = listed.market
    low, high = rules.last_price_band
    mark_low, mark_high = rules.mark_price_band
    band = {"maxMultiplier": plain(mark_high), "minMultiplier": plain(mark_low)}
    return {
        "borrowEntryFeeMaxMultiplier": None,
        "borrowEntryFeeMinMultiplier": None,
        "discoveryBoundBand": None,
        "maxImpactMultiplier": None,
        "maxMultiplier": plain(high),
        "maxPrice": _optional(rules.max_price),
        "maxPriceUpdateMultiplier": None,
        "meanMarkPriceBand": band,
        "meanPremiumBand": None,
        "minImpactMultiplier": None,
        "minMultiplier": plain(low),
        "minPrice": plain(rules.tick_size if rules.min_price is None else rules.min_price),
        "minPriceUpdateMultiplier": None,
        "tickSize": plain(rules.tick_size),
    }


def _quantity_filter(rules: Market) -> dict[str, Any]:
    return {
        "maxQuantity": _optional(rules.max_quantity),
        "minQuantity": plain(rules.min_quantity),
        "stepSize": plain(rules.lot_size),
    }


def imf_function(rules: Market) -> dict[str, str]:
    return _sqrt_function(rules.initial_margin, rules.initial_margin_factor)


def mmf_function(rules: Market) -> dict[str, str]:
    return _sqrt_function(rules.maintenance_margin, rules.maintenance_margin_factor)


def _sqrt_function(base: Decimal, factor: Decimal) -> dict[str, str]:
    return {"base": plain(base), "factor": plain(factor), "type": "sqrt"}


def asset(symbol: str) -> dict[str, Any]:
    """One asset; deposits and withdrawals do not exist at this venue."""
    token = {
        "blockchain": "Solana",
        "contractAddress": None,
        "depositEnabled": False,
        "displayName": symbol,
        "maximumWithdrawal": None,
        "minimumDeposit": "0",
        "minimumWithdrawal": "0",
        "nativeDecimals": None,
        "withdrawEnabled": False,
        "withdrawalFee": "0",
    }
    return {"coingeckoId": None, "displayName": symbol, "symbol": symbol, "tokens": [token]}


def collateral_rule(symbol: str, weight: Decimal) -> dict[str, Any]:
    haircut = {"kind": {"type": "identity"}, "weight": plain(weight)}
    none = _sqrt_function(Decimal(1), Decimal(0))
    return {"haircutFunction": haircut, "imfFunction": none, "mmfFunction": none, "symbol": symbol}


def depth(book: Depth, listed: Listed) -> dict[str, Any]:
    """Both sides ascending: the best bid comes last."""
    price, size = listed.prices.plain, listed.sizes.plain
    return {
        "asks": [(price(ticks), size(lots)) for ticks, lots in book.asks],
        "bids": [(price(ticks), size(lots)) for ticks, lots in reversed(book.bids)],
        "lastUpdateId": str(book.last_id),
        "timestamp": to_us(book.engine_ns),
    }


def trade(print_: Trade, listed: Listed) -> dict[str, Any]:
    price, quantity = listed.prices.decimal(print_.price), listed.sizes.decimal(print_.quantity)
    return {
        "id": print_.id,
        "isBuyerMaker": print_.side is Side.SELL,
        "price": plain(price),
        "quantity": plain(quantity),
        "quoteQuantity": plain(price * quantity),
        "timestamp": to_ms(print_.time_ns),
    }


def ticker(stats: DayStats, listed: Listed) -> dict[str, Any]:
    """The change in percent is a fraction."""
    price = listed.prices
    change = price.decimal(stats.last - stats.first)
    fraction = (change / price.decimal(stats.first)).quantize(_RATIO) if stats.first else None
    return {
        "firstPrice": price.plain(stats.first),
        "high": price.plain(stats.high),
        "lastPrice": price.plain(stats.last),
        "low": price.plain(stats.low),
        "priceChange": plain(change),
        "priceChangePercent": "N/A" if fraction is None else plain(fraction),
        "quoteVolume": plain(stats.quote_volume),
        "symbol": listed.symbol,
        "trades": str(stats.trades),
        "volume": listed.sizes.plain(stats.volume),
    }


def mark_price(mark: MarkChange) -> dict[str, Any]:
    return {
        "fundingRate": plain(mark.funding_rate),
        "indexPrice": plain(mark.index),
        "markPrice": plain(mark.mark),
        "nextFundingTimestamp": to_ms(mark.next_funding_ns),
        "symbol": mark.symbol,
    }


def funding_rate(symbol: str, interval_end_ns: int, rate: Decimal) -> dict[str, Any]:
    return {"fundingRate": plain(rate), "intervalEndTimestamp": iso_s(interval_end_ns), "symbol": symbol}


def open_interest(lots: int, listed: Listed, now_ns: int) -> dict[str, Any]:
    return {
        "openInterest": listed.sizes.plain(lots),
        "symbol": listed.symbol,
        "timestamp": to_ms(now_ns),
    }


def kline(candle: Candle, listed: Listed) -> dict[str, Any]:
    price = listed.prices.plain
    return {
        "close": price(candle.close),
        "end": iso_s(candle.end_ns, " "),
        "high": price(candle.high),
        "low": price(candle.low),
        "open": price(candle.open),
        "quoteVolume": plain(candle.quote_volume),
        "start": iso_s(candle.start_ns, " "),
        "trades": str(candle.trades),
        "volume": listed.sizes.plain(candle.volume),
    }


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
