"""Account REST: balances, positions, limits and histories after real fills."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.exchange.venue_thread import PERP, SPOT, VenueThread


def _position(venue: VenueThread) -> Decimal:
    rows = venue.maker.get("/api/v1/position", "positionQuery").json()
    return sum((Decimal(row["netQuantity"]) for row in rows), Decimal(0))


def _flatten(venue: VenueThread) -> None:
    held = _position(venue)
    if held:
        side, price = ("Ask", "149.90") if held > 0 else ("Bid", "150.10")
        order = {"side": side, "price": price, "quantity": str(abs(held)), "reduceOnly": True}
        venue.maker.place(**order, postOnly=None, timeInForce="IOC")


def test_a_fill_shows_in_position_balance_and_history(venue: VenueThread) -> None:
    _flatten(venue)
    placed = venue.maker.place(price="150.00", quantity="0.20", clientId=21).json()
    assert venue.take("sell", "0.2") == Decimal("0.2")
    (row,) = venue.maker.get("/api/v1/position", "positionQuery").json()
    assert (row["symbol"], row["netQuantity"], row["entryPrice"]) == (PERP, "0.2", "150")
    assert [*row] == [
        "breakEvenPrice", "cumulativeFundingPayment", "cumulativeInterest", "entryPrice",
        "estLiquidationPrice", "imf", "imfFunction", "markPrice", "mmf", "mmfFunction", "netCost",
        "netExposureNotional", "netExposureQuantity", "netQuantity", "pnlRealized",
        "pnlUnrealized", "positionId", "subaccountId", "symbol", "userId",
    ]  # fmt: skip
    assert row["imfFunction"] == {"base": "0.02", "factor": "0.000075", "type": "sqrt"}
    assert Decimal(row["netExposureNotional"]) == Decimal("0.2") * Decimal(row["markPrice"])
    fill = venue.maker.fills()[0]
    assert fill | {"timestamp": "", "tradeId": 0} == {
        "clientId": "21",
        "fee": "0.006",
        "feeSymbol": "USDC",
        "isMaker": True,
        "orderId": placed["id"],
        "price": "150",
        "quantity": "0.2",
        "side": "Bid",
        "symbol": PERP,
        "systemOrderType": None,
        "timestamp": "",
        "tradeId": 0,
    }
    assert len(fill["timestamp"]) == len("2025-07-27T17:39:00.092")
    assert isinstance(fill["tradeId"], int)
    past = venue.maker.get("/wapi/v1/history/orders", "orderHistoryQueryAll", orderId=placed["id"]).json()
    assert [order["status"] for order in past] == ["Filled"]
    assert isinstance(past[0]["createdAt"], str)
    assert "reduceOnly" not in past[0]
    assert past[0]["expiryReason"] is None


def test_histories_are_paged_newest_first_and_say_so_in_headers(venue: VenueThread) -> None:
    for _ in range(3):
        venue.maker.place(price="150.00", quantity="0.01")
        venue.take("sell", "0.01")
    everything = venue.maker.fills()
    ids = [fill["tradeId"] for fill in everything]
    assert ids == sorted(ids, reverse=True)
    answer = venue.maker.get("/wapi/v1/history/fills", "fillHistoryQueryAll", limit=2, offset=1, symbol=PERP)
    assert answer.json() == everything[1:3]
    headers = answer.headers
    assert (headers["X-PAGE-SIZE"], headers["X-TOTAL"]) == ("2", str(len(everything)))
    assert headers["X-PAGE-COUNT"] == str((len(everything) + 1) // 2)
    rising = venue.maker.get("/wapi/v1/history/fills", "fillHistoryQueryAll", sortDirection="Asc").json()
    assert rising == everything[::-1]
    none = venue.maker.get("/wapi/v1/history/fills", "fillHistoryQueryAll", to=1000).json()
    assert none == []
    funding = venue.maker.get("/wapi/v1/history/funding", "fundingHistoryQueryAll")
    assert funding.headers["X-TOTAL"] == str(len(funding.json()))


def test_a_history_page_over_the_limit_is_refused(venue: VenueThread) -> None:
    answer = venue.maker.get("/wapi/v1/history/fills", "fillHistoryQueryAll", limit=1001)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_CLIENT_REQUEST")


def test_balances_lock_what_a_resting_spot_order_needs(venue: VenueThread) -> None:
    free = venue.other.get("/api/v1/capital", "balanceQuery").json()["USDC"]
    assert free["locked"] == "0"
    venue.other.place(symbol=SPOT, price="149.00", quantity="1")
    held = venue.other.get("/api/v1/capital", "balanceQuery").json()["USDC"]
    assert held["locked"] == "149"
    assert Decimal(held["available"]) == Decimal(free["available"]) - 149
    assert held["staked"] == "0"


def test_collateral_adds_up_and_its_rows_are_the_balances(venue: VenueThread) -> None:
    _flatten(venue)
    summary = venue.maker.get("/api/v1/capital/collateral", "collateralQuery").json()
    assert list(summary) == sorted(summary)
    rows = {row["symbol"]: row for row in summary["collateral"]}
    assert sorted(rows) == ["SOL", "USDC"]
    value = sum(Decimal(row["collateralValue"]) for row in rows.values())
    assert abs(value - Decimal(summary["netEquity"])) < Decimal("0.5")
    assert summary["marginFraction"] is None
    assert summary["borrowLiability"] == "0"


def test_assets_have_one_price_also_where_no_spot_market_is_listed(tmp_path: Path) -> None:
    with VenueThread(tmp_path, "--symbols", PERP) as venue:
        summary = venue.maker.get("/api/v1/capital/collateral", "collateralQuery").json()
        rows = {row["symbol"]: row for row in summary["collateral"]}
        assert rows["SOL"]["assetMarkPrice"] == "150"
        value = sum(Decimal(row["balanceNotional"]) for row in rows.values())
        assert Decimal(summary["netEquity"]) == Decimal(summary["assetsValue"]) == value == Decimal(10_150)


def test_account_tells_fees_in_basis_points_and_counts_open_orders(venue: VenueThread) -> None:
    venue.maker.place()
    account = venue.maker.get("/api/v1/account", "accountQuery").json()
    fees = [account[f"{kind}{role}Fee"] for kind in ("futures", "spot") for role in ("Maker", "Taker")]
    assert fees == ["2", "5", "8", "10"]
    assert account["limitOrders"] == 1
    assert account["autoRealizePnl"] is True  # as the engine does every ten seconds


def test_the_largest_order_follows_money_and_position(venue: VenueThread) -> None:
    _flatten(venue)
    path, instruction = "/api/v1/account/limits/order", "maxOrderQuantity"
    spot = venue.other.get(path, instruction, symbol=SPOT, side="Bid", price="100").json()
    free = venue.other.get("/api/v1/capital", "balanceQuery").json()["USDC"]["available"]
    assert spot == {
        "maxOrderQuantity": spot["maxOrderQuantity"],
        "price": "100",
        "side": "Bid",
        "symbol": SPOT,
    }
    assert abs(Decimal(spot["maxOrderQuantity"]) - Decimal(free) / 100) <= Decimal("0.01")
    perp = venue.maker.get(path, instruction, symbol=PERP, side="Bid", price="150").json()
    assert Decimal(perp["maxOrderQuantity"]) > 3000  # 10,000 at 2 % initial margin
    nothing = venue.maker.get(path, instruction, symbol=PERP, side="Ask", reduceOnly="true").json()
    assert nothing["maxOrderQuantity"] == "0"


def test_a_position_asked_for_by_symbol_is_404_while_flat(venue: VenueThread) -> None:
    _flatten(venue)
    assert venue.maker.get("/api/v1/position", "positionQuery").json() == []
    assert venue.maker.get("/api/v1/position", "positionQuery", symbol=PERP).status_code == 404
