"""One account of the venue: balances, locked funds, positions, open orders and history."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from services.exchange.accounts.positions import Position
from services.exchange.engine.rules import Rules, decimals_of
from services.exchange.model import (
    AccountSpec,
    BalanceState,
    Fill,
    FundingPayment,
    Order,
    Reason,
    Refused,
    Side,
)

_ZERO = Decimal(0)
_KEPT_ORDERS = 20_000
_KEPT_FILLS = 20_000
_KEPT_FUNDING = 5_000
_MAX_DEPOSIT = Decimal(10**9)
_MAX_DEPOSIT_DECIMALS = 12
_MAX_FEE_DECIMALS = 8


class Account:
    """Holdings and orders of one user. `balances` include what is locked by resting spot orders."""

    def __init__(self, spec: AccountSpec, max_open_orders: int) -> None:
        _check(spec)
        self.spec = spec
        self.name = spec.name
        self.balances = dict(spec.balances)
        self.locked: dict[str, Decimal] = {}
        self.positions: dict[str, Position] = {}
        self.open: dict[int, Order] = {}
        self.history: deque[Order] = deque(maxlen=_KEPT_ORDERS)
        self.fills: deque[Fill] = deque(maxlen=_KEPT_FILLS)
        self.funding: deque[FundingPayment] = deque(maxlen=_KEPT_FUNDING)
        #: sums over `positions`, at the last mark
        self.margin = _ZERO
        self.pnl = _ZERO
        self._client_ids: dict[str, Order] = {}
        self._max_open_orders = max_open_orders
        #: assets whose balance changed in the running operation
        self.touched: dict[str, None] = {}

    def fee_rate(self, rules: Rules, is_maker: bool) -> Decimal:
        spec = self.spec
        if rules.is_perp:
            return spec.maker_fee_perp if is_maker else spec.taker_fee_perp
        return spec.maker_fee_spot if is_maker else spec.taker_fee_spot

    def check_new_order(self, client_id: str | None) -> None:
        """Raises Refused: the client id is in use, or there are too many open orders."""
        if client_id is not None and client_id in self._client_ids:
            raise Refused(Reason.DUPLICATE_CLIENT_ID, f"client id {client_id} belongs to an open order")
        if len(self.open) >= self._max_open_orders:
            raise Refused(Reason.ORDER_LIMIT, f"there are already {self._max_open_orders} open orders")

    def add_order(self, order: Order) -> None:
        self.open[order.id] = order
        self.history.append(order)
        if order.client_id is not None:
            self._client_ids[order.client_id] = order

    def end_order(self, order: Order) -> None:
        """Forget an order that is no longer open; it stays in the history."""
        del self.open[order.id]
        if order.client_id is not None:
            del self._client_ids[order.client_id]

    def find(self, symbol: str, order_id: int | None, client_id: str | None) -> Order:
        """Return the open order with this id, or else this client id. Raises Refused UNKNOWN_ORDER."""
        if order_id is not None:
            order = self.open.get(order_id)
        else:
            order = None if client_id is None else self._client_ids.get(client_id)
        if order is None or order.symbol != symbol:
            raise Refused(
                Reason.UNKNOWN_ORDER,
                f"no open order in {symbol} with order id {order_id}, client id {client_id}",
            )
        return order

    def position(self, rules: Rules) -> Position:
        """Return the position in the perpetual of `rules`, made flat if there is none."""
        symbol = rules.market.symbol
        position = self.positions.get(symbol)
        if position is None:
            position = self.positions[symbol] = Position(rules)
        return position

    def credit(self, asset: str, amount: Decimal) -> None:
        self.balances[asset] = self.balances.get(asset, _ZERO) + amount
        self.touched[asset] = None

    def hold(self, order: Order, rules: Rules, lots: int) -> None:
        """Lock funds (spot) or count exposure (perp) for `lots` of a resting order; negative releases."""
        if not rules.is_perp:
            asset, amount = spot_hold(order, rules, lots)
            self.locked[asset] = self.locked.get(asset, _ZERO) + amount
            self.touched[asset] = None
            return
        position = self.position(rules)
        if order.reduce_only:
            position.reduce_only[order.id] = order
        elif order.side is Side.BUY:
            position.open_buys += lots
        else:
            position.open_sells += lots

    def release(self, order: Order, rules: Rules, lots: int, ended: bool) -> None:
        """Undo `hold` for `lots` that were filled or cancelled."""
        self.hold(order, rules, -lots)
        if ended and order.reduce_only:
            self.position(rules).reduce_only.pop(order.id, None)

    def revalue(self, position: Position, margin: Decimal, pnl: Decimal) -> None:
        """Replace a position's share in the account's margin and unrealised PnL."""
        self.margin += margin - position.margin
        self.pnl += pnl - position.pnl
        position.margin, position.pnl = margin, pnl

    def free(self, asset: str) -> Decimal:
        """Return the holding of `asset` that no resting spot order locks."""
        return self.balances.get(asset, _ZERO) - self.locked.get(asset, _ZERO)

    def free_collateral(self, quote: str) -> Decimal:
        """Return what may back new positions: free quote money, plus PnL, less margin in use."""
        return self.free(quote) + self.pnl - self.margin

    def balance(self, asset: str) -> BalanceState:
        locked = self.locked.get(asset, _ZERO)
        return BalanceState(self.name, asset, self.balances.get(asset, _ZERO) - locked, locked)


def spot_hold(order: Order, rules: Rules, lots: int) -> tuple[str, Decimal]:
    """Return (asset, amount) that `lots` of a resting spot order lock."""
    if order.side is Side.BUY:
        return rules.market.quote, rules.quote(order.price or 0, lots)
    return rules.market.base, rules.quantity(lots)


def _check(spec: AccountSpec) -> None:
    for asset, amount in spec.balances:
        if not 0 <= amount < _MAX_DEPOSIT or decimals_of(amount) > _MAX_DEPOSIT_DECIMALS:
            raise ValueError(
                f"account {spec.name}: balance {amount} {asset} must be at least 0, below {_MAX_DEPOSIT} "
                f"and have at most {_MAX_DEPOSIT_DECIMALS} decimals"
            )
    for rate in (spec.maker_fee_perp, spec.taker_fee_perp, spec.maker_fee_spot, spec.taker_fee_spot):
        if not abs(rate) < 1 or decimals_of(rate) > _MAX_FEE_DECIMALS:
            raise ValueError(
                f"account {spec.name}: fee {rate} must be a fraction between -1 and 1 with at most "
                f"{_MAX_FEE_DECIMALS} decimals"
            )
