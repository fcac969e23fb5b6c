"""Hedges across symbols and accounts: who hedges whom, and what each knows of the other.

A hedged symbol and its leg are judged together: the exposure of the one that is larger is that
of both (row R26), and unknown while the other one is: then nothing is traded for it. The
account's gross counts both in full, for each needs its own margin, and each can be left alone
by a venue that fails. While either cannot be relied on the hedged symbol may not grow and the
leg is not traded: it stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.risk.account.state import AccountState
from services.risk.holding import Holding
from services.risk.policies.halt import StickyHalt
from services.risk.policies.hedging.hedge_leg import HedgeLeg, HedgeTable, HedgeView
from services.risk.policies.policy import Action, Decision, View
from shared.errors import BadInput

Key = tuple[str, str]  # account, symbol


@dataclass(frozen=True, slots=True)
class Pair:
    """A hedged symbol and its leg."""

    hedged: Holding
    leg: Holding
    policy: HedgeLeg

    def other(self, holding: Holding) -> Holding:
        return self.leg if holding is self.hedged else self.hedged

    def mismatch(self) -> str:
        """Return why one is no hedge of the other; empty when it is, or while either is not known."""
        hedged, leg = self.hedged.market.instrument, self.leg.market.instrument
        if hedged is None or leg is None or hedged.base == leg.base:
            return ""
        return f"{hedged.symbol} is in {hedged.base} and {leg.symbol} in {leg.base}: no hedge of each other"


#: returns why a holding cannot be relied on, None when it can
Doubts = Callable[[Holding, AccountState, int], str | None]


class Hedges:
    """Every pair, by either of its members."""

    def __init__(
        self, tables: Mapping[str, HedgeTable], watch: Callable[[str, str], Holding],
        accounts: Mapping[str, AccountState], halt: StickyHalt, missing: Doubts,
    ) -> None:  # fmt: skip
        self._accounts = accounts
        self._halt = halt
        self._missing = missing
        self._pairs: dict[Key, Pair] = {}
        for symbol, table in tables.items():
            pair = Pair(
                watch(table.account, symbol),
                watch(table.leg_account, table.leg_symbol),
                HedgeLeg(symbol, table),
            )
            pair.leg.is_leg = True
            self._pairs[_key(pair.hedged)] = self._pairs[_key(pair.leg)] = pair

    def with_partners(self, holdings: Iterable[Holding]) -> Iterable[Holding]:
        """Return the holdings and whatever is judged together with them."""
        if not self._pairs:
            return holdings
        found = dict.fromkeys(holdings)
        for holding in list(found):
            pair = self._pairs.get(_key(holding))
            if pair is not None:
                found[pair.other(holding)] = None
        return found

    def against_usd(self, holding: Holding, now_ns: int) -> float | None:
        """Return the signed value of what is held against a symbol; None while that is not known. Row L02."""
        pair = self._pairs.get(_key(holding))
        if pair is None or pair.mismatch():
            return 0.0
        other = pair.other(holding)
        return None if self._doubt(other, now_ns) else other.notional_usd()

    def decide(self, holding: Holding, view: View) -> Decision | None:
        """Judge a hedged symbol or a leg; None for all others."""
        pair = self._pairs.get(_key(holding))
        if pair is None:
            return None
        other = pair.other(holding)
        doubt = self._doubt(other, view.now_ns) or pair.mismatch()
        if holding is pair.hedged:
            frozen = other.market.decide(view.now_ns)
            if not doubt and frozen.action >= Action.FREEZE:
                doubt = frozen.reason
            if not doubt:
                return None
            return Decision(Action.REDUCE_ONLY, f"hedge leg {other.symbol} of {other.account}: {doubt}")
        if not doubt and holding.is_quoted:
            doubt = "a quoter works on its leg"
        hedge_view = None if doubt else self._view(pair, view)
        if hedge_view is None:
            doubt = doubt or "its total is not above 0"
            return Decision(Action.REDUCE_ONLY, f"hedged {other.symbol} of {other.account}: {doubt}")
        return pair.policy.decide(hedge_view)

    def _view(self, pair: Pair, leg: View) -> HedgeView | None:
        """Return what the leg's policy sees; None where there is no total to take a share of."""
        hedged, account = pair.hedged, self._accounts[pair.hedged.account]
        instrument, position, price = hedged.market.instrument, hedged.position, hedged.market.price.usd
        assert instrument and position and price  # nothing is missing
        held_usd = instrument.notional_at(position.quantity, price)
        quote_usd = None if instrument.is_perp else account.quote_usd(account.gross(leg.now_ns))
        total_usd = account.equity.usd if instrument.is_perp else held_usd + (quote_usd or 0.0)
        if not total_usd > 0 or (quote_usd is None and not instrument.is_perp):
            return None
        room_usd = min(leg.cap_usd, pair.leg.budget_usd)
        return HedgeView(
            inventory=float(instrument.lot_size * instrument.contract_multiplier) * position.quantity,
            price=price, total_usd=total_usd, leg=leg,
            room_long_usd=max(0.0, room_usd - max(0.0, held_usd)),
            room_short_usd=max(0.0, room_usd - max(0.0, -held_usd)),
            is_perp=instrument.is_perp,
        )  # fmt: skip

    def _doubt(self, holding: Holding, now_ns: int) -> str:
        """Return why nothing is to be built on a holding, empty when something may be."""
        account = self._accounts[holding.account]
        reason = self._missing(holding, account, now_ns)
        if reason:
            return reason
        if not account.equity.is_confirmed:
            return "equity is not confirmed yet"
        for decision in (self._halt.decide(holding.symbol), holding.doubt.decide()):
            if decision.action >= Action.FREEZE:
                return decision.reason
        return ""


def _key(holding: Holding) -> Key:
    return holding.account, holding.symbol


def members(tables: Mapping[str, HedgeTable]) -> tuple[Key, ...]:
    """Return every hedged symbol and every leg."""
    return tuple(
        key
        for symbol, table in tables.items()
        for key in ((table.account, symbol), (table.leg_account, table.leg_symbol))
    )


def check_accounts(
    tables: Mapping[str, HedgeTable], accounts: Iterable[str], quoted: Iterable[Key] = ()
) -> None:
    """Refuse hedges by accounts that there are not, and by symbols that are quoted. Raises: BadInput."""
    known, quotes = sorted(accounts), set(quoted)
    for symbol, table in tables.items():
        where = f"risk.hedges.{symbol}"
        for name, account in (("account", table.account), ("leg_account", table.leg_account)):
            if account not in known:
                raise BadInput(f"{where}.{name}: no such account {account!r}; known: {', '.join(known)}")
        if (table.leg_account, table.leg_symbol) in quotes:
            raise BadInput(
                f"{where}.leg_symbol: {table.leg_symbol} has a quoter: a leg is for the hedge alone"
            )
