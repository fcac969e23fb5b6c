"""What is read by REST beside books and prices: candles, and when the venue wants silence. Pure.

Candles are the venue's memory of traded prices, for whoever has none of its own yet. They
are read when somebody subscribes to them, again at growing intervals while that fails, and
told until nobody subscribes any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from shared.clock import NS_PER_S
from shared.errors import one_line
from shared.messages import Candles, InstrumentInfo, Message
from shared.net.backoff import Backoff
from shared.venues.market_data import RawCandles

#: how far back candles are read
CANDLES_S = 1_000
FAR_NS = 2**63


@dataclass(slots=True)
class _Wanted:
    """The candles of one symbol: how many subscribe to them, and when they are read next."""

    due_ns: int
    subscribers: int = 0
    in_flight: bool = False
    backoff: Backoff = field(default_factory=Backoff)


class RestReads:
    """The part of the core that needs no book."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._infos: dict[str, InstrumentInfo] = {}
        self._ahead_ns: int | None = None  # the venue's clock minus ours; None = it was not read yet
        self._quiet_until_ns = 0  # the venue asked for silence: nothing is read by REST before
        self._candles: dict[str, _Wanted] = {}
        self._forgotten_candles: list[str] = []
        self.unreadable = ""  # the latest thing that could not be read

    def on_read_failed(self, reason: str, now_ns: int, retry_after_ns: int = 0) -> None:
        """A read by REST failed. A venue that asks for silence means all reads, not only this one."""
        self.unreadable = one_line(reason)
        self._quiet_until_ns = max(self._quiet_until_ns, now_ns + retry_after_ns)

    def may_read(self, now_ns: int) -> bool:
        return now_ns >= self._quiet_until_ns

    def take_unreadable(self) -> str:
        taken, self.unreadable = self.unreadable, ""
        return taken

    # --- candles ---

    def candle_wish(self, now_ns: int) -> str | None:
        """Return, once, a symbol whose candles should be read now, if any."""
        if self._ahead_ns is None or not self.may_read(now_ns):
            return None
        for name, wanted in self._candles.items():
            if now_ns >= wanted.due_ns and not wanted.in_flight and name in self._infos:
                wanted.in_flight, wanted.due_ns = True, FAR_NS
                return name
        return None

    def candles_since_s(self, now_ns: int) -> int:
        """Return the venue's time from which on candles are read, after a wish."""
        return (now_ns + (self._ahead_ns or 0)) // NS_PER_S - CANDLES_S

    def on_candles(self, name: str, raw: RawCandles, now_ns: int) -> list[Message]:
        """Take the answer to a candle wish; one candle alone says nothing."""
        try:
            candles = tuple(self._over(raw, now_ns))
        except (ValueError, ArithmeticError) as error:
            return self.on_candles_failed(name, f"the candles of {name} are unreadable: {error}", now_ns)
        if len(candles) < 2:
            return self.on_candles_failed(name, f"the venue has no candles of {name}", now_ns)
        wanted = self._candles.get(name)
        if wanted is None:
            return []
        wanted.in_flight = False
        wanted.backoff.reset()
        return [Candles(self._venue, name, raw.interval_s, candles)]

    def on_candles_failed(
        self, name: str, reason: str, now_ns: int, retry_after_ns: int = 0
    ) -> list[Message]:
        """Candles could not be had; they are wished for again later."""
        self.on_read_failed(reason, now_ns, retry_after_ns)
        wanted = self._candles.get(name)
        if wanted is not None:
            wanted.in_flight = False
            wanted.due_ns = min(wanted.due_ns, now_ns + wanted.backoff.take_ns())
        return []

    def take_forgotten_candles(self) -> list[str]:
        """Return, once, the symbols whose candles nobody wants any more: their topics end."""
        taken, self._forgotten_candles = self._forgotten_candles, []
        return taken

    def _candles_wanted(self, kind: str, name: str, wanted: bool, now_ns: int) -> None:
        """Count a subscriber of candles that came, and gets new ones, or left."""
        if kind != Candles.__name__:
            return
        if wanted:
            entry = self._candles.setdefault(name, _Wanted(now_ns))
            entry.subscribers += 1
            entry.due_ns = now_ns
        elif name in self._candles:
            self._candles[name].subscribers -= 1
            if self._candles[name].subscribers <= 0:
                del self._candles[name]
                self._forgotten_candles.append(name)

    def _over(self, raw: RawCandles, now_ns: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield the candles whose time is over, in ticks and on our clock. Raises: ValueError."""
        scale = float(1 / Decimal(self._infos[raw.symbol].tick_size))
        for start_s, *prices in raw.rows:
            end_ns = (start_s + raw.interval_s) * NS_PER_S - (self._ahead_ns or 0)
            high, low, close = (round(float(price) * scale) for price in prices)
            if end_ns <= now_ns:
                yield end_ns, high, low, close
