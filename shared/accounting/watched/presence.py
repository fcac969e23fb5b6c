"""How long our quotes were there: both sides, at the best price, within the program's band.

Times are exact: a state counts from the event that began it to the event that ended it. The
depth and spread that a program scores are looked at in steps (`look`), each weighing the time
since the look before.

Source: the venue's market-maker program as far as it is known (spec/lineage.md 4.1): only
orders within 100 bps of the mid count.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.messages import OrderStatus, Side, WorkingOrder

BAND_BPS = 100
#: states in which an order rests at the venue; one being cancelled may still fill
RESTING = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_CANCEL})
_BPS = 10_000
_TWO_SIDED, _BID_BEST, _ASK_BEST, _IN_BAND = 1, 2, 4, 8
_STATES = (_TWO_SIDED, _BID_BEST, _ASK_BEST, _IN_BAND)


class Presence:
    """Shares of the session's time, and the averages of the depth within the band.

    bid, ask  our best resting prices, ticks; None = none rests
    """

    __slots__ = (
        "_band", "_flags", "_notional", "_sides", "_since_ns", "_spread", "_times", "_watched_ns", "ask",
        "bid", "orders",
    )  # fmt: skip

    def __init__(self, start_ns: int) -> None:
        self.bid: int | None = None
        self.ask: int | None = None
        self.orders: tuple[WorkingOrder, ...] = ()
        self._since_ns = start_ns
        self._flags = 0
        self._sides = 0  # _TWO_SIDED while both rest
        self._times = [0] * 4
        self._band = (1, 0)  # least and greatest mid, half ticks, with both of our best within the band
        self._watched_ns = 0
        self._notional = 0.0
        self._spread = 0.0

    def on_orders(
        self, orders: Iterable[WorkingOrder], top: tuple[int | None, int | None], now_ns: int
    ) -> None:
        """Take our orders; `top` is the market's best bid and ask, ticks."""
        self.orders = tuple(order for order in orders if order.status in RESTING and order.leaves > 0)
        self.bid = max((order.price for order in self.orders if order.side is Side.BUY), default=None)
        self.ask = min((order.price for order in self.orders if order.side is Side.SELL), default=None)
        self._band, self._sides = (1, 0), 0
        if self.bid is not None and self.ask is not None:
            self._band, self._sides = _mids_within(self.bid, self.ask), _TWO_SIDED
        self.on_top(*top, now_ns)

    def on_top(self, bid: int | None, ask: int | None, now_ns: int) -> None:
        """Take another best price; to be called only when one has changed."""
        flags, own_bid, own_ask = self._sides, self.bid, self.ask
        if bid is not None and own_bid is not None and own_bid >= bid:
            flags += _BID_BEST
        if ask is not None and own_ask is not None and own_ask <= ask:
            flags += _ASK_BEST
        if flags & _TWO_SIDED and bid is not None and ask is not None:
            low, high = self._band
            if low <= bid + ask <= high:
                flags += _IN_BAND
        if flags != self._flags:
            self.count(now_ns)
            self._flags = flags

    def count(self, now_ns: int) -> None:
        """Add the time until now to the states that last."""
        passed_ns = max(0, now_ns - self._since_ns)
        for at, state in enumerate(_STATES):
            if self._flags & state:
                self._times[at] += passed_ns
        self._since_ns = max(self._since_ns, now_ns)

    def look(self, mid2: int, tick_lot_usd: float, weight_ns: int) -> None:
        """Weigh depth and spread within the band, where both sides are in it.

        mid2          mid in half ticks
        tick_lot_usd  quote units a tick and lot
        weight_ns     how long it has been as it is
        """
        if not self._flags & _IN_BAND or self.bid is None or self.ask is None:
            return
        sides = sum(
            order.price * order.leaves
            for order in self.orders
            if abs(2 * order.price - mid2) * _BPS <= BAND_BPS * mid2
        )
        self._watched_ns += weight_ns
        self._notional += sides / 2 * tick_lot_usd * weight_ns
        self._spread += 2 * (self.ask - self.bid) / mid2 * _BPS * weight_ns

    def shares(self, total_ns: int) -> tuple[float, float, float, float]:
        """Return the shares of a time: two-sided, bid at best, ask at best, both within the band."""
        if total_ns <= 0:
            return (0.0, 0.0, 0.0, 0.0)
        two_sided, bid_best, ask_best, in_band = (time_ns / total_ns for time_ns in self._times)
        return two_sided, bid_best, ask_best, in_band

    @property
    def average_notional_usd(self) -> float | None:
        """Return the mean notional of a side within the band, while both were in it."""
        return self._notional / self._watched_ns if self._watched_ns else None

    @property
    def average_spread_bps(self) -> float | None:
        """Return the mean of our own spread, while both sides were within the band."""
        return self._spread / self._watched_ns if self._watched_ns else None


def _mids_within(bid: int, ask: int) -> tuple[int, int]:
    """Return the least and greatest mid (half ticks) from which both prices are at most the band away."""
    low = max(-(-2 * price * _BPS // (_BPS + BAND_BPS)) for price in (bid, ask))
    high = min(2 * price * _BPS // (_BPS - BAND_BPS) for price in (bid, ask))
    return low, high
