"""What a session comes to: one frozen value for the summary, `makerd stats` and the replay report.

Money is in decimals of the quote asset and adds up exactly; None = not known.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from shared.accounting.money.exact import ZERO, multiply
from shared.accounting.money.ledger import SymbolLedger
from shared.accounting.money.values import Parts, Volumes
from shared.accounting.watched.markouts import Markout
from shared.accounting.watched.paths import FillMark, Point
from shared.accounting.watched.program import Program
from shared.accounting.watched.queue import QueueLost

PER_10K = 10_000
#: what 10,000 of volume may cost, quote units: about 1 for ETH, 0.5 for PAXG. Source: spec/lineage.md 3.1
GOAL_PER_10K = Decimal(1)
_GOALS = {"PAXG": Decimal("0.5")}


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Row X12, and the profit by what made it.

    net     = realised + unrealised - fees + funding = the sum of `parts`; None = something has no price
    fees    less rebates: > 0 is a cost
    realised, unrealised_*   first in first out, before fees; what was held at the start cost the mid then
    unvalued_fees   asset -> fees in an asset without a price
    """

    parts: Parts
    net: Decimal | None
    realised: Decimal
    unrealised_long: Decimal | None
    unrealised_short: Decimal | None
    fees: Decimal
    funding: Decimal
    volumes: Volumes
    unvalued_fees: dict[str, Decimal]


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Rows X20 and E06: what the volume has cost.

    cost_per_10k   -net / volume x 10,000; < 0 is a gain. `goal_per_10k`: what it may be
    wear_rate_pct  net / volume x 100
    """

    volume: Decimal
    cost_per_10k: float | None
    goal_per_10k: float
    meets_goal: bool | None
    wear_rate_pct: float | None
    volume_goal: Decimal | None
    volume_done_pct: float | None


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Counts. `cancels` = orders that ended unfilled; `maker_share` of the volume, 0..1."""

    quotes: int
    orders_placed: int
    orders_rejected: int
    cancels: int
    hedges: int
    fills: int
    fills_buy: int
    fills_sell: int
    maker_fills: int
    maker_share: float | None
    cancels_per_fill: float | None


class Presences(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the session's time, 0..1.

    two_sided    quotes of ours rest on both sides
    bid_at_best  no bid is better than ours; ask_at_best likewise
    in_band      on both sides one is within 100 bps of the mid
    """

    two_sided: float
    bid_at_best: float
    ask_at_best: float
    in_band: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol over one session. Times are nanoseconds of the session's clock.

    tick_size, lot_size   quote units a tick, base units a lot: for the plots
    unexplained           times the position moved without a fill that we know
    fill_marks            some of the fills, where there are many
    """

    symbol: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    start_ns: int
    end_ns: int
    money: Money
    costs: Costs
    activity: Activity
    presence: Presences
    program: Program
    markouts: tuple[Markout, ...]
    queue_lost: QueueLost
    position: Decimal
    start_position: Decimal
    unexplained: int
    path: tuple[Point, ...]
    fill_marks: tuple[FillMark, ...]

    @property
    def duration_s(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9

    def brief(self) -> Report:
        """Return it without paths and fill marks."""
        return msgspec.structs.replace(self, path=(), fill_marks=())


def goal_for(base: str) -> Decimal:
    """Return what 10,000 of volume in an asset may cost (row X20)."""
    return _GOALS.get(base, GOAL_PER_10K)


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole, None where there is no whole."""
    return part / whole if whole else None


def costs_of(
    net: Decimal | None, volume: Decimal, goal_per_10k: Decimal = GOAL_PER_10K,
    volume_goal: Decimal | None = None,
) -> Costs:  # fmt: skip
    """Return the cost of a volume; the goal is met at equality (row X20)."""
    share = net / volume if net is not None and volume else None
    return Costs(
        volume=volume,
        cost_per_10k=None if share is None else float(-share * PER_10K),
        goal_per_10k=float(goal_per_10k),
        meets_goal=_meets(net, volume, goal_per_10k),
        wear_rate_pct=None if share is None else float(share * 100),
        volume_goal=volume_goal,
        volume_done_pct=float(volume / volume_goal * 100) if volume_goal else None,
    )


def _meets(net: Decimal | None, volume: Decimal, goal_per_10k: Decimal) -> bool | None:
    """Tell whether a loss is within the goal, without a rounding at the boundary; None = unknown."""
    if net is None or not volume:
        return None
    return multiply(net, Decimal(-PER_10K)) <= multiply(goal_per_10k, volume)


def money_of(ledger: SymbolLedger) -> Money:
    """Return the money of a ledger (row X12)."""
    unrealised = ledger.unrealised
    return Money(
        parts=ledger.parts,
        net=ledger.profit,
        realised=ledger.realised,
        unrealised_long=unrealised if ledger.position > 0 else ZERO,
        unrealised_short=unrealised if ledger.position < 0 else ZERO,
        fees=ledger.net_fees,
        funding=ledger.funding,
        volumes=ledger.volumes,
        unvalued_fees=dict(ledger.unvalued_fees),
    )
