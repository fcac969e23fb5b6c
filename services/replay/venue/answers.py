"""What the simulated venue answers to execution's reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.execution.account.statements import Statement
from services.execution.requests import ReadKind, StartRead
from services.replay.venue.account import SimAccount
from services.replay.venue.book import Market, Resting
from shared.clock import NS_PER_MS
from shared.venues.base import VenueOrder


def answer(account: SimAccount, markets: Mapping[str, Market], read: StartRead, now_ns: int) -> Any:
    """Return the answer to a read of an account."""
    kind = read.kind
    if kind is ReadKind.OPEN_ORDERS:
        return [_as_placed(markets, order) for order in _open_orders(account, markets)]
    if kind is ReadKind.FIND_ORDER:
        found = account.by_client_id.get(read.client_order_id)
        return None if found is None else _as_placed(markets, found)
    if kind is ReadKind.ORDER_HISTORY:
        return [_as_placed(markets, order) for order in account.by_client_id.values()]
    if kind is ReadKind.POSITIONS:
        return account.venue_positions(markets, now_ns)
    if kind is ReadKind.FILLS:
        return account.fills_since(read.since_ms * NS_PER_MS)
    if kind is ReadKind.BALANCES:
        return account.balances(markets)
    if kind is ReadKind.EQUITY:
        return account.equity(markets)
    if kind is ReadKind.STATEMENT:
        return Statement(account.balances(markets), account.venue_positions(markets, now_ns))
    if kind is ReadKind.FUNDING:
        since_ns = read.since_ms * NS_PER_MS
        return [payment for payment in account.funding if payment.interval_end_ns >= since_ns]
    return [market.info for market in markets.values()]


def shown(market: Market, order: Resting, event: str, venue_ns: int) -> VenueOrder:
    """Return an order as the venue shows it."""
    instrument = market.instrument
    return VenueOrder(
        order.symbol, order.id, order.client_order_id, order.side, instrument.price(order.price),
        instrument.quantity(order.size), instrument.quantity(order.filled), order.is_live, order.status,
        order.reduce_only, event, venue_ns,
    )  # fmt: skip


def _as_placed(markets: Mapping[str, Market], order: Resting) -> VenueOrder:
    return shown(markets[order.symbol], order, "", order.venue_ns)


def _open_orders(account: SimAccount, markets: Mapping[str, Market]) -> Iterator[Resting]:
    for market in markets.values():
        for order in (*market.our_bids, *market.our_asks):
            if order.account == account.name:
                yield order
