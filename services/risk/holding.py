"""What is known of one symbol of one account, and what was last said about it."""

from __future__ import annotations

from services.risk.market_state import MarketState
from services.risk.policies.discontinuity import PositionDoubt
from services.risk.policies.policy import Holds
from shared.bus import STATE_TTL_NS
from shared.messages import Permit, Position, Side, Target, Working


class Holding:
    """The newest position and working orders of an account's symbol."""

    def __init__(self, account: str, symbol: str, market: MarketState, confirm_ns: int) -> None:
        self.account = account
        self.symbol = symbol
        self.market = market
        self.doubt = PositionDoubt(confirm_ns)
        self.holds = Holds()
        self.position: Position | None = None
        self.working: Working | None = None
        self._position_heard_ns = 0
        self._working_heard_ns = 0
        #: set on the timer: what was allotted, and until when the permit that tells it is valid
        self.budget_usd = 0.0
        self.expires_ns = 0
        self.permit: Permit | None = None
        self.target: Target | None = None

    @property
    def is_permitted(self) -> bool:
        """True when the last permit or target lets anything be sent."""
        return self.target is not None or (self.permit is not None and self.permit.max_order > 0)

    def on_position(self, position: Position, now_ns: int) -> None:
        self.position, self._position_heard_ns = position, now_ns
        self.doubt.on_position(position, now_ns)

    def on_working(self, working: Working, now_ns: int) -> None:
        self.working, self._working_heard_ns = working, now_ns

    def missing(self, now_ns: int) -> str | None:
        """Return which input is missing or old; None when all can be relied on."""
        if self.position is None:
            return "position not heard"
        if now_ns - self._position_heard_ns > STATE_TTL_NS:
            return "execution is silent"
        if not self.position.is_known:
            return "position is not confirmed by the venue"
        if self.working is None or now_ns - self._working_heard_ns > STATE_TTL_NS:
            return "working orders not heard"
        return None

    def notional_usd(self) -> float | None:
        """Return the signed value of the position as last known; None = it cannot be valued."""
        if self.position is None:
            return None
        return self._value(self.position.quantity)

    def worst_case_usd(self) -> float | None:
        """Return the largest value that the position can have once any of our orders have filled."""
        if self.position is None:
            return None
        orders = () if self.working is None else self.working.orders
        buys = sum(order.leaves for order in orders if order.side is Side.BUY)
        sells = sum(order.leaves for order in orders if order.side is Side.SELL)
        quantity = self.position.quantity
        value = self._value(max(abs(quantity + buys), abs(quantity - sells)))
        return None if value is None else abs(value)

    def _value(self, lots: int) -> float | None:
        if lots == 0:
            return 0.0
        instrument, price = self.market.instrument, self.market.price
        return None if instrument is None or price is None else instrument.notional_at(lots, price)
