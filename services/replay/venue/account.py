"""One account at the simulated venue: cash, positions, fills, funding; all exact."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from itertools import takewhile

from services.replay.venue.book import Market, Resting
from shared.messages import Side
from shared.venues.base import NewOrder, VenueBalance, VenueEquity, VenueFill, VenueFunding, VenuePosition

#: reads ask for what happened in the last seconds; older fills are not kept
KEPT_FILLS = 10_000
_COST_DIGITS = Decimal("1e-12")
#: no venue pays smaller parts; so sums of money stay within 28 digits, exact
_CENT = Decimal("1e-12")


class Fees:
    """Rates as shares of the notional; negative = a rebate."""

    __slots__ = ("maker", "taker")

    def __init__(self, maker: Decimal, taker: Decimal) -> None:
        self.maker, self.taker = maker, taker


class SimAccount:
    """Perpetuals change cash by realised money flows only: equity = cash + sum of position × mark.

    Spot works the same way: the position is what is held.
    """

    def __init__(self, name: str, cash: Decimal, fees: Fees, held: Mapping[str, Decimal]) -> None:
        """cash: quote units; held: symbol -> base units owned at the start, not paid from the cash."""
        self.name = name
        self.cash = cash
        self.fees = fees
        self.positions: dict[str, int] = {}
        self.costs: dict[str, Decimal] = {}
        self.fills: deque[VenueFill] = deque(maxlen=KEPT_FILLS)
        self.funding: deque[VenueFunding] = deque(maxlen=KEPT_FILLS)
        self.by_client_id: dict[int, Resting] = {}
        self._held = dict(held)
        self._next_trade_id = 0

    def open(self, market: Market) -> None:
        """Take up a symbol with what is held of it at the start."""
        name = market.info.symbol
        if name not in self.positions:
            self.positions[name] = market.instrument.lots_floor(self._held.get(name, Decimal(0)))

    def fill(
        self, market: Market, order: Resting, lots: int, price: int, is_maker: bool, now_ns: int
    ) -> VenueFill:
        """Book an execution; return it as the venue tells it."""
        instrument, name = market.instrument, order.symbol
        notional = market.unit_value * price * lots
        fee = (notional * (self.fees.maker if is_maker else self.fees.taker)).quantize(_CENT)
        self._cost(name, order.side, lots, price * market.unit_value)
        self.positions[name] += order.side.sign * lots
        self.cash -= order.side.sign * notional + fee
        self._next_trade_id += 1
        fill = VenueFill(
            name, self._next_trade_id, order.id, order.client_order_id, order.side, instrument.price(price),
            instrument.quantity(lots), is_maker, fee, instrument.quote, now_ns,
        )  # fmt: skip
        self.fills.append(fill)
        return fill

    def _cost(self, name: str, side: Side, lots: int, lot_price: Decimal) -> None:
        """Keep the average cost of what is open, quote units a lot."""
        position = self.positions[name]
        after = position + side.sign * lots
        if after == 0:
            self.costs.pop(name, None)
        elif position * side.sign >= 0:
            before = self.costs.get(name, lot_price)
            average = (before * abs(position) + lot_price * lots) / abs(after)
            self.costs[name] = average.quantize(_COST_DIGITS)  # short, so that sums with it stay exact
        elif abs(lots) > abs(position):
            self.costs[name] = lot_price

    def can_pay(self, market: Market, new: NewOrder, markets: Mapping[str, Market]) -> bool:
        """Return whether a spot order is covered by what no other spot order holds already."""
        if new.side is Side.SELL:
            locked = sum(order.leaves for order in market.our_asks if order.account == self.name)
            return new.size <= self.positions[market.info.symbol] - locked
        reserved = sum(
            one.unit_value * order.price * order.leaves
            for one in markets.values()
            if not one.info.is_perp
            for order in one.our_bids
            if order.account == self.name
        )
        return market.unit_value * new.price * new.size <= self.cash - reserved

    def pay_funding(self, market: Market, rate: float, mark_price: float, now_ns: int) -> VenueFunding | None:
        """Pay (position long and rate > 0) or receive one interval's funding."""
        lots = self.positions.get(market.info.symbol, 0)
        if not lots or not market.info.is_perp:
            return None
        owed = lots * base_of(market) * Decimal(repr(mark_price)) * Decimal(repr(rate))
        amount = -owed.quantize(_CENT)
        self.cash += amount
        payment = VenueFunding(market.info.symbol, amount, now_ns)
        self.funding.append(payment)
        return payment

    def value(self, markets: Mapping[str, Market]) -> Decimal:
        """Return the equity: cash and every position at its mark."""
        total = self.cash
        for name, lots in self.positions.items():
            if lots:
                total += lots * lot_mark(markets[name])
        return total

    def fills_since(self, since_ns: int) -> list[VenueFill]:
        """Return the fills at or after a venue time, oldest first."""
        found = list(takewhile(lambda fill: fill.venue_ns >= since_ns, reversed(self.fills)))
        found.reverse()
        return found

    # --- answers of reads -----------------------------------------------------------------------

    def venue_positions(self, markets: Mapping[str, Market], now_ns: int) -> list[VenuePosition]:
        shown = []
        for name, lots in self.positions.items():
            market = markets[name]
            if not lots or not market.info.is_perp:
                continue
            mark, cost, base = lot_mark(market), self.costs[name], base_of(market)
            shown.append(
                VenuePosition(
                    name, market.instrument.quantity(lots), cost / base, mark / base,
                    lots * (mark - cost), now_ns,
                )
            )  # fmt: skip
        return shown

    def balances(self, markets: Mapping[str, Market]) -> list[VenueBalance]:
        """Return cash as the quote asset, less what is not realised; spot holdings as base assets."""
        quotes = {market.instrument.quote for market in markets.values()}
        cash = self.cash
        found: list[VenueBalance] = []
        for name, lots in self.positions.items():
            market = markets[name]
            if market.info.is_perp:
                cash += lots * self.costs.get(name, Decimal(0))  # a position is not paid for
            else:
                quantity = market.instrument.quantity(lots)
                found.append(VenueBalance(market.instrument.base, quantity, quantity))
        found.extend(VenueBalance(quote, cash, cash) for quote in sorted(quotes)[:1])
        return found

    def equity(self, markets: Mapping[str, Market]) -> VenueEquity:
        value = self.value(markets)
        return VenueEquity(value, value)


def lot_mark(market: Market) -> Decimal:
    """Return the value of one lot at the mark, else at the mid, quote units; 0 before any price."""
    if market.mark_price is not None:
        return Decimal(repr(market.mark_price)) * base_of(market)
    if market.bid is None or market.ask is None:
        return Decimal(0)
    return market.unit_value * (market.bid + market.ask) / 2


def base_of(market: Market) -> Decimal:
    """Return the base units of one lot."""
    return market.instrument.lot_size * market.instrument.contract_multiplier
