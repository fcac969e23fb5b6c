"""Whether a permit says anything new: it is repeated four times a second, and mostly it does not."""

from __future__ import annotations

from shared.messages import Permit


def is_same_permit(one: Permit, other: Permit) -> bool:
    """True when both permit the same, whatever their expiry and reason."""
    return (
        one.max_long == other.max_long
        and one.max_short == other.max_short
        and one.max_order == other.max_order
        and one.max_gross_usd == other.max_gross_usd
        and one.may_buy is other.may_buy
        and one.may_sell is other.may_sell
        and one.reduce_only is other.reduce_only
        and one.halted is other.halted
    )
