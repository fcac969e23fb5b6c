"""Who watches a replay: the session's ledger of every symbol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.accounting.session import SessionStats
from shared.instrument import Instrument
from shared.messages import (
    FeedState,
    FeedStatus,
    Fill,
    InstrumentInfo,
    Mark,
    Message,
    OrderUpdate,
    Quotes,
    Top,
    Trade,
    Working,
)
from shared.venues.base import VenueFunding


class Ledgers:
    """One `SessionStats` per symbol, fed by a machine (its `Listener`)."""

    def __init__(
        self, infos: Mapping[str, InstrumentInfo], start_ns: int, held: Mapping[str, Decimal]
    ) -> None:
        """held: symbol -> base units owned at the start."""
        self.stats = {
            symbol: SessionStats(Instrument.from_info(info), start_ns, is_venue_time=True, top_has_own=False)
            for symbol, info in infos.items()
        }
        for symbol, amount in held.items():
            if symbol in self.stats:
                instrument = self.stats[symbol].instrument
                lots = instrument.lots_floor(amount)
                self.stats[symbol].ledger.hold(instrument.quantity(lots))
        self.quotes_reasons: dict[str, int] = {}
        #: whether the recording tells funding rates at all
        self.has_funding = False
        self._on_top = {symbol: stats.on_top for symbol, stats in self.stats.items()}
        self._last_reason: dict[str, str] = {}

    def on_market(self, message: Any, _shown: Message, now_ns: int) -> None:
        """Take the market without our orders: no quote of ours moves the prices that it is judged by."""
        kind = type(message)
        if kind is Top:
            self._on_top[message.symbol](message, now_ns)
        elif kind is Trade:
            self.stats[message.symbol].on_trade(message, now_ns)
        elif kind is Mark:
            self.stats[message.symbol].on_mark(message, now_ns)
            self.has_funding = self.has_funding or message.funding_rate is not None
        elif kind is FeedState and message.status is not FeedStatus.LIVE:
            self.stats[message.symbol].on_blind(now_ns)

    def on_published(self, message: Message, now_ns: int) -> None:
        if isinstance(message, Working):
            self.stats[message.symbol].on_working(message, now_ns)
        elif isinstance(message, OrderUpdate):
            self.stats[message.symbol].on_order_update(message, now_ns)
        elif isinstance(message, Fill):
            self.stats[message.symbol].on_fill(message, now_ns)
        elif isinstance(message, Quotes):
            self.stats[message.symbol].on_quotes(message, now_ns)
            if not message.levels and self._last_reason.get(message.symbol) != message.reason:
                self.quotes_reasons[message.reason] = self.quotes_reasons.get(message.reason, 0) + 1
            self._last_reason[message.symbol] = "" if message.levels else message.reason

    def on_funding(self, payment: VenueFunding, now_ns: int) -> None:
        self.stats[payment.symbol].on_funding(payment.amount, now_ns)
