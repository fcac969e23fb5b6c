"""Unmodified bpx-py against the local venue: only its address is set."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from bpx.account import Account
from bpx.base.base_account import BaseAccount
from bpx.base.base_public import BasePublic
from bpx.public import Public

PERP, SPOT = "SOL_USDC_PERP", "SOL_USDC"


@pytest.fixture
def public(running_venue: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Public:
    address = f"{running_venue['rest']}/"
    monkeypatch.setattr(BaseAccount, "BPX_API_URL", address)
    monkeypatch.setattr(BasePublic, "BASE_URL", address)
    return Public()


@pytest.fixture
def account(running_venue: dict[str, Any], public: Public) -> Iterator[Account]:
    """The second account; `public` has set the address."""
    assert public
    keys = running_venue["accounts"][1]
    client = Account(keys["api_key"], keys["api_secret"])
    yield client
    for symbol in (PERP, SPOT):
        client.cancel_all_orders(symbol)


def _best(public: Public, symbol: str) -> tuple[Decimal, Decimal]:
    book = public.get_depth(symbol)
    return Decimal(book["bids"][-1][0]), Decimal(book["asks"][0][0])


def test_bpx_py_reads_markets_books_trades_and_marks(public: Public) -> None:
    assert PERP in [market["symbol"] for market in public.get_markets()]
    bid, ask = _best(public, PERP)
    assert bid < ask
    assert public.get_ticker(PERP)["symbol"] == PERP
    assert PERP in [ticker["symbol"] for ticker in public.get_tickers()]
    assert public.get_recent_trades(PERP, 5)
    assert public.get_open_interest(PERP)[0]["symbol"] == PERP
    assert public.get_funding_interval_rates(PERP)[0]["symbol"] == PERP
    (mark,) = asyncio.run(public.get_all_mark_prices(PERP))  # a coroutine also in the synchronous client
    assert bid * Decimal("0.99") < Decimal(mark["markPrice"]) < ask * Decimal("1.01")
    assert public.get_klines(PERP, "1m", int(time.time()) - 600)
    assert public.get_status()["status"] == "Ok"
    assert public.get_ping() == "pong"
    assert abs(int(public.get_time()) - time.time() * 1000) < 2000


def test_bpx_py_places_queries_and_cancels(account: Account, public: Public) -> None:
    price = str((_best(public, PERP)[0] * Decimal("0.97")).quantize(Decimal("0.01")))
    placed = account.execute_order(
        PERP, "Bid", "Limit", quantity="0.1", price=price, post_only=True, client_id=501, time_in_force="GTC"
    )
    assert placed["status"] == "New"
    assert account.get_open_order(PERP, order_id=placed["id"]) == placed
    assert placed in account.get_open_orders(symbol=PERP)
    cancelled = account.cancel_order(PERP, client_id=501)
    assert (cancelled["id"], cancelled["status"]) == (placed["id"], "Cancelled")
    account.execute_order(PERP, "Bid", "Limit", quantity="0.1", price=price, post_only=True)
    assert [order["status"] for order in account.cancel_all_orders(PERP)] == ["Cancelled"]


def test_bpx_py_fills_show_in_position_balance_and_history(account: Account, public: Public) -> None:
    before = Decimal(account.get_balances()["SOL"]["available"])
    bought = account.execute_order(SPOT, "Bid", "Market", quantity="0.5")
    assert bought["status"] == "Filled"
    fill = account.get_fill_history(SPOT, limit=1)[0]
    assert (fill["orderId"], fill["feeSymbol"], fill["isMaker"]) == (bought["id"], "SOL", False)
    gained = Decimal(account.get_balances()["SOL"]["available"]) - before
    assert gained == Decimal("0.5") - Decimal(fill["fee"])
    ask = _best(public, PERP)[1] * Decimal("1.001")
    limit = str(ask.quantize(Decimal("0.01")))
    taken = account.execute_order(PERP, "Bid", "Limit", quantity="0.2", price=limit, time_in_force="IOC")
    assert taken["status"] == "Filled"
    positions = {row["symbol"]: Decimal(row["netQuantity"]) for row in account.get_open_positions()}
    assert positions[PERP] >= Decimal("0.2")
    assert Decimal(account.get_collateral()["netEquity"]) > 10_000
    history = account.get_order_history(limit=1, offset=0, symbol=PERP)
    assert (history[0]["id"], history[0]["status"]) == (taken["id"], "Filled")
    assert account.get_account()["futuresTakerFee"] == "5"
    assert Decimal(account.get_max_order_quantity(PERP, "Bid")["maxOrderQuantity"]) > 1


def test_bpx_py_sees_refusals_as_json(account: Account, public: Public) -> None:
    ask = str(_best(public, PERP)[1] + 1)
    refused = account.execute_order(PERP, "Bid", "Limit", quantity="0.1", price=ask, post_only=True)
    assert refused == {"code": "INVALID_ORDER", "message": "Order would immediately match and take"}
