"""Permits and targets: a decision in, the messages that execution obeys out."""

from __future__ import annotations

from dataclasses import replace

from services.risk.holding import Holding
from services.risk.policies.lots import lots_within
from services.risk.policies.policy import Action, Decision, Range, View
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Permit, Target

PERMIT_TTL_NS = NS_PER_S
REISSUE_NS = 250 * NS_PER_MS
#: the style of a target that is worked while halted only
FLATTEN = "flatten"
#: the fields of a target in which it differs from another
_ASKED = ("minimum", "maximum", "position_seq", "style", "may_open", "limit_price")


def nothing(
    account: str, symbol: str, reason: str, expires_ns: int, halted: bool = False, told: tuple[str, ...] = ()
) -> Permit:
    """Return the permit that permits nothing."""
    return Permit(account, symbol, 0, 0, 0, 0.0, False, False, False, halted, reason, expires_ns, told)


def permit_of(holding: Holding, decision: Decision, view: View | None, max_order_usd: float) -> Permit:
    """Return what may rest under a decision; nothing without a view."""
    account, symbol, expires_ns = holding.account, holding.symbol, holding.expires_ns
    if view is None or decision.action >= Action.STOP:
        is_halted = decision.action is Action.HALT
        return nothing(account, symbol, decision.reason, expires_ns, is_halted, decision.told)
    position = view.position.quantity
    max_order = lots_within(max_order_usd, view.instrument, view.price)
    if decision.action is Action.REDUCE_ONLY:
        return Permit(
            account, symbol, max(0, position), max(0, -position), max_order, view.gross_cap_usd,
            decision.may_buy and position < 0, decision.may_sell and position > 0,
            True, False, decision.reason, expires_ns, decision.told,
        )  # fmt: skip
    largest = lots_within(holding.budget_usd, view.instrument, view.price)
    if decision.bound is not None:
        largest = min(largest, decision.bound)
    largest_short = largest if view.instrument.is_perp else 0  # spot: only what is held can be sold
    return Permit(
        account, symbol, largest, largest_short, max_order, view.gross_cap_usd,
        decision.may_buy, decision.may_sell, False, False, decision.reason, expires_ns, decision.told,
    )  # fmt: skip


def target_of(
    holding: Holding, decision: Decision, view: View | None, max_order_usd: float, permit: Permit
) -> Target | None:
    """Return the reduction that a decision asks for; None when it asks for none or forbids every order.

    Under a halt it is the way to zero, which execution goes only if `flatten_when_halted` says so.
    """
    wanted, reason = decision.target, decision.target_reason or decision.reason
    if decision.action is Action.HALT:  # what nobody trades for us is not ours to close
        wanted = Range(0, 0, style=FLATTEN) if holding.is_quoted or holding.is_leg else None
        reason = decision.reason
    if view is None or wanted is None or decision.is_frozen or decision.action is Action.FREEZE:
        return None
    if wanted.may_open:
        wanted = _within(wanted, permit, view.position.quantity)
    distance = wanted.distance(view.position.quantity)
    if distance == 0:
        return None
    return Target(
        holding.account, holding.symbol, wanted.minimum, wanted.maximum, wanted.style, wanted.limit_price,
        min(distance, lots_within(max_order_usd, view.instrument, view.price)), wanted.may_open,
        view.position.position_seq, holding.expires_ns, reason,
    )  # fmt: skip


def _within(wanted: Range, permit: Permit, position: int) -> Range:
    """Cut what may open to what the permit lets rest; what is there already is not traded for that."""
    lowest, highest = min(-permit.max_short, position), max(permit.max_long, position)
    return replace(
        wanted,
        minimum=min(max(wanted.minimum, lowest), highest),
        maximum=min(max(wanted.maximum, lowest), highest),
    )


def no_target(last: Target, expires_ns: int) -> Target:
    """Return the target that takes `last` back."""
    return Target(last.scope, last.symbol, 0, 0, "none", None, 0, False, last.position_seq, expires_ns, "")


def is_worse(new: Permit, old: Permit) -> bool:
    """True when `new` forbids something that `old` permits: it is told at once."""
    return (
        (new.halted and not old.halted)
        or (old.may_buy and not new.may_buy)
        or (old.may_sell and not new.may_sell)
        or (new.reduce_only and not old.reduce_only)
    )


def is_same(one: Target | None, other: Target | None) -> bool:
    """True when two targets ask for the same, whatever their expiry and reason."""
    if one is None or other is None:
        return one is other
    return all(getattr(one, name) == getattr(other, name) for name in _ASKED)
