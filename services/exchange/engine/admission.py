"""Every check an order passes before it may touch the book; a failing one changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.exchange.accounts.account import Account
from services.exchange.accounts.margin import MarginRule
from services.exchange.engine.matching import Book
from services.exchange.engine.rules import MARK_GRID, Rules
from services.exchange.engine.sweep import first_is_own, lots_for_money, lots_within
from services.exchange.model import OrderRequest, OrderType, Reason, Refused, SelfTrade, Side, TimeInForce


@dataclass(frozen=True, slots=True)
class Admitted:
    """An order that may proceed: `limit` in ticks (the sweep limit for market orders), `lots` to trade."""

    limit: int
    lots: int


@dataclass(frozen=True, slots=True)
class Admission:
    """Checks of one market.

    last   last traded price, ticks
    mark   mark price, ticks * MARK_GRID; None for spot, or while a perpetual has none
    mid    mid price, ticks * MARK_GRID
    """

    rules: Rules
    margin: MarginRule
    book: Book
    last: int | None
    mark: int | None
    mid: int | None

    def admit(self, account: Account, request: OrderRequest) -> Admitted:
        """Return what to trade. Raises Refused."""
        _check_shape(request, self.rules)
        if self.rules.is_perp and self.mark is None:
            raise Refused(Reason.MARKET_CLOSED, f"{request.symbol} has no mark price yet")
        account.check_new_order(request.client_id)
        limit = self._limit(request)
        lots = self._lots(account, request, limit)
        if request.reduce_only:
            lots = min(lots, self._reducible(account, request.side))
        self._check_book(account, request, limit, lots)
        if self.rules.is_perp:
            self._check_margin(account, request, limit, lots)
        else:
            self._check_funds(account, request, limit, lots)
        return Admitted(limit, lots)

    def _limit(self, request: OrderRequest) -> int:
        reference = self.mark if self.rules.is_perp else self.mid
        if request.price is None:
            return self.rules.sweep_limit(request.side is Side.BUY, self.last, reference)
        ticks = self.rules.ticks(request.price)
        self.rules.check_bands(ticks, self.last, reference)
        return ticks

    def _lots(self, account: Account, request: OrderRequest, limit: int) -> int:
        if request.quantity is not None:
            return self.rules.lots(request.quantity)
        money = int((request.quote_quantity or Decimal(0)) / self.rules.unit)
        opposite = self.book.side(request.side.opposite)
        lots = lots_for_money(opposite, limit, account.name, request.self_trade, money)
        if not lots and not self.book.crosses(request.side, limit):
            raise Refused(Reason.INSUFFICIENT_LIQUIDITY, f"{request.symbol} has nothing to trade against")
        self.rules.check_lots(lots)
        return lots

    def _reducible(self, account: Account, side: Side) -> int:
        position = account.positions.get(self.rules.market.symbol)
        lots = 0 if position is None else position.lots
        if lots == 0 or (lots > 0) is (side is Side.BUY):
            raise Refused(
                Reason.REDUCE_ONLY,
                f"Reduce only {side.value} order would not reduce the position {self.rules.quantity(lots)}",
            )
        return abs(lots)

    def _check_book(self, account: Account, request: OrderRequest, limit: int, lots: int) -> None:
        crosses = self.book.crosses(request.side, limit)
        if request.post_only:
            if crosses:
                raise Refused(
                    Reason.POST_ONLY_WOULD_TAKE, f"post-only order at {request.price} would match and take"
                )
            return
        if request.type is OrderType.MARKET and not crosses:
            raise Refused(Reason.INSUFFICIENT_LIQUIDITY, f"{request.symbol} has nothing to trade against")
        if not crosses and request.time_in_force is not TimeInForce.FOK:
            return
        opposite = self.book.side(request.side.opposite)
        if request.self_trade is SelfTrade.REJECT_TAKER and first_is_own(opposite, limit, account.name):
            raise Refused(Reason.SELF_TRADE, "the order would trade with an order of the same account")
        if request.time_in_force is TimeInForce.FOK:
            fillable, _ = lots_within(opposite, limit, account.name, request.self_trade, lots)
            if fillable < lots:
                raise Refused(
                    Reason.FILL_OR_KILL,
                    f"only {self.rules.quantity(fillable)} of {self.rules.quantity(lots)} would fill at once",
                )

    def _check_margin(self, account: Account, request: OrderRequest, limit: int, lots: int) -> None:
        position = account.position(self.rules)
        buys, sells = (lots, 0) if request.side is Side.BUY else (0, lots)
        worst = position.worst_lots(buys, sells)
        if request.reduce_only or worst <= position.worst_lots():
            return
        mark = self.mark or 0
        needed = self.margin.initial_margin(worst, mark) - position.margin
        if request.price is not None:
            paid_over = limit * MARK_GRID - mark if buys else mark - limit * MARK_GRID
            needed += max(0, paid_over) * lots * self.rules.mark_unit
        available = account.free_collateral(self.rules.market.quote)
        if needed > available:
            raise Refused(
                Reason.INSUFFICIENT_MARGIN, f"the order needs {needed:f} margin, {available:f} is available"
            )

    def _check_funds(self, account: Account, request: OrderRequest, limit: int, lots: int) -> None:
        market = self.rules.market
        if request.side is Side.SELL:
            asset, needed, available = market.base, self.rules.quantity(lots), account.free(market.base)
        else:
            asset = market.quote
            available = min(account.free(asset), account.free_collateral(asset))
            needed = self.rules.quote(limit, lots)
            if request.type is OrderType.MARKET:
                asks = self.book.asks
                _, cost = lots_within(asks, limit, account.name, request.self_trade, lots)
                needed = cost * self.rules.unit
        if needed > available:
            raise Refused(
                Reason.INSUFFICIENT_FUNDS, f"the order needs {needed:f} {asset}, {available:f} is available"
            )


def _check_shape(request: OrderRequest, rules: Rules) -> None:
    is_limit = request.type is OrderType.LIMIT
    if is_limit and (request.price is None or request.quantity is None):
        raise Refused(Reason.BAD_REQUEST, "a limit order needs price and quantity")
    if is_limit and request.quote_quantity is not None:
        raise Refused(Reason.BAD_REQUEST, "only a market order may give quoteQuantity")
    if not is_limit and request.price is not None:
        raise Refused(Reason.BAD_REQUEST, "a market order has no price")
    if not is_limit and (request.quantity is None) is (request.quote_quantity is None):
        raise Refused(Reason.BAD_REQUEST, "a market order needs either quantity or quoteQuantity")
    quote = request.quote_quantity
    if quote is not None and not (quote.is_finite() and 0 < quote < 10**12):
        raise Refused(Reason.BAD_REQUEST, f"quoteQuantity {quote} must be positive and below 10^12")
    if request.post_only and (not is_limit or request.time_in_force is not TimeInForce.GTC):
        raise Refused(Reason.BAD_REQUEST, "post-only needs a limit order that is good till cancelled")
    if request.reduce_only and not rules.is_perp:
        raise Refused(Reason.BAD_REQUEST, "reduce-only orders exist on perpetual markets only")
