"""The tie-out: does the ledger explain the venue's balance to the last digit? Pure.

A venue moves unrealised profit into the balance when it likes. What no mark can change:

    free cash = balance + unrealised - quantity x mark        (per quote asset)

and over a session it changes by exactly cash flow - fees + funding. A deposit or a transfer
breaks the identity, as it should.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from shared.accounting.money.exact import EXACT, ZERO
from shared.instrument import Instrument
from shared.venues.base import VenueBalance, VenuePosition


def free_cash(
    balances: Sequence[VenueBalance],
    positions: Sequence[VenuePosition],
    instruments: Mapping[str, Instrument],
) -> dict[str, Decimal]:
    """Return asset -> free cash, of answers that belong to one moment."""
    cash = {balance.asset: balance.total for balance in balances}
    for position in positions:
        instrument = instruments.get(position.symbol)
        if instrument is None or not instrument.is_perp or position.mark_price is None:
            continue
        value = EXACT.multiply(position.quantity, position.mark_price)
        value = EXACT.multiply(value, instrument.contract_multiplier)
        held = EXACT.subtract(position.unrealised_pnl, value)
        cash[instrument.quote] = EXACT.add(cash.get(instrument.quote, ZERO), held)
    return cash


def is_one_moment(
    before: Sequence[VenuePosition], after: Sequence[VenuePosition], instruments: Mapping[str, Instrument]
) -> bool:
    """True when nothing but marks has moved between two answers: no fill, no settlement."""
    held = [{one.symbol: one.quantity for one in answer if one.quantity} for answer in (before, after)]
    cash = [free_cash((), answer, instruments) for answer in (before, after)]
    return held[0] == held[1] and not any(
        cash[0].get(asset, ZERO) != cash[1].get(asset, ZERO) for asset in (*cash[0], *cash[1])
    )


def expected_cash(sums: Mapping[str, Decimal], instruments: Mapping[str, Instrument]) -> dict[str, Decimal]:
    """Return asset -> free cash that the ledger's sums lead to, for every quote asset traded.

    Fees are summed over all symbols, those of earlier runs and of symbols no longer listed too: an
    asset that has only them is told all the same, or a session could not begin behind them.
    """
    quotes = {instrument.quote for instrument in instruments.values()}
    paid = (field.removeprefix("fee:") for field in sums if field.startswith("fee:"))
    expected: dict[str, Decimal] = {asset: ZERO for asset in paid if asset in quotes}
    for field, amount in sums.items():
        name, _, symbol = field.partition(":")
        if name in ("cash_flow", "funding") and symbol in instruments:
            quote = instruments[symbol].quote
            expected[quote] = EXACT.add(expected.get(quote, ZERO), amount)
    for asset in expected:
        started, fees = sums.get(f"start_cash:{asset}", ZERO), sums.get(f"fee:{asset}", ZERO)
        expected[asset] = EXACT.subtract(EXACT.add(expected[asset], started), fees)
    return expected


def differences(
    sums: Mapping[str, Decimal], shown: Mapping[str, Decimal], instruments: Mapping[str, Instrument]
) -> dict[str, Decimal]:
    """Return asset -> venue minus ledger, where they differ."""
    found = {
        asset: EXACT.subtract(shown.get(asset, ZERO), expected)
        for asset, expected in expected_cash(sums, instruments).items()
    }
    return {asset: difference for asset, difference in found.items() if difference}
