"""The judge: every decision on one symbol of one account, combined into its permit and target."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from services.risk.account.state import AccountState, Gross
from services.risk.config import Config, Limits
from services.risk.hedging import Hedges
from services.risk.holding import Holding
from services.risk.permits import permit_of, target_of
from services.risk.policies.halt import StickyHalt
from services.risk.policies.policy import Action, Decision, View, strictest
from shared.messages import Permit, Target

#: where nobody takes them (a replay), the newest are kept
MOST_ALERTS = 1_000


def missing(holding: Holding, account: AccountState, now_ns: int) -> str | None:
    """Return which input is missing, old or absurd; None when all can be relied on. Row L02."""
    return (
        holding.missing(now_ns)
        or account.equity.missing(now_ns)
        or holding.market.missing(now_ns)
        or ("gross limit not allotted" if account.gross_cap_usd is None else None)
    )


class Judge:
    """Asks a holding's policies, and only where nothing is missing."""

    def __init__(self, config: Config, halt: StickyHalt, hedges: Hedges) -> None:
        self._config = config
        self._halt = halt
        self._hedges = hedges
        self._limits: dict[str, Limits] = {}
        #: (account, symbol, text), oldest first; whoever tells them takes them out
        self.alerts: deque[tuple[str, str, str]] = deque(maxlen=MOST_ALERTS)

    def _limits_of(self, symbol: str) -> Limits:
        """Return a symbol's limits, put together once."""
        limits = self._limits.get(symbol)
        if limits is None:
            limits = self._limits[symbol] = self._config.limits_of(symbol)
        return limits

    def cap_usd(self, symbol: str, account: AccountState) -> float:
        """Return the largest abs(position × price) that a symbol may have, quote units."""
        limits = self._limits_of(symbol)
        share_usd = account.equity.usd * limits.max_position_share
        return share_usd if limits.max_position_usd is None else min(share_usd, limits.max_position_usd)

    def verdict(
        self, holding: Holding, account: AccountState, gross: Gross, now_ns: int
    ) -> tuple[Permit, Target | None]:
        """Return what may rest now, and the reduction that is wanted, if any."""
        view, decision = self._decide(holding, account, gross, now_ns)
        max_order_usd = self._limits_of(holding.symbol).max_order_usd
        permit = permit_of(holding, decision, view, max_order_usd)
        if not account.equity.is_confirmed:
            return permit, None
        return permit, target_of(holding, decision, view, max_order_usd, permit)

    def _decide(
        self, holding: Holding, account: AccountState, gross: Gross, now_ns: int
    ) -> tuple[View | None, Decision]:
        """Return the strictest of all decisions, and the view it was made on (None = inputs missing)."""
        decisions = [self._halt.decide(holding.symbol), holding.market.decide(now_ns)]
        reason = missing(holding, account, now_ns) or gross.unknown
        if reason:
            return None, strictest([*decisions, holding.doubt.decide(), Decision(Action.FREEZE, reason)])
        if not holding.doubt.decide().is_silent:  # no policy remembers a position that may be wrong
            return None, strictest([*decisions, holding.doubt.decide()])
        view = self._view(holding, account, gross, now_ns)
        for index, policy in enumerate(holding.policies):
            holding.holds.update(index, policy.decide(view), now_ns)
        hedge = self._hedges.decide(holding, view)
        if hedge is not None:
            decisions.append(hedge)
        held = holding.holds.current(now_ns, view.position.quantity)
        self._note(holding, held.alert)
        if held.action is Action.HALT:
            self._halt.want(holding.account, holding.symbol, held.reason)
            held = replace(self._halt.decide(holding.symbol), is_frozen=held.is_frozen)
        return view, strictest([*decisions, held], view.position.quantity)

    def _note(self, holding: Holding, alert: str) -> None:
        """Keep an alert for a person; while it stays the same it is kept once."""
        if alert and alert != holding.alert:
            self.alerts.append((holding.account, holding.symbol, alert))
        holding.alert = alert

    def _view(self, holding: Holding, account: AccountState, gross: Gross, now_ns: int) -> View:
        market, position = holding.market, holding.position
        price = market.price.usd
        assert market.instrument and market.top and price and position  # nothing is missing
        assert account.gross_cap_usd is not None
        return View(
            now_ns=now_ns,
            instrument=market.instrument,
            top=market.top,
            position=position,
            price=price,
            notional_usd=market.instrument.notional_at(position.quantity, price),
            equity_usd=account.equity.usd,
            cap_usd=self.cap_usd(holding.symbol, account),
            gross_usd=gross.usd,
            gross_cap_usd=account.gross_cap_usd,
            gross_doubt=gross.doubt,
            is_largest=gross.largest == holding.symbol,
            against_usd=self._hedges.against_usd(holding, now_ns),
            is_quoted=holding.is_quoted,
            history=account.history,
            quote_usd=None if market.instrument.is_perp else account.quote_usd(gross),
            available_usd=account.equity.available_usd,
        )
