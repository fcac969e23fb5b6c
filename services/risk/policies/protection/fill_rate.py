"""Fill rate: too many fills of one side in a short time mean that somebody knows more than we do.

While fills may have been lost on the way their number is unknown: neither side is quoted.
Counted are fills of quotes, each side for itself, reductions and hedges not. One large taker
may be several fills.

Source: reliability.md, row 9 (fills per minute per side); ruling C1.
"""

from __future__ import annotations

from collections import deque
from typing import Annotated, Literal

from msgspec import Meta

from services.risk.account.equity_history import EquityHistory
from services.risk.policies.policy import ALLOW, Decision, View
from services.risk.policies.protection.response import CoolDown, respond
from services.risk.policies.table import PolicyTable
from shared.clock import seconds_to_ns
from shared.messages import Fill, Side


class FillRateTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """How many fills a side may have within a time.

    max_fills    largest number of fills of one side
    window_s     within so many seconds
    action       "pause": that side is not quoted while it lasts and cool_down_s more; "stop": neither is,
                 reductions work; "freeze": no order at all for as long; "halt": until a person resumes
    cool_down_s  see action, seconds
    """

    max_fills: Annotated[int, Meta(ge=1, le=100_000)] = 30
    window_s: Annotated[float, Meta(ge=1, le=3_600)] = 60.0
    action: Literal["pause", "stop", "freeze", "halt"] = "pause"
    cool_down_s: CoolDown = 60.0


class FillRate:
    """The fills of one symbol, by side."""

    name = "fill rate"

    def __init__(self, table: FillRateTable, is_strict: bool) -> None:
        self._table = table
        self._window_ns = seconds_to_ns(table.window_s)
        self._most = table.max_fills if is_strict else table.max_fills - 1
        #: more than that many need not be kept to know that it is too many
        self._fills: dict[Side, deque[int]] = {side: deque(maxlen=self._most + 1) for side in Side}
        self._cool_down_ns = seconds_to_ns(table.cool_down_s)
        self._paused_until_ns = dict.fromkeys(Side, 0)
        self._unknown_until_ns: int | None = None

    def on_fill(self, fill: Fill, now_ns: int) -> None:
        if not fill.is_target:
            self._fills[fill.side].append(now_ns)

    def on_fills_lost(self, now_ns: int) -> None:
        """There may have been any number of them: quote no side until the window holds none of those."""
        self._unknown_until_ns = now_ns + self._window_ns

    def on_resume(self, history: EquityHistory) -> None:  # noqa: ARG002
        """Count anew: fills that a person has accepted halt nothing again."""
        for fills in self._fills.values():
            fills.clear()

    def memory(self) -> tuple[str, dict[str, int]]:
        return "", {side.name: until_ns for side, until_ns in self._paused_until_ns.items() if until_ns}

    def recall(self, text: str, times: dict[str, int]) -> None:  # noqa: ARG002
        for name, until_ns in times.items():
            self._paused_until_ns[Side[name]] = until_ns

    def decide(self, view: View) -> Decision:
        sides = [side for side in Side if self._count(side, view.now_ns) > self._most]
        if not sides and self._unknown_until_ns is not None and view.now_ns < self._unknown_until_ns:
            reason = (
                f"{self.name}: fills were lost, so that of the last {self._table.window_s:g} s is unknown"
            )
            return Decision(reason=reason, may_buy=False, may_sell=False)
        if self._table.action == "pause":
            return self._pause(sides, view.now_ns)
        if not sides:
            return ALLOW
        return respond(self._table.action, self._table.cool_down_s, self._reason(sides))

    def _pause(self, sides: list[Side], now_ns: int) -> Decision:
        """Each side has a cool-down of its own."""
        for side in sides:
            self._paused_until_ns[side] = now_ns + self._cool_down_ns
        paused = [side for side in Side if now_ns < self._paused_until_ns[side]]
        if not paused:
            return ALLOW
        return Decision(
            reason=f"{self._reason(paused)}: cool-down",
            may_buy=Side.BUY not in paused, may_sell=Side.SELL not in paused,
        )  # fmt: skip

    def _reason(self, sides: list[Side]) -> str:
        names = " and ".join("buys" if side is Side.BUY else "sells" for side in sides)
        return f"{self.name}: more than {self._most} fills of {names} in {self._table.window_s:g} s"

    def _count(self, side: Side, now_ns: int) -> int:
        fills = self._fills[side]
        while fills and now_ns - fills[0] > self._window_ns:
            fills.popleft()
        return len(fills)
