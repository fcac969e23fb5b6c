"""Risk: says what may rest and where a position should be, for every symbol of every account.

In          InstrumentInfo, Top, Depth, Mark, FeedState; Position, Equity, Working, Fill; halt flags
Out         Permit each 250 ms for 1 s, and at once when it gets worse; Target while a position
            is to be reduced
State       the newest message of each kind, breakers and cool-downs, told budgets; what must survive
            a restart (halts, losses, cool-downs, closings) is kept by the process
On failure  a missing, old or doubted input -> a permit that permits nothing, naming it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.risk.account.allocation import Commitments
from services.risk.account.equity import TrustedEquity
from services.risk.account.memory import Memory, recall, remember
from services.risk.account.state import AccountState, Gross
from services.risk.config import Config
from services.risk.hedging import Hedges
from services.risk.holding import Holding
from services.risk.judge import Judge, missing
from services.risk.market_state import MarketState
from services.risk.permits import PERMIT_TTL_NS, REISSUE_NS, is_same, is_worse, no_target, nothing
from services.risk.policies.abilities import HearsResumption
from services.risk.policies.catalogue import band_of, breakers_of, policies_of
from services.risk.policies.halt import StickyHalt
from shared.clock import seconds_to_ns
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    Fill,
    Gap,
    InstrumentInfo,
    Mark,
    Message,
    Position,
    Target,
    Top,
    Working,
)


class Risk:
    """The core. accounts: account -> venue, whose name is the scope of its market data."""

    timer_ns = REISSUE_NS

    def __init__(self, config: Config, accounts: Mapping[str, str]) -> None:
        self._config = config
        self._venues = dict(accounts)
        self._breakers = breakers_of(config)
        self.halt = StickyHalt()
        #: (venue, symbol) -> market; the process subscribes to each of them
        self.markets: dict[tuple[str, str], MarketState] = {}
        self._by_market: dict[tuple[str, str], list[Holding]] = {}
        self._accounts = {name: AccountState(_equity(config), PERMIT_TTL_NS) for name in accounts}
        self._commitments = Commitments(PERMIT_TTL_NS)
        self.hedges = Hedges(config.hedges, self.watch, self._accounts, self.halt, missing)
        self._judge = Judge(config, self.halt, self.hedges)

    def watch(self, account: str, symbol: str) -> Holding:
        """Begin to judge a symbol of an account. Idempotent."""
        holdings = self._accounts[account].holdings
        if symbol not in holdings:
            key = (self._venues[account], symbol)
            if key not in self.markets:
                self.markets[key] = MarketState(self._config, self._breakers, band_of(self._config, symbol))
            confirm_ns = seconds_to_ns(self._config.confirm_s)
            policies = policies_of(self._config, symbol, self._config.is_leg(account, symbol))
            holdings[symbol] = Holding(account, symbol, self.markets[key], confirm_ns, policies)
            self._by_market.setdefault(key, []).append(holdings[symbol])
        return holdings[symbol]

    def set_quoted(self, account: str, symbol: str, is_quoted: bool) -> None:
        """Note whether a quoter works on a symbol: room under the common limits is for those only."""
        if account in self._accounts:
            self.watch(account, symbol).is_quoted = is_quoted

    # --- market data ------------------------------------------------------------------------

    def on_instrument_info(self, info: InstrumentInfo, now_ns: int) -> Iterable[Message]:
        key = (info.scope, info.symbol)
        market = self.markets.get(key)
        if market is None or not market.on_instrument_info(info):
            return ()
        for holding in self._by_market[key]:
            holding.on_rules_changed()
        return self._now_if_worse(self._by_market[key], now_ns)

    def on_feed_state(self, feed: FeedState, now_ns: int) -> Iterable[Message]:
        key = (feed.scope, feed.symbol)
        market = self.markets.get(key)
        if market is None:
            return ()
        market.on_feed_state(feed, now_ns)
        return self._if_blocked(key, now_ns)

    def on_top(self, top: Top, now_ns: int) -> Iterable[Message]:
        key = (top.scope, top.symbol)
        market = self.markets.get(key)
        if market is None:
            return ()
        market.on_top(top, now_ns)
        return self._if_blocked(key, now_ns)

    def on_depth(self, depth: Depth, now_ns: int) -> Iterable[Message]:
        key = (depth.scope, depth.symbol)
        market = self.markets.get(key)
        if market is None:
            return ()
        market.on_depth(depth, now_ns)
        return self._if_blocked(key, now_ns)

    def on_mark(self, mark: Mark, now_ns: int) -> Iterable[Message]:
        key = (mark.scope, mark.symbol)
        market = self.markets.get(key)
        if market is None:
            return ()
        market.on_mark(mark, now_ns)
        return self._now_if_worse(self._by_market[key], now_ns)

    # --- the account -------------------------------------------------------------------------

    def on_position(self, position: Position, now_ns: int) -> Iterable[Message]:
        if position.scope not in self._accounts:
            return ()
        holding = self.watch(position.scope, position.symbol)
        last = holding.position
        holding.on_position(position, now_ns)
        return () if position == last else self._now_if_worse([holding], now_ns)

    def on_fill(self, fill: Fill, now_ns: int) -> Iterable[Message]:
        if fill.scope in self._accounts:
            self.watch(fill.scope, fill.symbol).on_fill(fill, now_ns)
        return ()

    def on_gap(self, gap: Gap, now_ns: int) -> Iterable[Message]:
        """Fills were lost on the way, or execution has restarted: nobody knows how many there were."""
        if gap.kind != Fill.__name__ or gap.scope not in self._accounts:
            return ()
        known = self._accounts[gap.scope].holdings
        holdings = [holding for symbol, holding in known.items() if gap.symbol in ("", "-", symbol)]
        for holding in holdings:
            holding.on_fills_lost(now_ns)
        return self._now_if_worse(holdings, now_ns)

    def on_working(self, working: Working, now_ns: int) -> Iterable[Message]:
        if working.scope in self._accounts:
            holding = self.watch(working.scope, working.symbol)
            holding.on_working(working, now_ns)
            holding.market.on_working(working.scope, working.orders, now_ns)
        return ()

    def on_equity(self, equity: Equity, now_ns: int) -> Iterable[Message]:
        account = self._accounts.get(equity.scope)
        if account is None or not account.on_equity(equity, now_ns):
            return ()
        return self._now_if_worse(account.holdings.values(), now_ns)

    def on_halts(self, flags: Mapping[str, str], now_ns: int, is_complete: bool = True) -> Iterable[Message]:
        """Take the halt flags that are set now: "ALL" or a symbol -> reason; not complete = not all read."""
        if not self.halt.on_flags(flags, is_complete):
            return ()
        for name, symbol, policy in self.halt.resumed:
            self._resume(name, symbol, policy, now_ns)
        return [message for account in self._accounts.values()
                for message in self._now_if_worse(account.holdings.values(), now_ns)]  # fmt: skip

    def _resume(self, name: str, symbol: str, policy: str, now_ns: int) -> None:
        """A person has accepted what a policy had halted: that is forgiven, and to that account alone."""
        account = self._accounts[name]
        for judge in account.holdings[symbol].policies:
            if isinstance(judge, HearsResumption) and judge.name == policy:
                judge.on_resume(account.history)
        account.note_equity(now_ns)  # what a person has accepted is what it is now
        self.halt.accept(name, policy)

    def wanted_halts(self) -> dict[str, str]:
        """Return the halts that policies want and that are no flags yet: symbol -> reason."""
        return self.halt.wanted

    def memory(self, now_ns: int) -> Memory:
        """Return what a restart of the process must not forget."""
        return remember(self._accounts, now_ns)

    def restore(self, memory: bytes) -> None:
        """Take up what the process remembered before a restart, as of `Memory.to_bytes`."""
        recall(memory, self._accounts, self.watch)

    def take_alerts(self) -> list[tuple[str, str, str]]:
        """Return what a person should know and was not told yet: (account, symbol, text), oldest first."""
        alerts = list(self._judge.alerts)
        self._judge.alerts.clear()
        return alerts

    # --- time ------------------------------------------------------------------------------------

    def on_timer(self, now_ns: int) -> Iterable[Message]:
        for market in self.markets.values():
            market.sample(now_ns)
        self._allot_accounts(now_ns)
        messages: list[Message] = []
        for account in self._accounts.values():
            self._allot_symbols(account, now_ns)
            gross = account.gross(now_ns)
            for holding in account.holdings.values():
                holding.expires_ns = now_ns + PERMIT_TTL_NS
                holding.permit, target = self._judge.verdict(holding, account, gross, now_ns)
                messages.append(holding.permit)
                messages.extend(_retarget(holding, target))
        return messages

    def on_stop(self, now_ns: int) -> Iterable[Message]:
        """Permit nothing: consumers act at once instead of waiting for the expiry."""
        messages: list[Message] = []
        for name, account in self._accounts.items():
            for symbol, holding in account.holdings.items():
                messages.append(nothing(name, symbol, "risk is stopped", now_ns + PERMIT_TTL_NS))
                if holding.target is not None:
                    messages.append(no_target(holding.target, now_ns + PERMIT_TTL_NS))
        return messages

    # --- limits: who may use how much --------------------------------------------------------------

    def _allot_accounts(self, now_ns: int) -> None:
        """Set every account's gross limit: its own, and its share of the deployment's."""
        wants = {
            name: account.equity.usd * self._config.max_gross_equity_multiple
            for name, account in self._accounts.items()
            if account.equity.missing(now_ns) is None
        }
        if self._config.max_total_gross_usd is not None:
            self._name_unknown_accounts()
            uses = {name: sum(account.uses_usd().values()) for name, account in self._accounts.items()}
            wants = self._commitments.allocate(self._config.max_total_gross_usd, wants, uses, now_ns)
        for name, account in self._accounts.items():
            account.gross_cap_usd = wants.get(name)

    def _name_unknown_accounts(self) -> None:
        """While one account may use nobody knows how much of the common limit, none may grow."""
        unknown = [name for name, account in self._accounts.items() if not account.is_use_known()]
        for account in self._accounts.values():
            account.unknown_account = next(iter(unknown), "")

    def _allot_symbols(self, account: AccountState, now_ns: int) -> None:
        """Set every symbol's budget within its account's gross limit."""
        uses = account.uses_usd()
        wants = {
            symbol: cap if holding.is_quoted or holding.is_leg else min(cap, uses[symbol])
            for symbol, holding in account.holdings.items()
            if missing(holding, account, now_ns) is None
            for cap in (self._judge.cap_usd(symbol, account),)
        }
        budgets = account.commitments.allocate(account.gross_cap_usd or 0.0, wants, uses, now_ns)
        for symbol, holding in account.holdings.items():
            holding.budget_usd = budgets.get(symbol, 0.0)

    # --- telling ----------------------------------------------------------------------------------

    def _if_blocked(self, key: tuple[str, str], now_ns: int) -> Iterable[Message]:
        """Tell at once when a market must not be quoted; cheap while all is well."""
        if self.markets[key].is_sound(now_ns):
            return ()
        return self._now_if_worse([h for h in self._by_market[key] if h.is_permitted], now_ns)

    def _now_if_worse(self, holdings: Iterable[Holding], now_ns: int) -> list[Message]:
        """Judge symbols between two timers; tell only what forbids more, or reduces otherwise."""
        messages: list[Message] = []
        grosses: dict[str, Gross] = {}
        for holding in self.hedges.with_partners(holdings):
            last, account = holding.permit, self._accounts[holding.account]
            if last is None:
                continue  # nothing was permitted yet: the timer will tell
            if holding.account not in grosses:
                grosses[holding.account] = account.gross(now_ns)
            permit, target = self._judge.verdict(holding, account, grosses[holding.account], now_ns)
            if is_worse(permit, last):
                holding.permit = permit
                messages.append(permit)
            if not is_same(target, holding.target):
                messages.extend(_retarget(holding, target))
        return messages


def _equity(config: Config) -> TrustedEquity:
    return TrustedEquity(seconds_to_ns(config.max_equity_age_s), config.max_equity_step_pct / 100)


def _retarget(holding: Holding, target: Target | None) -> Iterable[Message]:
    """Remember a target and tell it; tell that there is none when there was one."""
    last, holding.target = holding.target, target
    if target is not None:
        return (target,)
    return () if last is None else (no_target(last, holding.expires_ns),)
