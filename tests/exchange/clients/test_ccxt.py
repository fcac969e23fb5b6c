"""Unmodified ccxt, sync and pro, against the local venue: only its addresses and keys are set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import ccxt
import ccxt.pro
import pytest

PERP, SPOT = "SOL/USDC:USDC", "SOL/USDC"
T = TypeVar("T")


def _config(venue: dict[str, Any], number: int) -> dict[str, Any]:
    rest, ws, keys = venue["rest"], venue["ws"], venue["accounts"][number]
    return {
        "apiKey": keys["api_key"],
        "secret": keys["api_secret"],
        "enableRateLimit": False,
        "urls": {"api": {"public": rest, "private": rest, "ws": {"public": ws, "private": ws}}},
    }


@pytest.fixture
def maker(running_venue: dict[str, Any]) -> Iterator[Any]:
    client = ccxt.backpack(_config(running_venue, 0))
    client.session.trust_env = False
    yield client
    for symbol in (PERP, SPOT):
        client.cancel_all_orders(symbol)
    client.close()


def test_ccxt_reads_markets_and_public_data(maker: Any) -> None:
    markets = maker.load_markets()
    assert {PERP, SPOT} <= set(markets)
    assert (markets[PERP]["precision"], markets[PERP]["swap"]) == ({"price": 0.01, "amount": 0.01}, True)
    book = maker.fetch_order_book(PERP)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["bids"][0][0] > book["bids"][-1][0]
    assert maker.fetch_ticker(PERP)["last"] > 0
    assert {PERP, SPOT} <= set(maker.fetch_tickers())
    assert maker.fetch_trades(PERP, limit=3)
    assert maker.fetch_ohlcv(PERP, "1m")
    assert maker.fetch_funding_rate(PERP)["markPrice"] > 0
    assert maker.fetch_open_interest(PERP)["symbol"] == PERP
    assert maker.fetch_funding_rate_history(PERP)
    assert maker.fetch_status()["status"] == "ok"


def test_ccxt_places_queries_and_cancels(maker: Any) -> None:
    maker.load_markets()
    bid = maker.fetch_order_book(PERP)["bids"][0][0]
    placed = maker.create_order(
        PERP, "limit", "buy", 0.1, round(bid * 0.97, 2), {"postOnly": True, "clientOrderId": "601"}
    )
    assert (placed["status"], placed["clientOrderId"]) == ("open", "601")
    assert maker.fetch_open_order(placed["id"], PERP)["id"] == placed["id"]
    assert [order["id"] for order in maker.fetch_open_orders(PERP)] == [placed["id"]]
    assert maker.cancel_order(placed["id"], PERP)["status"] == "canceled"
    assert maker.fetch_open_orders(PERP) == []
    with pytest.raises(ccxt.InvalidOrder):
        maker.create_order(PERP, "limit", "buy", 0.1, round(bid * 1.01, 2), {"postOnly": True})
    batch = [
        {"symbol": PERP, "type": "limit", "side": "buy", "amount": 0.1, "price": round(bid * share, 2)}
        for share in (0.96, 0.97)
    ]
    assert [order["status"] for order in maker.create_orders(batch)] == ["open", "open"]
    assert len(maker.cancel_all_orders(PERP)) == 2


def test_ccxt_reads_balances_positions_and_fills(maker: Any) -> None:
    maker.load_markets()
    before = maker.fetch_balance()["SOL"]["total"]
    bought = maker.create_order(SPOT, "market", "buy", 0.5)
    assert bought["status"] == "closed"
    fills = [fill for fill in maker.fetch_my_trades(SPOT, limit=20) if fill["order"] == bought["id"]]
    assert sum(fill["amount"] for fill in fills) == pytest.approx(0.5)  # of as many makers as it took
    assert {fill["fee"]["currency"] for fill in fills} == {"SOL"}
    fees = sum(fill["fee"]["cost"] for fill in fills)
    assert maker.fetch_balance()["SOL"]["total"] == pytest.approx(before + 0.5 - fees)
    ask = maker.fetch_order_book(PERP)["asks"][0][0]
    maker.create_order(PERP, "limit", "buy", 0.2, round(ask * 1.001, 2), {"timeInForce": "IOC"})
    (position,) = maker.fetch_positions([PERP])
    assert float(position["contracts"]) >= 0.2
    reducing = {"timeInForce": "IOC", "reduceOnly": True}
    maker.create_order(PERP, "limit", "sell", float(position["contracts"]), round(ask * 0.99, 2), reducing)
    assert maker.fetch_positions([PERP]) == []
    assert maker.fetch_orders(PERP, limit=1)[0]["status"] == "closed"
    assert maker.fetch_funding_history(PERP) == []


def _with_pro(venue: dict[str, Any], number: int, use: Callable[[Any], Awaitable[T]]) -> T:
    async def run() -> T:
        client = ccxt.pro.backpack(_config(venue, number))
        try:
            return await asyncio.wait_for(use(client), 30)
        finally:
            await client.close()

    return asyncio.run(run())


def test_ccxt_pro_keeps_a_book_in_step_with_the_venue(running_venue: dict[str, Any]) -> None:
    async def watch(client: Any) -> tuple[float, float, Any, Any, Any]:
        for _ in range(30):
            book = await client.watch_order_book(PERP)
        trades = await client.watch_trades(PERP)
        ticker = await client.watch_ticker(PERP)
        best = await client.watch_bids_asks([PERP])
        return book["bids"][0][0], book["asks"][0][0], trades, ticker, best

    bid, ask, trades, ticker, best = _with_pro(running_venue, 0, watch)
    assert bid < ask
    assert trades[0]["symbol"] == PERP
    assert ticker["last"] > 0
    assert best[PERP]["bid"] < best[PERP]["ask"]


def test_ccxt_pro_hears_of_its_own_orders_and_positions(running_venue: dict[str, Any]) -> None:
    async def watch(client: Any) -> tuple[list[str], Any]:
        await client.load_markets()
        orders = asyncio.ensure_future(client.watch_orders(PERP))
        positions = asyncio.ensure_future(client.watch_positions([PERP]))
        await asyncio.sleep(0.3)  # ccxt gives no sign of being subscribed
        ask = (await client.fetch_order_book(PERP))["asks"][0][0]
        await client.create_order(PERP, "limit", "buy", 0.1, round(ask * 1.001, 2), {"timeInForce": "IOC"})
        events = await orders
        while events[-1]["status"] != "closed":
            events = await client.watch_orders(PERP)
        return [event["status"] for event in events], (await positions)[0]

    statuses, position = _with_pro(running_venue, 1, watch)
    assert statuses[-1] == "closed"
    assert position["symbol"] == PERP


def _holdings(client: Any) -> tuple[float, float, int]:
    """Return the signed position, the USDC held and the newest fill's trade id."""
    rows = client.fetch_positions([PERP])
    signed = sum(float(row["contracts"]) * (1 if row["side"] == "long" else -1) for row in rows)
    trades = client.fetch_my_trades(PERP, limit=1)
    return signed, client.fetch_balance()["USDC"]["total"], int(trades[-1]["id"]) if trades else 0


def test_a_buy_changes_its_position_balance_and_fills_and_another_clients_stream(
    running_venue: dict[str, Any], maker: Any
) -> None:
    maker.load_markets()
    position, usdc, newest = _holdings(maker)

    async def watch(client: Any) -> Any:
        """`client` rests near the best ask and is reached by `maker` through REST."""
        await client.load_markets()
        orders = asyncio.ensure_future(client.watch_orders(PERP))
        await asyncio.sleep(0.3)  # ccxt gives no sign of being subscribed
        price = round((await client.fetch_order_book(PERP))["asks"][0][0] * 1.0003, 2)
        placed = await client.create_order(PERP, "limit", "sell", 0.1, price, {"postOnly": True})
        params = {"timeInForce": "IOC"}
        await asyncio.to_thread(maker.create_order, PERP, "limit", "buy", 300.0, price, params)
        events = await orders
        while not any(event["id"] == placed["id"] and event["status"] == "closed" for event in events):
            events = await client.watch_orders(PERP)
        fills = await client.fetch_my_trades(PERP, limit=1)
        return placed["id"], fills[0]

    order_id, fill = _with_pro(running_venue, 1, watch)
    assert (fill["order"], fill["takerOrMaker"]) == (order_id, "maker")
    position_after, usdc_after, newest_after = _holdings(maker)
    assert position_after >= position + 0.1
    assert usdc_after != usdc  # at least the fee is gone
    assert newest_after > newest
