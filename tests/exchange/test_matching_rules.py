"""Prices, quantities and deposits against the rules of the market: each refusal names the value."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.exchange.model import Reason
from tests.exchange.venue_builder import Bench, account, bench, refused


@pytest.fixture
def at() -> Bench:
    return bench()


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("150.001", Reason.PRICE_PRECISION),
        ("150." + "0" * 40 + "1", Reason.PRICE_PRECISION),
        ("1E+999999", Reason.PRICE_PRECISION),
        ("NaN", Reason.PRICE_PRECISION),
        ("0", Reason.PRICE_BAND),
        ("-150", Reason.PRICE_BAND),
        ("1000.01", Reason.PRICE_BAND),
        ("138.74", Reason.PRICE_BAND),
        ("161.26", Reason.PRICE_BAND),
    ],
)
def test_a_price_against_the_rules_is_refused_by_name(at: Bench, price: str, reason: Reason) -> None:
    with refused(reason) as caught:
        at.buy("ann", price, "1")
    assert price in str(caught.value)


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        ("1.001", Reason.QUANTITY_PRECISION),
        ("Infinity", Reason.QUANTITY_PRECISION),
        ("0", Reason.QUANTITY_RANGE),
        ("-1", Reason.QUANTITY_RANGE),
        ("0.04", Reason.QUANTITY_RANGE),
        ("1000.01", Reason.QUANTITY_RANGE),
    ],
)
def test_a_quantity_against_the_rules_is_refused_by_name(quantity: str, reason: Reason) -> None:
    at = bench(min_quantity=Decimal("0.05"), max_quantity=Decimal(1000))
    with refused(reason) as caught:
        at.buy("ann", "150", quantity)
    assert quantity in str(caught.value)


def test_prices_must_be_near_the_last_trade_as_well() -> None:
    at = bench(last_price_band=(Decimal("0.99"), Decimal("1.01")))
    at.sell("ann", "155", "1")
    at.buy("bob", "155", "1")
    with refused(Reason.PRICE_BAND):
        at.buy("bob", "153.44", "1")
    at.buy("bob", "153.45", "1")


def test_accounts_with_money_that_cannot_stay_exact_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 12 decimals"):
        bench(account("ann", usdc="0.1234567890123"))
