"""The account's ledger: every fill and funding payment counted once, summed exactly.

Signed cash flows: a buy costs price x quantity, a fee > 0 is a cost, funding > 0 was
received. Profit = cash flow - fees + funding + position x mark. All sums are exact: an
inexact one raises.

Fields of a snapshot (decimals; those of a symbol end in `:<symbol>`):
  cash_flow  -sum of signed quantity x price        volume     sum of quantity x price
  fills, fills_buy, fills_sell, fills_maker         funding
  fee:<asset>       start_equity   start_cash:<asset>   started_ms   funded_until_ms
  complete_ms       no fill before it is missing: the venue's history was read good since
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal

from shared.accounting.money.exact import EXACT, ROUNDED, ZERO
from shared.clock import NS_PER_MS, NS_PER_S
from shared.instrument import Instrument
from shared.messages import Side
from shared.venues.base import VenueFill, VenueFunding

#: fills are remembered for so long before what is complete; no read reaches further back
REMEMBERED_NS = 900 * NS_PER_S
#: and at most so many, should the history not be readable for hours
MOST_REMEMBERED = 200_000
#: funding payments of a session are remembered up to this many
MOST_FUNDED = 10_000
FillKey = tuple[str, int, str]


def key_of(fill: VenueFill) -> FillKey:
    """Return what makes a fill the same fill; both sides of a self-trade share the trade id."""
    return fill.symbol, fill.trade_id, fill.venue_order_id


class Holding:
    """A position at full precision, in base units; entry price is the average cost."""

    __slots__ = ("entry_price", "quantity")

    def __init__(self, quantity: Decimal = ZERO, entry_price: Decimal | None = None) -> None:
        self.quantity = quantity
        self.entry_price = entry_price

    def add(self, signed: Decimal, price: Decimal) -> None:
        """Take up a fill: the average moves when the position grows, is new after a flip."""
        before = self.quantity
        self.quantity = EXACT.add(before, signed)
        if not self.quantity:
            self.entry_price = None
        elif before == 0 or (before > 0) != (self.quantity > 0):
            self.entry_price = price
        elif (before > 0) == (signed > 0) and self.entry_price is not None:
            cost = ROUNDED.add(ROUNDED.multiply(before, self.entry_price), ROUNDED.multiply(signed, price))
            self.entry_price = ROUNDED.divide(cost, self.quantity)


class Ledger:
    """The sums of one account, and which fills they contain."""

    def __init__(self) -> None:
        self._sums: dict[str, Decimal] = {}
        self._seen: dict[FillKey, int] = {}
        self._order: deque[tuple[int, FillKey]] = deque()
        self._funded: dict[tuple[str, int], None] = {}
        self._funded_before_ms: dict[str, int] = {}
        self._all_funded_before_ms = -1  # of a ledger that was stored without the symbols' own
        self._newest_ns = 0
        self._forgotten_ns = 0

    def load(self, sums: Mapping[str, Decimal], fills: Iterable[tuple[FillKey, int]]) -> None:
        """Go on with what was stored: the sums, and the (key, venue_ns) of the latest fills in them."""
        self._sums.update(sums)
        for field, value in sums.items():
            name, _, symbol = field.partition(":")
            if name == "funded_until_ms" and symbol:
                self._funded_before_ms[symbol] = int(value)
        if not self._funded_before_ms and "funded_until_ms" in sums:
            self._all_funded_before_ms = self.funded_until_ms
        for key, venue_ns in fills:
            self._remember(key, venue_ns)

    def start(self, equity: Decimal, cash: Mapping[str, Decimal], wall_ms: int) -> dict[str, Decimal]:
        """Note what the session began with, once; return the new fields."""
        if "start_equity" in self._sums:
            return {}
        began = {"start_equity": equity, "started_ms": Decimal(wall_ms)}
        began.update({f"start_cash:{asset}": amount for asset, amount in cash.items()})
        self._sums.update(began)
        return began

    def count(self, fill: VenueFill, instrument: Instrument, holding: Holding) -> dict[str, Decimal] | None:
        """Count a fill once, in the sums and the holding.

        Returns every sum (a store that has lost some gets all of them back), None when it was
        counted before.
        """
        key = key_of(fill)
        if key in self._seen:
            return None
        self._remember(key, fill.venue_ns)
        sign = Decimal(fill.side.sign)
        notional = EXACT.multiply(EXACT.multiply(fill.price, fill.quantity), instrument.contract_multiplier)
        signed = EXACT.multiply(fill.quantity, sign)
        if fill.fee_asset == instrument.base and not instrument.is_perp:
            signed = EXACT.subtract(signed, fill.fee)  # a spot buy pays its fee in base
        holding.add(signed, fill.price)
        self._add("cash_flow", EXACT.multiply(notional, EXACT.minus(sign)), fill.symbol)
        self._add("volume", notional, fill.symbol)
        self._add(f"fee:{fill.fee_asset}", fill.fee)
        self._add("fills", Decimal(1), fill.symbol)
        self._add("fills_buy" if fill.side is Side.BUY else "fills_sell", Decimal(1))
        if fill.is_maker:
            self._add("fills_maker", Decimal(1))
        return self.snapshot()

    def fund(self, funding: VenueFunding) -> dict[str, Decimal] | None:
        """Count a funding payment once; return every sum, None when it was counted before."""
        key = (funding.symbol, funding.interval_end_ns)
        end_ms = funding.interval_end_ns // NS_PER_MS
        before_ms = self._funded_before_ms.get(funding.symbol, self._all_funded_before_ms)
        if key in self._funded or end_ms <= before_ms:
            return None
        self._funded[key] = None
        if len(self._funded) > MOST_FUNDED:
            del self._funded[next(iter(self._funded))]
        self._add("funding", funding.amount, funding.symbol)
        for field in ("funded_until_ms", f"funded_until_ms:{funding.symbol}"):
            self._sums[field] = max(self._sums.get(field, ZERO), Decimal(end_ms))
        return self.snapshot()

    def complete(self, venue_ns: int) -> None:
        """The history was read good after the fill of this time was counted: none before it is missing."""
        self._sums["complete_ms"] = max(self._sums.get("complete_ms", ZERO), Decimal(venue_ns // NS_PER_MS))

    @property
    def newest_fill_ns(self) -> int:
        """Venue time of the newest fill that is counted; 0 = none."""
        return self._newest_ns

    @property
    def complete_ms(self) -> int:
        """Venue time before which no fill is missing; 0 = nothing is known of that."""
        return int(self._sums.get("complete_ms", ZERO))

    @property
    def remembered_ms(self) -> int:
        """Venue time from which on every fill that is counted is known to be; 0 = all of them."""
        return -(-self._forgotten_ns // NS_PER_MS) + 1 if self._forgotten_ns else 0

    @property
    def funded_until_ms(self) -> int:
        return int(self._sums.get("funded_until_ms", ZERO))

    @property
    def started_ms(self) -> int | None:
        """When the session began, the venue's wall clock; None = it has not."""
        return int(self._sums["started_ms"]) if "started_ms" in self._sums else None

    def snapshot(self) -> dict[str, Decimal]:
        """Return every sum."""
        return dict(self._sums)

    def _add(self, name: str, amount: Decimal, symbol: str | None = None) -> None:
        for field in (name,) if symbol is None else (name, f"{name}:{symbol}"):
            self._sums[field] = EXACT.add(self._sums.get(field, ZERO), amount)

    def _remember(self, key: FillKey, venue_ns: int) -> None:
        self._seen[key] = venue_ns
        self._order.append((venue_ns, key))
        self._newest_ns = max(self._newest_ns, venue_ns)
        oldest_ns = min(self._newest_ns, self.complete_ms * NS_PER_MS) - REMEMBERED_NS
        while self._order and (self._order[0][0] < oldest_ns or len(self._order) > MOST_REMEMBERED):
            forgotten_ns, key = self._order.popleft()
            self._seen.pop(key, None)
            self._forgotten_ns = max(self._forgotten_ns, forgotten_ns)
