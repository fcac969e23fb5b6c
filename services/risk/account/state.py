"""What is known of one account: its equity and the sum of its exposures."""

from __future__ import annotations

from dataclasses import dataclass

from services.risk.account.allocation import Commitments
from services.risk.account.equity import TrustedEquity
from services.risk.account.equity_history import EquityHistory
from services.risk.holding import Holding
from shared.messages import Equity


@dataclass(frozen=True, slots=True)
class Gross:
    """Sum of abs(notional) over an account, and its largest member.

    held_usd the sum with signs of what is held at spot, less what is owed
    unknown  names what makes the sum unknown: nothing is permitted
    doubt    names what makes the sum, or the room for it, doubtful: nothing may grow, nor be traded for it
    """

    usd: float = 0.0
    largest: str = ""
    unknown: str = ""
    doubt: str = ""
    held_usd: float = 0.0


class AccountState:
    """The equity of an account, and its symbols in the order in which they appeared."""

    def __init__(self, equity: TrustedEquity, ttl_ns: int) -> None:
        self.equity = equity
        self.history = EquityHistory()
        self.holdings: dict[str, Holding] = {}
        self.commitments = Commitments(ttl_ns)
        #: the largest gross, set on the timer; None = it cannot be told, which is not a limit of 0
        self.gross_cap_usd: float | None = None
        #: which account of the deployment uses nobody knows how much of the common limit; "" = none
        self.unknown_account = ""

    def gross(self, now_ns: int) -> Gross:
        """Return the sum over every position heard of; one that cannot be valued makes it unknown."""
        total, held, largest, largest_usd, doubt = 0.0, 0.0, "", -1.0, ""
        if self.unknown_account:
            doubt = f"the exposure of account {self.unknown_account} is unknown"
        for symbol, holding in self.holdings.items():
            notional = holding.notional_usd()
            if notional is None:
                if holding.position is None:
                    continue  # only its orders or its quoter were heard of
                return Gross(unknown=f"gross exposure is unknown: {symbol} has no price")
            if notional and holding.market.price.is_old(now_ns):
                doubt = f"gross exposure is not current: the price of {symbol} is old"
            total += abs(notional)
            if notional and holding.market.instrument and not holding.market.instrument.is_perp:
                held += notional  # a perpetual is not bought with the quote units
            if abs(notional) > largest_usd:
                largest, largest_usd = symbol, abs(notional)
        return Gross(total, largest, doubt=doubt, held_usd=held)

    def on_equity(self, equity: Equity, now_ns: int) -> bool:
        """Take an equity; return whether it says anything new."""
        is_new = self.equity.on_equity(equity, now_ns)
        if is_new:
            self.note_equity(now_ns)
        return is_new

    def note_equity(self, now_ns: int) -> None:
        """Remember the equity where it can be relied on."""
        if self.equity.is_confirmed and self.equity.missing(now_ns) is None:
            self.history.add(self.equity.usd, now_ns)

    def quote_usd(self, gross: Gross) -> float | None:
        """Return the equity less what is held, as far as we know: spot only. None = cannot be told."""
        return None if gross.unknown or gross.doubt else self.equity.usd - gross.held_usd

    def is_use_known(self) -> bool:
        """True once it is known how much of a common limit this account uses."""
        return self.equity.is_heard and all(
            holding.worst_case_usd() is not None for holding in self.holdings.values()
        )

    def uses_usd(self) -> dict[str, float]:
        """Return what each symbol uses in the worst case, as far as it can be valued."""
        return {symbol: holding.worst_case_usd() or 0.0 for symbol, holding in self.holdings.items()}
