"""The shape of every policy: a view in, a decision out. Pure, small, one per file.

Two views. A **breaker** judges one symbol's market (`Market`, at every `Top`, once for all
accounts); a **policy** judges an account's symbol (`View`, at every position, fill, equity,
mark, and on the timer). Views hold no unknowns: where an input is missing nothing is
permitted and no policy is asked (`permits.py`). What alone may be absent is `None`: the entry
price, and what is made of it.

Breakers are shared by all symbols and keep no state. Policies are built for each symbol of
each account (`catalogue.policies_of`) and may keep what they need; one that wants to see fills
has an `on_fill` too. Both are asked again and again with the same view: that changes nothing.

The strictest decision wins: the highest action, the smallest bounds, the largest reduction. A
target that may open works only while nobody asks for a reduction and its side is not paused:
of any other only the part that reduces is left (row R04).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Protocol, TypeVar

from services.risk.account.equity_history import EquityHistory
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
    """Where the position should be, lots.

    may_open     False = only nearer to zero, never through it
    style        as of `Target`
    limit_price  ticks; None = the opposite best
    """

    minimum: int
    maximum: int
    may_open: bool = False
    style: str = "ioc"
    limit_price: int | None = None

    def distance(self, position: int) -> int:
        """Return the lots to trade from `position`."""
        return max(self.minimum - position, position - self.maximum, 0)

    def only_reducing(self, position: int) -> Range:
        """Return the part of it that lies between `position` and zero, as one that may not open."""
        low, high = min(0, position), max(0, position)
        minimum, maximum = (min(max(end, low), high) for end in (self.minimum, self.maximum))
        return replace(self, minimum=minimum, maximum=maximum, may_open=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one policy says.

    reason      short, for people; empty when all is well
    hold_ns     the decision stays in force for this long after it was last made (cool-down)
    target      where the position should be; None = no opinion
    may_buy, may_sell  False pauses a side
    bound       quotes may not make abs(position) larger, lots; None = no opinion
    alert       what a person should know now, empty when nothing; told once while it stays the same
    told        of a combined one: each part with its action and reason, strictest first
    target_reason  of a combined one: why the target is what it is
    is_frozen      of a combined one: a part of it freezes, which a halt does not show: no order at all
    """

    action: Action = Action.ALLOW
    reason: str = ""
    hold_ns: int = 0
    target: Range | None = None
    may_buy: bool = True
    may_sell: bool = True
    bound: int | None = None
    alert: str = field(default="", compare=False)
    told: tuple[str, ...] = field(default=(), compare=False)
    target_reason: str = field(default="", compare=False)
    is_frozen: bool = field(default=False, compare=False)

    @property
    def words(self) -> str:
        """Return its action and its reason, for people; empty when all is well."""
        if not self.reason:
            return ""
        steps = [_WORDS[self.action]] if self.action is not Action.ALLOW else []
        if self.action < Action.REDUCE_ONLY:
            steps += [side for side, may in (("bids", self.may_buy), ("asks", self.may_sell)) if not may]
            steps = [f"pause {' and '.join(steps)}"] if steps else []
        if self.target is not None:
            low, high = self.target.minimum, self.target.maximum
            steps.append(f"trade to {low} lots" if low == high else f"trade to {low}..{high} lots")
        return f"{', '.join(steps) or 'note'}: {self.reason.removeprefix('halted: ')}"

    @property
    def is_silent(self) -> bool:
        """True when it forbids and wants nothing."""
        is_free = self.action is Action.ALLOW and self.may_buy and self.may_sell
        return is_free and self.target is None and self.bound is None


_WORDS = {
    Action.REDUCE_ONLY: "reduce only",
    Action.STOP: "stop quoting",
    Action.FREEZE: "freeze",
    Action.HALT: "halt",
}
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
    against_usd    signed value of its hedge in another symbol, or of what it is the hedge of; None = unknown
    is_quoted      a quoter works on it
    history        the highest equity of the account, of the session and of trailing windows
    quote_usd      spot: quote units of the equity not held in coins that we know of; None = cannot be told
    available_usd  of them what the venue says can be spent; None = it does not
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
    against_usd: float | None = 0.0
    is_quoted: bool = True
    history: EquityHistory = field(default_factory=EquityHistory)
    quote_usd: float | None = None
    available_usd: float | None = None

    @property
    def exposure_usd(self) -> float:
        """Value of position and hedge together, >= 0; none where the larger one is the other. Row R26.

        While what is held against it is unknown: of the position alone, which is the most it can be.
        """
        both = self.notional_usd + (self.against_usd or 0.0)
        return abs(both) if both * self.notional_usd > 0 else 0.0

    @property
    def entry_price(self) -> float | None:
        """Our own entry price, quote units; None = unknown, or flat."""
        entry = self.position.entry_price
        return entry if entry is not None and entry > 0 else None

    @property
    def unrealised_usd(self) -> float | None:
        """(price - entry) x position, quote units: ours, whatever the venue says of it. Row R13."""
        if self.position.quantity == 0:
            return 0.0
        entry = self.entry_price
        return (
            None if entry is None else self.instrument.notional_at(self.position.quantity, self.price - entry)
        )


Seen = TypeVar("Seen", contravariant=True)


class Policy(Protocol[Seen]):
    """Judges one view. Total: returns a decision for every view, raises nothing."""

    def decide(self, view: Seen) -> Decision: ...


def strictest(decisions: Iterable[Decision], position: int = 0) -> Decision:
    """Return one decision that allows nothing which any of them forbids.

    position  lots, to tell which target asks for the largest reduction
    """
    decisions = [decision for decision in decisions if decision is not ALLOW]
    if not decisions:
        return ALLOW
    action, reasons, hold_ns, target, target_reason = Action.ALLOW, list[str](), 0, None, ""
    may_buy = may_sell = True
    is_frozen = False
    bounds, alerts = list[int](), list[str]()
    told: list[tuple[Action, str]] = []
    for decision in decisions:
        told += [(decision.action, words) for words in decision.told or (decision.words,) if words]
        if decision.action > action:
            action, reasons = decision.action, []
        if decision.reason and decision.action == action and decision.reason not in reasons:
            reasons.append(decision.reason)
        hold_ns = max(hold_ns, decision.hold_ns)
        is_frozen = is_frozen or decision.is_frozen or decision.action is Action.FREEZE
        may_buy, may_sell = may_buy and decision.may_buy, may_sell and decision.may_sell
        bounds += [] if decision.bound is None else [decision.bound]
        alerts += [decision.alert] if decision.alert else []
    may_open = action is Action.ALLOW and not any(
        _reduces(decision.target, position) for decision in decisions
    )
    for decision in decisions:
        wanted = decision.target
        if wanted is None:
            continue
        is_paused = not (may_buy if position < wanted.minimum else may_sell)
        if wanted.may_open and (is_paused or not may_open):
            wanted = wanted.only_reducing(position)  # what may grow hides no reduction, and passes no pause
            if not wanted.distance(position):
                continue
        if target is None or wanted.distance(position) > target.distance(position):
            target, target_reason = wanted, decision.target_reason or decision.reason
    told.sort(key=lambda part: -part[0])
    parts = tuple(dict.fromkeys(words for _, words in told))
    return Decision(
        action, "; ".join(reasons), hold_ns, target, may_buy, may_sell,
        bound=min(bounds, default=None), alert="; ".join(alerts), told=parts, target_reason=target_reason,
        is_frozen=is_frozen,
    )  # fmt: skip


def _reduces(target: Range | None, position: int) -> bool:
    """True when a target asks for a reduction and for nothing else."""
    return target is not None and not target.may_open and target.distance(position) > 0
