"""The shape of every policy: a view in, a decision out. Pure, small, one per file.

Two views. A **breaker** judges one symbol's market (`Market`, at every `Top`, once for all
accounts); a **policy** judges an account's symbol (`View`, at every position, fill, equity,
mark, and on the timer). Views hold no unknowns: where an input is missing nothing is
permitted and no policy is asked (`permits.py`).

The strictest decision wins: the highest action, the smallest bounds, the largest reduction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, TypeVar

from shared.instrument import Instrument
from shared.messages import Position, Top


class Action(IntEnum):
    """What a policy asks for, mildest first."""

    ALLOW = 0
    REDUCE_ONLY = 1  # quotes only on the side that brings the position nearer to zero
    STOP = 2  # no quotes; reductions may work
    FREEZE = 3  # no order at all
    HALT = 4  # no order at all until a person resumes


@dataclass(frozen=True, slots=True)
class Range:
    """Where the position should be, lots. may_open False = only nearer to zero, never through it."""

    minimum: int
    maximum: int
    may_open: bool = False

    def distance(self, position: int) -> int:
        """Return the lots to trade from `position`."""
        return max(self.minimum - position, position - self.maximum, 0)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one policy says.

    reason      short, for people; empty when all is well
    hold_ns     the decision stays in force for this long after it was last made (cool-down)
    target      where the position should be; None = no opinion
    may_buy, may_sell  False pauses a side
    """

    action: Action = Action.ALLOW
    reason: str = ""
    hold_ns: int = 0
    target: Range | None = None
    may_buy: bool = True
    may_sell: bool = True

    @property
    def is_silent(self) -> bool:
        """True when it forbids and wants nothing."""
        return self.action is Action.ALLOW and self.target is None and self.may_buy and self.may_sell


ALLOW = Decision()


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol's book at one time, both sides there and not crossed; prices in ticks.

    low, high  least and greatest bid + ask (twice the mid) of the trailing window, this one included
    """

    bid: int
    ask: int
    low: int
    high: int

    @property
    def twice_mid(self) -> int:
        return self.bid + self.ask


@dataclass(frozen=True, slots=True)
class View:
    """An account's symbol at one time, everything known.

    price          mark (spot: mid), quote units
    notional_usd   signed position × price
    cap_usd        largest abs(notional) that the symbol may have
    gross_usd      sum of abs(notional) over the account
    gross_cap_usd  largest such sum
    gross_doubt    why either is not to be traded on; empty when both are current
    is_largest     no symbol of the account has a larger abs(notional)
    """

    now_ns: int
    instrument: Instrument
    top: Top
    position: Position
    price: float
    notional_usd: float
    equity_usd: float
    cap_usd: float
    gross_usd: float
    gross_cap_usd: float
    gross_doubt: str
    is_largest: bool


Seen = TypeVar("Seen", contravariant=True)


class Policy(Protocol[Seen]):
    """Judges one view. Total: returns a decision for every view, raises nothing."""

    def decide(self, view: Seen) -> Decision: ...


def strictest(decisions: Iterable[Decision], position: int = 0) -> Decision:
    """Return one decision that allows nothing which any of them forbids.

    position  lots, to tell which target asks for the largest reduction
    """
    action, reasons, hold_ns, target = Action.ALLOW, list[str](), 0, None
    may_buy = may_sell = True
    for decision in decisions:
        if decision.action > action:
            action, reasons = decision.action, []
        if decision.reason and decision.action == action and decision.reason not in reasons:
            reasons.append(decision.reason)
        hold_ns = max(hold_ns, decision.hold_ns)
        may_buy, may_sell = may_buy and decision.may_buy, may_sell and decision.may_sell
        if decision.target is not None and (
            target is None or decision.target.distance(position) > target.distance(position)
        ):
            target = decision.target
    return Decision(action, "; ".join(reasons), hold_ns, target, may_buy, may_sell)


class Holds:
    """Decisions in force: each breaker's last one, for as long as it holds."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Decision, int | None]] = {}

    @property
    def is_empty(self) -> bool:
        """True when no decision is kept, in force or not."""
        return not self._held

    def update(self, index: int, decision: Decision, now_ns: int) -> None:
        """Take what policy number `index` has just decided. Having nothing to say ends no cool-down."""
        if not decision.is_silent:
            until_ns = now_ns + decision.hold_ns if decision.hold_ns else None
            self._held[index] = (decision, until_ns)
        elif index in self._held:
            until_ns = self._held[index][1]
            if until_ns is None or until_ns <= now_ns:
                del self._held[index]

    def current(self, now_ns: int, position: int = 0) -> Decision:
        """Return the strictest decision that is in force."""
        in_force = [
            decision for decision, until_ns in self._held.values() if until_ns is None or until_ns > now_ns
        ]
        return strictest(in_force, position) if in_force else ALLOW
