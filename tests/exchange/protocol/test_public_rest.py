"""Public REST: shapes and orders of the documents, all of it engine state."""

from __future__ import annotations

import time
from decimal import Decimal

from tests.exchange.venue_thread import PERP, SPOT, VenueThread

PERP_MARKET = {
    "baseSymbol": "SOL",
    "createdAt": "2025-01-01T00:00:00.000000",
    "filters": {
        "price": {
            "borrowEntryFeeMaxMultiplier": None,
            "borrowEntryFeeMinMultiplier": None,
            "discoveryBoundBand": None,
            "maxImpactMultiplier": None,
            "maxMultiplier": "2",
            "maxPrice": "1000",
            "maxPriceUpdateMultiplier": None,
            "meanMarkPriceBand": {"maxMultiplier": "1.075", "minMultiplier": "0.925"},
            "meanPremiumBand": None,
            "minImpactMultiplier": None,
            "minMultiplier": "0.25",
            "minPrice": "0.01",
            "minPriceUpdateMultiplier": None,
            "tickSize": "0.01",
        },
        "quantity": {"maxQuantity": None, "minQuantity": "0.01", "stepSize": "0.01"},
    },
    "fundingInterval": 3600000,
    "fundingRateLowerBound": "-100",
    "fundingRateUpperBound": "100",
    "imfFunction": {"base": "0.02", "factor": "0.000075", "type": "sqrt"},
    "marketType": "PERP",
    "mmfFunction": {"base": "0.0135", "factor": "0.0000375", "type": "sqrt"},
    "openInterestLimit": "4000000",
    "orderBookState": "Open",
    "positionLimitWeight": "1",
    "quoteSymbol": "USDC",
    "rwaMarketType": None,
    "symbol": "SOL_USDC_PERP",
    "visible": True,
}


def test_markets_are_listed_with_their_rules_and_filtered_by_type(venue: VenueThread) -> None:
    both = venue.maker.public("/api/v1/markets").json()
    assert [market["symbol"] for market in both] == [PERP, SPOT]
    assert both[0] == PERP_MARKET
    assert list(both[0]) == sorted(both[0])
    assert (both[1]["imfFunction"], both[1]["fundingInterval"]) == (None, None)
    perps = venue.maker.public("/api/v1/markets", marketType=["PERP", "IPERP"]).json()
    assert perps == [PERP_MARKET]
    assert venue.maker.public("/api/v1/market", symbol=PERP).json() == PERP_MARKET


def test_assets_and_collateral_name_every_asset(venue: VenueThread) -> None:
    assets = venue.maker.public("/api/v1/assets").json()
    assert [asset["symbol"] for asset in assets] == ["SOL", "USDC"]
    collateral = venue.maker.public("/api/v1/collateral").json()
    assert [row["haircutFunction"]["weight"] for row in collateral] == ["1", "1"]


def test_depth_bids_ascend_so_that_the_best_is_last(venue: VenueThread) -> None:
    book = venue.maker.public("/api/v1/depth", symbol=SPOT, limit="5").json()
    prices = [price for price, _ in book["bids"]]
    assert prices == sorted(prices, key=Decimal)
    assert prices[-1] == "149.9"  # no padding in REST
    assert [price for price, _ in book["asks"]] == ["150.1", "150.2", "150.3"]
    assert isinstance(book["lastUpdateId"], str)
    assert abs(book["timestamp"] - time.time() * 1e6) < 600e6


def test_depth_limit_counts_from_the_best_level(venue: VenueThread) -> None:
    for price in range(140, 146):
        venue.maker.place(price=f"{price}.00")
    bids = venue.maker.public("/api/v1/depth", symbol=PERP, limit="5").json()["bids"]
    assert [price for price, _ in bids] == ["144", "145", "149.7", "149.8", "149.9"]


def test_trades_candles_and_tickers_tell_of_the_same_trades(venue: VenueThread) -> None:
    started_s = int(time.time())
    venue.take("buy", "0.5")
    venue.take("sell", "0.25")
    newest, before = venue.maker.public("/api/v1/trades", symbol=PERP, limit="2").json()
    assert (newest["isBuyerMaker"], newest["price"], newest["quantity"]) == (True, "149.9", "0.25")
    assert (before["isBuyerMaker"], before["quoteQuantity"]) == (False, "75.05")
    assert newest["id"] == before["id"] + 1
    ticker = venue.maker.public("/api/v1/ticker", symbol=PERP).json()
    assert (ticker["lastPrice"], ticker["high"], ticker["low"]) == ("149.9", "150.1", "149.9")
    assert isinstance(ticker["trades"], str)
    assert ticker in venue.maker.public("/api/v1/tickers").json()
    candles = venue.maker.public(
        "/api/v1/klines", symbol=PERP, interval="1month", startTime=str(started_s - 31 * 86_400)
    ).json()
    assert candles[-1]["close"] == "149.9"
    assert Decimal(candles[-1]["volume"]) == Decimal(ticker["volume"])
    older = venue.maker.public("/api/v1/trades/history", symbol=PERP, limit="1", offset="1").json()
    assert older == [before]


def test_marks_funding_and_open_interest_are_those_of_perpetuals(venue: VenueThread) -> None:
    (mark,) = venue.maker.public("/api/v1/markPrices").json()
    assert list(mark) == ["fundingRate", "indexPrice", "markPrice", "nextFundingTimestamp", "symbol"]
    assert (mark["symbol"], mark["indexPrice"]) == (PERP, "150")
    assert mark["nextFundingTimestamp"] % 3_600_000 == 0
    (interest,) = venue.maker.public("/api/v1/openInterest").json()
    assert interest["symbol"] == PERP
    answer = venue.maker.public("/api/v1/fundingRates", symbol=PERP)
    assert answer.json()[0]["symbol"] == PERP
    assert answer.headers["X-TOTAL"] == str(len(answer.json()))


def test_status_ping_and_time(venue: VenueThread) -> None:
    assert venue.maker.public("/api/v1/status").json() == {"message": None, "status": "Ok"}
    assert venue.maker.public("/api/v1/ping").text == "pong"
    assert abs(int(venue.maker.public("/api/v1/time").text) - time.time() * 1000) < 1000
