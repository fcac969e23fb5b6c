"""Allocation: one gross limit shared by many, never exceeded while exposure moves between them.

Each member (a symbol of an account, an account of the deployment) gets a budget. Shrinking is
immediate; growing waits until what the others may still use fits: a budget stays committed
until the permit that told it has expired, and whatever is used stays committed until it is
seen gone. Row L05.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping


def share_out(total: float, wants: Mapping[str, float], uses: Mapping[str, float]) -> dict[str, float]:
    """Return what each member should get in the end; the sum never exceeds `total`.

    wants  the most a member may have; uses  what it has now (it gets that first, up to its want)
    What is left is divided equally, nobody getting more than it wants.
    """
    shares = {name: min(uses[name], want) for name, want in wants.items()}
    used = sum(shares.values())
    if used > total:
        return {name: share * total / used for name, share in shares.items()}
    left = total - used
    # by what is still wanted, ascending: whoever wants little leaves more for the rest
    waiting = sorted(wants, key=lambda name: (wants[name] - shares[name], name))
    for position, name in enumerate(waiting):
        extra = min(wants[name] - shares[name], left / (len(waiting) - position))
        shares[name] += extra
        left -= extra
    return shares


class Commitments:
    """Budgets that were told and may still be in use."""

    def __init__(self, ttl_ns: int) -> None:
        self._ttl_ns = ttl_ns
        #: member -> (budget, end), largest first; what is told later outlives what was told before
        self._told: dict[str, deque[tuple[float, int]]] = {}

    def allocate(
        self, total: float, wants: Mapping[str, float], uses: Mapping[str, float], now_ns: int
    ) -> dict[str, float]:
        """Return the budgets to tell now, each for `ttl_ns`.

        wants  the most each active member may have
        uses   what each member has now, active or not: a superset of `wants`
        No budget grows beyond what is left of `total` after what everyone else may use.
        """
        committed = {
            name: max(self._in_force(name, now_ns), uses.get(name, 0.0)) for name in {**self._told, **uses}
        }
        taken = sum(committed.values())
        idle = sum(amount for name, amount in committed.items() if name not in wants)
        goals = share_out(max(0.0, total - idle), wants, uses)
        budgets: dict[str, float] = {}
        for name, goal in goals.items():
            room = total - (taken - committed[name])
            budget = min(goal, max(self._last(name), room, 0.0))
            budgets[name] = budget
            taken += max(0.0, budget - committed[name])
            committed[name] = max(committed[name], budget)
            self._tell(name, budget, now_ns)
        return budgets

    def _last(self, name: str) -> float:
        told = self._told.get(name)
        return told[-1][0] if told else 0.0

    def _in_force(self, name: str, now_ns: int) -> float:
        told = self._told.get(name, deque())
        while told and told[0][1] <= now_ns:
            told.popleft()
        return told[0][0] if told else 0.0

    def _tell(self, name: str, budget: float, now_ns: int) -> None:
        told = self._told.setdefault(name, deque())
        while told and told[-1][0] <= budget:
            told.pop()
        told.append((budget, now_ns + self._ttl_ns))
