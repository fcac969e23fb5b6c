"""Accounts: fees, margin summary, funding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """One hourly payment; `amount` > 0 was received by the account."""

    account: str
    symbol: str
    rate: Decimal
    quantity: int
    amount: Decimal
    interval_end_ns: int


@dataclass(frozen=True, slots=True)
class Collateral:
    """Margin summary of an account, all in the quote asset."""

    assets_value: Decimal
    net_equity: Decimal
    net_equity_available: Decimal
    net_equity_locked: Decimal
    exposure: Decimal
    pnl_unrealized: Decimal
    imf: Decimal
    mmf: Decimal
    margin_fraction: Decimal | None


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """A user of the venue. Fees are fractions of notional (0.0002 = 2 bps; negative = rebate)."""

    name: str
    balances: tuple[tuple[str, Decimal], ...]
    maker_fee_perp: Decimal = Decimal("0.0002")
    taker_fee_perp: Decimal = Decimal("0.0005")
    maker_fee_spot: Decimal = Decimal("0.0008")
    taker_fee_spot: Decimal = Decimal("0.0010")
