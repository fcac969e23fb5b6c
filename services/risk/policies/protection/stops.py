"""Stop-loss and take-profit: unrealised PnL beyond a limit closes the position.

Judged at every mark and position, on our own entry price: venues that realise PnL every few
seconds never show the loss (R13). Once one has fired, nothing is quoted and the position is
closed by reduce-only IOC orders priced through the book, tried again until it is confirmed
flat, whatever the price does meanwhile (R12). After that quoting resumes by itself (C12). While
a breaker's cool-down forbids every order (R16), the close waits for its end.

What is left below the venue's minimum cannot be closed: the close ends there, and while that
remainder is itself beyond a limit nothing is added to it.

An entry price that is unknown is not zero: nothing may be added while it cannot be judged.

Source: lineage 5.3; rows R09 to R13; rulings C12, C13.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from services.risk.policies.lots import least_lots
from services.risk.policies.policy import ALLOW, Action, Decision, Range, View
from services.risk.policies.table import PolicyTable
from shared.clock import NS_PER_S, seconds_to_ns
from shared.instrument import plain
from shared.messages import Side

Usd = Annotated[float, Meta(gt=0, le=1e12)]


class StopsTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """When a position is closed for what it has lost or won.

    stop_loss_usd    unrealised loss that closes it, quote units, either sign; None = none
    take_profit_usd  unrealised profit that closes it, quote units; None = none
    slippage_pct     the close is priced so far through the opposite best, %
    alert_s          a close that is not done after so long is an alert, and again each time, seconds
    """

    stop_loss_usd: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    take_profit_usd: Usd | None = None
    slippage_pct: Annotated[float, Meta(ge=0, le=20)] = 1.0
    alert_s: Annotated[float, Meta(ge=1, le=600)] = 5.0

    def problem(self) -> str:
        if self.stop_loss_usd is None and self.take_profit_usd is None:
            return "stop_loss_usd or take_profit_usd must be given"
        if self.stop_loss_usd == 0:
            return "stop_loss_usd 0 would close at any price: leave it out for none"
        return ""

    def echo(self) -> dict[str, object]:
        return super().echo() | {"stop_loss_usd": self.floor_usd}

    @property
    def floor_usd(self) -> float | None:
        """The unrealised PnL at or below which it closes, < 0, whatever sign it was written with (C13)."""
        return None if self.stop_loss_usd is None else -abs(self.stop_loss_usd)


class Stops:
    """One position's stop-loss and take-profit."""

    name = "stops"

    def __init__(self, table: StopsTable) -> None:
        self._loss = table.floor_usd
        self._profit = table.take_profit_usd
        self._slippage = table.slippage_pct / 100
        self._alert_ns = seconds_to_ns(table.alert_s)
        #: why the position is being closed, empty while it is not, and since when
        self._closing = ""
        self._since_ns = 0

    def memory(self) -> tuple[str, dict[str, int]]:
        return self._closing, {"since": self._since_ns} if self._closing else {}

    def recall(self, text: str, times: dict[str, int]) -> None:
        self._closing, self._since_ns = text, times["since"]

    def decide(self, view: View) -> Decision:
        if view.position.quantity == 0:
            self._closing = ""
            return ALLOW
        unrealised = view.unrealised_usd
        if abs(view.position.quantity) < least_lots(view):
            self._closing = ""
            fired = "" if unrealised is None else self._fired(unrealised)
            if fired:
                return Decision(Action.REDUCE_ONLY, f"{fired}: too little for the venue to close")
        elif not self._closing and unrealised is not None:
            self._closing, self._since_ns = self._fired(unrealised), view.now_ns
        if self._closing:
            return self._close(view)
        if unrealised is None:
            return Decision(Action.REDUCE_ONLY, "entry price is unknown: stops cannot be judged")
        return ALLOW

    def _fired(self, unrealised: float) -> str:
        if self._loss is not None and unrealised <= self._loss:
            return f"stop-loss: unrealised {unrealised:.2f} is at or below {self._loss:.2f}"
        if self._profit is not None and unrealised >= self._profit:
            return f"take-profit: unrealised {unrealised:.2f} is at or above {self._profit:.2f}"
        return ""

    def _close(self, view: View) -> Decision:
        late = (view.now_ns - self._since_ns) // self._alert_ns
        left = plain(abs(view.instrument.quantity(view.position.quantity)))
        alert = f"{self._closing}: closing"
        if late:
            alert = f"{self._closing}: {left} not closed after {late * self._alert_ns / NS_PER_S:g} s"
        target = Range(0, 0, limit_price=self._price(view))
        return Decision(Action.STOP, f"{self._closing}: closing", target=target, alert=alert)

    def _price(self, view: View) -> int | None:
        """Return a price through the opposite best, ticks: an IOC order that misses closes nothing."""
        is_long, top = view.position.quantity > 0, view.top
        best = top.bid if is_long else top.ask
        if best is None:
            return None
        through = best * (1 - self._slippage if is_long else 1 + self._slippage)
        return max(1, view.instrument.quote_ticks(through, Side.SELL if is_long else Side.BUY))
