"""Fill hedge: what a maker order filled is traded back at the market, to a reference position.

Driven by the confirmed position, not by fills: a fill that is lost or told twice can neither
drop nor repeat a hedge. A try is a target that stands for `pace_s`, in which execution trades
the distance by IOC orders at the opposite best. A position that has changed begins anew;
after `max_tries` without any change there is silence for `resync_s`, and the side that would
add pauses. What is below the venue's minimum is carried until more comes.

Source: maker_hedge of lineage 5.4, row E03.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Annotated

from msgspec import Meta

from services.risk.policies.policy import ALLOW, Action, Decision, Range, View
from services.risk.policies.table import PolicyTable
from shared.clock import seconds_to_ns
from shared.instrument import Instrument, plain

#: what counts as hedged: this part of the venue's least order, and never less than this many base units
TOLERATED_PART = 10
TOLERATED_LEAST = Decimal("1e-8")


class FillHedgeTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """`[risk.fill_hedge]` for every symbol, `[risk.symbols.X.fill_hedge]` for one: fills are traded back.

    reference  base units, signed: the position to return to, as in the params of its quoter
    max_tries  tries without any change of the position before there is silence
    pace_s     how long a try lasts, seconds
    resync_s   how long that silence lasts, seconds
    """

    reference: Annotated[float, Meta(ge=-1e12, le=1e12)] = 0.0
    max_tries: Annotated[int, Meta(ge=1, le=100)] = 3
    pace_s: Annotated[float, Meta(ge=0.1, le=60)] = 0.45
    resync_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0


@dataclass(frozen=True, slots=True)
class _Tries:
    """Tries at one position: how many, and when the last one began."""

    position_seq: int
    count: int
    began_ns: int


class FillHedge:
    """Trades every fill of one symbol of one account back. Keeps its tries."""

    def __init__(self, table: FillHedgeTable) -> None:
        self._table = table
        self._reference = Decimal(str(table.reference))
        self._tries: _Tries | None = None

    def decide(self, view: View) -> Decision:
        table, held = self._table, view.position.quantity
        reference = view.instrument.lots_floor(self._reference / view.instrument.contract_multiplier)
        gap = held - reference
        if abs(gap) <= tolerance(view.instrument) or abs(gap) < least(view, reference):
            self._tries = None
            return ALLOW
        tries = self._tries = _next(self._tries, table, view)
        if tries.count > table.max_tries:
            return _given_up(table, view, gap)
        unhedged = plain(view.instrument.quantity(gap))
        reason = f"trading back {unhedged}, try {tries.count} of {table.max_tries}"
        return Decision(Action.ALLOW, reason, target=Range(reference, reference, _must_open(held, reference)))


def tolerance(instrument: Instrument) -> Decimal:
    """Return the lots that count as hedged: a tenth of the least order, at least 1e-8 base units."""
    return max(Decimal(instrument.min_lots) / TOLERATED_PART, TOLERATED_LEAST / instrument.lot_size)


def least(view: View, reference: int) -> int:
    """Return the fewest lots that the venue lets us trade back, at the present price."""
    instrument = view.instrument
    is_exempt = instrument.reduce_only_is_exempt and not _must_open(view.position.quantity, reference)
    value = instrument.notional_at(1, view.price)
    if instrument.min_notional is None or is_exempt or not value > 0:
        return instrument.min_lots
    return max(instrument.min_lots, ceil(float(instrument.min_notional) / value))


def _next(last: _Tries | None, table: FillHedgeTable, view: View) -> _Tries:
    """Return the try that is under way now; one more than `max_tries` is the silence after them."""
    now_ns, seq = view.now_ns, view.position.position_seq
    if last is None or last.position_seq != seq:
        return _Tries(seq, 1, now_ns)
    is_silent = last.count > table.max_tries
    lasts_ns = seconds_to_ns(table.resync_s if is_silent else table.pace_s)
    if now_ns - last.began_ns < lasts_ns:
        return last
    return _Tries(seq, 1 if is_silent else last.count + 1, now_ns)


def _given_up(table: FillHedgeTable, view: View, gap: int) -> Decision:
    """Nothing is traded for a while, and nothing is added to what could not be traded back."""
    unhedged = plain(view.instrument.quantity(gap))
    reason = (
        f"{unhedged} could not be traded back in {table.max_tries} tries: again within {table.resync_s:g} s"
    )
    return Decision(Action.ALLOW, reason, may_buy=gap < 0, may_sell=gap > 0)


def _must_open(position: int, reference: int) -> bool:
    """True when the way to the reference leads away from zero, or through it."""
    return not (0 <= reference <= position or position <= reference <= 0)
