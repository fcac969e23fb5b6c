"""The venue with the market that moves it: time goes on, outsiders trade, prices jump."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from services.exchange.engine.market_engine import MarketEngine
from services.exchange.engine.venue import LocalVenue
from services.exchange.market import MarketDriver
from services.exchange.market.recording import RecordingError
from services.exchange.market.synthetic import SyntheticMarket
from services.exchange.model import Order, Refused, Side
from services.exchange.wire.periodic import Periodic
from shared.clock import NS_PER_S, Clock
from shared.errors import BadInput

_SETTLE_INTERVAL_S = 0.25
#: event-loop timers are exact to a millisecond; asking for less would only spin
_SHORTEST_WAIT_S = 0.001
_NO_LIMIT_TICKS = 1 << 53


class MarketHall:
    """Drives the market in real time. Without drivers nobody but the accounts trades.

    The market goes by the monotonic clock, so that a wall clock that is set neither stops
    it nor makes it hurry; the wall clock is for stamps.
    """

    def __init__(self, venue: LocalVenue, drivers: Sequence[MarketDriver], clock: Clock) -> None:
        self.venue = venue
        self._drivers = drivers
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._settle = Periodic(_SETTLE_INTERVAL_S, self._on_time)

    def open(self) -> None:
        """Start the market: its first prices are there when this returns.

        Raises: BadInput for a recording that does not fit its market.
        """
        self._advance()
        self._on_time()
        self._settle.start()

    def close(self) -> None:
        self._settle.stop()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_finished(self) -> bool:
        """Whether every recording has ended."""
        return bool(self._drivers) and all(driver.is_finished for driver in self._drivers)

    def take(self, symbol: str, side: Side, quantity: Decimal) -> Decimal:
        """Let an outsider take `quantity` at any price; return what there was to take."""
        engine = self._engine(symbol)
        lots = int(quantity / engine.rules.market.lot_size)
        if lots * engine.rules.market.lot_size != quantity:
            raise BadInput(f"quantity {quantity}: must be a multiple of {engine.rules.market.lot_size}")
        limit = _NO_LIMIT_TICKS if side is Side.BUY else 1
        order = engine.enter(side, limit, lots, self._clock.wall_ns(), rests=False)
        return order.filled * engine.rules.market.lot_size

    def fill_order(self, order: Order) -> None:
        """Let an outsider trade through everything before a resting order, and the order itself."""
        engine = self.venue.engine(order.symbol)
        depth = self.venue.depth(order.symbol)
        levels, price = (depth.bids if order.side is Side.BUY else depth.asks), order.price or 0
        sign = 1 if order.side is Side.BUY else -1
        lots = sum(size for ticks, size in levels if sign * (ticks - price) >= 0)
        engine.enter(order.side.opposite, price, lots, self._clock.wall_ns(), rests=False)

    def move_price(self, symbol: str, mid: Decimal) -> None:
        """Let the synthetic fair price jump."""
        engine = self._engine(symbol)
        ticks = float(mid / engine.rules.market.tick_size)
        movable = [driver for driver in self._drivers if isinstance(driver, SyntheticMarket)]
        if not movable:
            raise BadInput("price: only the synthetic market has one that can be moved")
        for driver in movable:
            driver.jump(symbol, ticks, self._clock.monotonic_ns())

    def state(self) -> dict[str, Any]:
        return {
            "finished": self.is_finished,
            "symbols": list(self.venue.markets),
            "now_ns": self._clock.wall_ns(),
        }

    def account(self, name: str) -> dict[str, Any]:
        """Return the client ids of its open orders and its positions, signed. Raises: BadInput."""
        if name not in self.venue.accounts:
            raise BadInput(f"account {name!r}: is none of {', '.join(self.venue.accounts)}")
        return {
            "orders": [order.client_id for order in self.venue.open_orders(name)],
            "positions": {
                state.symbol: f"{state.quantity * self.venue.markets[state.symbol].lot_size:f}"
                for state in self.venue.positions(name)
            },
        }

    def _engine(self, symbol: str) -> MarketEngine:
        try:
            return self.venue.engine(symbol)
        except Refused as refused:
            raise BadInput(f"symbol {symbol!r}: {refused.text}") from refused

    def _advance(self) -> None:
        now_ns, stamp_ns = self._clock.monotonic_ns(), self._clock.wall_ns()
        try:
            due_ns = [driver.advance(now_ns, stamp_ns) for driver in self._drivers if not driver.is_finished]
        except RecordingError as error:
            raise BadInput(f"recording: {error}") from error
        if due_ns:
            wait_s = max(_SHORTEST_WAIT_S, (min(due_ns) - now_ns) / NS_PER_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._advance)

    def _on_time(self) -> None:
        self.venue.on_time(self._clock.wall_ns())
