"""Private REST endpoints: balances, collateral, positions and limits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

from services.exchange.decimals import plain
from services.exchange.model import BalanceState, PositionState, Side, Venue
from services.exchange.protocols.backpack.context import Call, Context, ok
from services.exchange.protocols.backpack.errors import api_error, not_found
from services.exchange.protocols.backpack.render import account as render
from services.exchange.protocols.backpack.render.symbols import MARKET_TYPES, Listed
from services.exchange.protocols.backpack.rest.order_payload import SIDES
from services.exchange.protocols.backpack.rest.parsing import Query, to_decimal
from services.exchange.protocols.backpack.rest.position_faults import told_positions
from services.exchange.wire.http_listener import Reply

ZERO = Decimal(0)


class AccountRest:
    """Handlers of the account's present state."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._venue = context.venue
        self.routes = {
            ("GET", "/api/v1/account"): self.account,
            ("GET", "/api/v1/account/limits/order"): self.order_limit,
            ("GET", "/api/v1/capital"): self.capital,
            ("GET", "/api/v1/capital/collateral"): self.collateral,
            ("GET", "/api/v1/position"): self.position,
        }

    async def account(self, call: Call) -> Reply:
        name = call.admit_query(self._context, "accountQuery")
        return ok(render.account(self._venue.accounts[name], len(self._venue.open_orders(name))))

    async def capital(self, call: Call) -> Reply:
        name = call.admit_query(self._context, "balanceQuery")
        return ok({state.asset: render.balance(state) for state in self._venue.balances(name)})

    async def collateral(self, call: Call) -> Reply:
        name = call.admit_query(self._context, "collateralQuery")
        rows = [self._collateral_row(state) for state in self._venue.balances(name)]
        return ok(render.collateral(self._venue.collateral(name), rows))

    async def position(self, call: Call) -> Reply:
        """All open positions; asked for one symbol, none is 404."""
        symbol, kind = call.query.text("symbol"), call.query.one_of("marketType", "MarketType", MARKET_TYPES)
        name = call.admit_query(self._context, "positionQuery")
        if symbol is not None:
            self._context.listing(symbol)
        states = list(told_positions(self._context, name, symbol)) if kind in (None, "PERP") else []
        if symbol is not None and not states:
            raise not_found()
        return ok([self._position(state) for state in states])

    async def order_limit(self, call: Call) -> Reply:
        """The largest order the account could place now; fees are not taken off."""
        symbol = call.query.required("symbol")
        side = SIDES[call.query.choice("side", "Side", SIDES)]
        name = call.admit_query(self._context, "maxOrderQuantity")
        listed = self._context.listing(symbol)
        price = self._limit_price(call.query, listed, side)
        if call.query.text("reduceOnly") == "true":
            most = self._reducible(name, listed, side)
        elif listed.is_perp:
            most = self._reducible(name, listed, side) * 2 + self._affordable(name, listed, price)
        else:
            most = self._spot_limit(name, listed, side, price)
        lots = (most / listed.market.lot_size).to_integral_value(ROUND_DOWN)
        echo = {key: value for key, value in call.query.first.items() if key in ("price", "side", "symbol")}
        return ok({**echo, "maxOrderQuantity": plain(lots * listed.market.lot_size)})

    def _position(self, state: PositionState) -> dict[str, Any]:
        listed = self._context.listed[state.symbol]
        return render.position(state, exposure_lots(self._venue, state), listed)

    def _collateral_row(self, state: BalanceState) -> Mapping[str, str]:
        return render.collateral_row(state, self._venue.asset_price(state.asset), Decimal(1))

    def _limit_price(self, query: Query, listed: Listed, side: Side) -> Decimal:
        """Return the price asked about, for a market order the best of the other side."""
        asked = to_decimal(query.text("price") or "")
        if asked:
            return asked
        book = self._venue.depth(listed.symbol, 5)
        others = book.asks if side is Side.BUY else book.bids
        if not others:
            raise api_error(400, "INVALID_ORDER", "Insufficient liquidity")
        return listed.prices.decimal(others[0][0])

    def _reducible(self, account: str, listed: Listed, side: Side) -> Decimal:
        sign = -1 if side is Side.BUY else 1
        held = sum(s.quantity for s in self._venue.positions(account) if s.symbol == listed.symbol)
        return listed.sizes.decimal(max(0, sign * held))

    def _affordable(self, account: str, listed: Listed, price: Decimal) -> Decimal:
        available = max(ZERO, self._venue.collateral(account).net_equity_available)
        return available / (listed.market.initial_margin * price)

    def _spot_limit(self, account: str, listed: Listed, side: Side, price: Decimal) -> Decimal:
        market = listed.market
        asset = market.quote if side is Side.BUY else market.base
        free = sum((s.available for s in self._venue.balances(account) if s.asset == asset), ZERO)
        return free / price if side is Side.BUY else free


def exposure_lots(venue: Venue, state: PositionState) -> int:
    """Return the lots held if every open order of the worse side were filled."""
    sides = {Side.BUY: 0, Side.SELL: 0}
    for order in venue.open_orders(state.account, state.symbol):
        if not order.reduce_only:
            sides[order.side] += order.leaves
    return max(abs(state.quantity + sides[Side.BUY]), abs(state.quantity - sides[Side.SELL]))
