"""What is wanted and what works agree: while nothing of either changes, there is nothing to compare.

Most of what happens to an order (its acceptance, a second word of its cancel, a repetition of the
wanted set) changes neither what may rest nor what stands for it. A symbol's last comparison that
found nothing to do is remembered with all that it depended on.

Nor is there anything to do, whatever is wanted, while the venue has not answered for the orders that
hold its places. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.execution.sending.patience import is_too_early
from services.execution.symbols import Symbol
from shared.instrument import Instrument
from shared.messages import Level, OrderStatus, Permit, Side

_LEAVING = OrderStatus.PENDING_CANCEL


class Agreement:
    """All that a comparison without a result depended on; times are checked, not kept.

    version        of the symbol's orders: see `SymbolOrders`
    is_over_gross  the account's gross was over the permit's limit
    """

    __slots__ = (
        "_exclusive", "_instrument", "_is_known", "_is_over_gross", "_permit", "_position", "_version",
        "_wanted",
    )  # fmt: skip

    def __init__(self, symbol: Symbol, permit: Permit, wanted: Sequence[Level], gross_usd: float) -> None:
        quotes = symbol.quotes
        self._wanted = wanted
        self._exclusive = quotes is not None and quotes.exclusive
        self._permit = permit
        self._is_over_gross = gross_usd > permit.max_gross_usd
        self._version = symbol.orders.version
        self._position, self._is_known = symbol.position, symbol.is_known
        self._instrument: Instrument = symbol.instrument

    def holds(self, symbol: Symbol, gross_usd: float, now_ns: int) -> bool:
        """True when comparing again would find nothing to do again."""
        quotes, permit = symbol.quotes, symbol.permit
        return (
            self._version == symbol.orders.version
            and permit is self._permit
            and quotes is not None
            and (quotes.levels is self._wanted or quotes.levels == self._wanted)
            and quotes.exclusive is self._exclusive
            and now_ns < quotes.expires_ns
            and now_ns < self._permit.expires_ns
            and self._position == symbol.position
            and self._is_known is symbol.is_known
            and symbol.is_open
            and symbol.halt_reason is None
            and symbol.target is None
            and self._instrument is symbol.instrument
            and (gross_usd > self._permit.max_gross_usd) is self._is_over_gross
        )


def agreement(
    symbol: Symbol, levels: Sequence[Level], blocked: Sequence[object], gross_usd: float
) -> Agreement | None:
    """Return what a comparison that found nothing to do leaves behind; None where the time alone may undo it.

    levels   what may rest, and does
    blocked  sides on which nothing could have been placed: one that is so no longer makes a difference
    """
    quotes, permit = symbol.quotes, symbol.permit
    if quotes is None or permit is None or symbol.target is not None or not levels or blocked:
        return None
    if any(level.max_age_ns for level in levels):
        return None
    return Agreement(symbol, permit, quotes.levels, gross_usd)


def waits_for_venue(symbol: Symbol, now_ns: int) -> bool:
    """True when comparing could do nothing: every place is held by an order that must be answered for first.

    One whose cancel is under way stays until that is answered, one that is being placed may not be
    cancelled yet; each holds the place of one level of its side. With a target there may be more to do.
    """
    quotes = symbol.quotes
    if quotes is None or symbol.target is not None:
        return False
    bids = asks = 0
    for order in symbol.orders.live.values():
        is_leaving = order.status is _LEAVING
        if not (is_leaving or (order.is_placing and is_too_early(order, now_ns))) or order.is_target:
            return False
        if order.side is Side.BUY:
            bids += 1
        else:
            asks += 1
    for level in quotes.levels:
        if level.side is Side.BUY:
            bids -= 1
        else:
            asks -= 1
    return bids >= 0 and asks >= 0
