"""Instruments of the tests, and payloads in the venue's formats, made for them."""

from __future__ import annotations

from typing import Any

from shared.instrument import Instrument
from shared.venues.backpack.mapper import to_instrument

MARKET: dict[str, Any] = {
    "baseSymbol": "SOL",
    "createdAt": "2025-01-21T06:34:54.691858",
    "filters": {
        "price": {
            "borrowEntryFeeMaxMultiplier": None,
            "maxMultiplier": "1.25",
            "maxPrice": "1000",
            "meanMarkPriceBand": {"maxMultiplier": "1.075", "minMultiplier": "0.925"},
            "minMultiplier": "0.75",
            "minPrice": "0.01",
            "tickSize": "0.01",
        },
        "quantity": {"maxQuantity": None, "minQuantity": "0.05", "stepSize": "0.01"},
    },
    "fundingInterval": 3_600_000,
    "marketType": "PERP",
    "orderBookState": "Open",
    "quoteSymbol": "USDC",
    "symbol": "SOL_USDC_PERP",
    "visible": True,
}
INFO = to_instrument("backpack", MARKET)
INSTRUMENT = Instrument.from_info(INFO)

ORDER: dict[str, Any] = {
    "clientId": 1291845633,
    "createdAt": 1757621440699,
    "executedQuantity": "0.5",
    "executedQuoteQuantity": "70.125",
    "id": "8284661092",
    "orderType": "Limit",
    "postOnly": True,
    "price": "140.25",
    "quantity": "1.5",
    "reduceOnly": None,
    "relatedOrderId": None,
    "selfTradePrevention": "RejectTaker",
    "side": "Bid",
    "status": "PartiallyFilled",
    "symbol": "SOL_USDC_PERP",
    "timeInForce": "GTC",
    "triggerPrice": None,
}
