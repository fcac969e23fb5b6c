"""What is known of one symbol of one account, and what was last said about it."""

from __future__ import annotations

from collections.abc import Sequence

from services.risk.market_state import MarketState
from services.risk.policies.abilities import CountsFills, HearsFills
from services.risk.policies.discontinuity import PositionDoubt
from services.risk.policies.holds import Holds
from services.risk.policies.policy import Policy, View
from shared.bus import STATE_TTL_NS
from shared.messages import Fill, Permit, Position, Side, Target, Working


class Holding:
    """The newest position and working orders of an account's symbol, and the policies that judge it."""

    def __init__(
        self,
        account: str,
        symbol: str,
        market: MarketState,
        confirm_ns: int,
        policies: Sequence[Policy[View]] = (),
    ) -> None:
        self.account = account
        self.symbol = symbol
        self.market = market
        self.policies = policies
        self.doubt = PositionDoubt(confirm_ns)
        self.holds = Holds()
        self.position: Position | None = None
        self.working: Working | None = None
        self._position_heard_ns = 0
        #: the position was told in lots that mean something else now; None = it was not
        self._outdated_seq: int | None = None
        self._confirm_ns = confirm_ns
        self._working_heard_ns = 0
        #: True while a quoter works on it
        self.is_quoted = False
        #: True while it is the leg of a hedge: it needs room without being quoted
        self.is_leg = False
        #: set on the timer: what was allotted, and until when the permit that tells it is valid
        self.budget_usd = 0.0
        self.expires_ns = 0
        self.permit: Permit | None = None
        self.target: Target | None = None
        #: what a person was last told of it
        self.alert = ""

    @property
    def is_permitted(self) -> bool:
        """True when the last permit or target lets anything be sent."""
        return self.target is not None or (self.permit is not None and self.permit.max_order > 0)

    def on_rules_changed(self) -> None:
        """Lots mean something else now: the position is unknown until it is told under a newer seq."""
        if self.position is not None and self._outdated_seq is None:
            self._outdated_seq = self.position.position_seq
            self.doubt = PositionDoubt(self._confirm_ns)

    def on_position(self, position: Position, now_ns: int) -> None:
        if self._outdated_seq is not None and position.position_seq > self._outdated_seq:
            self._outdated_seq = None
        self.position, self._position_heard_ns = position, now_ns
        if self._outdated_seq is None:
            self.doubt.on_position(position, now_ns)

    def on_fill(self, fill: Fill, now_ns: int) -> None:
        self.doubt.on_fill(fill)
        for policy in self.policies:
            if isinstance(policy, HearsFills):
                policy.on_fill(fill, now_ns)

    def on_fills_lost(self, now_ns: int) -> None:
        for policy in self.policies:
            if isinstance(policy, CountsFills):
                policy.on_fills_lost(now_ns)

    def on_working(self, working: Working, now_ns: int) -> None:
        self.working, self._working_heard_ns = working, now_ns

    def missing(self, now_ns: int) -> str | None:
        """Return which input is missing or old; None when all can be relied on."""
        if self.position is None:
            return "position not heard"
        if now_ns - self._position_heard_ns > STATE_TTL_NS:
            return "execution is silent"
        if self._outdated_seq is not None:
            return "trading rules have changed: position not told anew"
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
        instrument, price = self.market.instrument, self.market.price.usd
        if instrument is None or price is None or self._outdated_seq is not None:
            return None
        return instrument.notional_at(lots, price)
