"""The books of a running deployment: one accounting session per account and symbol.

Money is booked from the fill journal alone, which neither loses nor repeats; the bus, which may,
tells what rests, what the market is and when a fill happened, for what is counted beside it.
profit = cash + position x mid, from the first to the last look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from services.console.bus.board import Board
from services.console.running.market_of_others import MarketOfOthers
from services.console.running.stats_file import AccountStats, DeploymentStats
from shared.accounting.money.exact import ONE, ZERO, add, total
from shared.accounting.money.values import Execution
from shared.accounting.report import Report, costs_of
from shared.accounting.session import SessionStats
from shared.config import Config
from shared.instrument import Instrument
from shared.messages import (
    Depth,
    Equity,
    Fill,
    InstrumentInfo,
    Message,
    OrderUpdate,
    Position,
    Quotes,
    Top,
    Trade,
    Working,
)
from shared.state.records import FillEntry, JournalEntry

Key = tuple[str, str]


class Books:
    """Sessions by (account, symbol); they begin when the symbol is first heard of."""

    def __init__(self, config: Config, start_ns: int) -> None:
        self._config = config
        self._start_ns = start_ns
        self._instruments: dict[Key, Instrument] = {}  # by venue and symbol
        self._sessions: dict[Key, SessionStats] = {}
        self._listed: dict[Key, list[SessionStats]] = {}  # by venue and symbol
        self._start_equity: dict[str, Decimal] = {}
        self._markets: dict[Key, MarketOfOthers] = {}  # by venue and symbol

    # --- what happens ------------------------------------------------------------------------

    def add_instrument(self, info: InstrumentInfo) -> None:
        """Take a symbol's rules, also changed ones."""
        instrument = Instrument.from_info(info)
        self._instruments[info.scope, info.symbol] = instrument
        for session in self._listed.get((info.scope, info.symbol), ()):
            session.on_instrument(instrument)
        quoter = self._config.quoters.get(info.symbol)
        if quoter is not None and self._config.accounts[quoter.account].venue == info.scope:
            self._session(quoter.account, info.symbol)

    def on_message(self, message: Message, now_ns: int) -> None:
        """Take a message of the bus."""
        if isinstance(message, Top):
            sessions = self._listed.get((message.scope, message.symbol), ())
            top = self._market(message.scope, message.symbol).top(message, now_ns) if sessions else message
            for session in sessions:
                session.on_top(top, now_ns)
        elif isinstance(message, Depth):
            self._market(message.scope, message.symbol).on_depth(message)
        elif isinstance(message, Trade):
            for session in self._listed.get((message.scope, message.symbol), ()):
                session.on_trade(message, now_ns)
        elif isinstance(message, InstrumentInfo):
            self.add_instrument(message)
        elif isinstance(message, Equity):
            if message.equity_usd is not None:
                self._start_equity.setdefault(message.scope, Decimal(str(message.equity_usd)))
        elif isinstance(message, Fill | OrderUpdate | Quotes | Working | Position):
            self._on_own(message, now_ns)

    def book(self, account: str, entries: Iterable[JournalEntry]) -> None:
        """Book entries of an account's journal, each once, in order."""
        for entry in entries:
            if isinstance(entry, FillEntry):
                session = self._session(account, entry.symbol) or self._unlisted(account, entry)
                session.book(_execution_of(entry), entry.venue_order_id, entry.is_target, entry.venue_ns)
            else:
                session = self._session(account, entry.symbol) or self._unlisted(account, entry)
                session.ledger.fund(entry.amount)

    def watch(self, board: Board, now_ns: int) -> None:
        """Open what is quoted by now; forget what is not heard any more: a dead process shows nothing."""
        for account, symbol in board.symbols():
            session = self._session(account, symbol)
            if session is None:
                continue
            if board.newest(Working, account, symbol, now_ns) is None:
                session.on_working(Working(account, symbol, (), (), ""), now_ns)
            if board.newest(Top, self._config.accounts[account].venue, symbol, now_ns) is None:
                session.on_blind(now_ns)

    def start_over(self) -> None:
        """The venue is another one, where nothing is held: what was made so far is kept."""
        for session in self._sessions.values():
            session.ledger.start_over()

    # --- what it comes to --------------------------------------------------------------------

    def session(self, account: str, symbol: str) -> SessionStats | None:
        return self._sessions.get((account, symbol))

    def of_account(self, account: str) -> Iterator[SessionStats]:
        return (session for (owner, _), session in self._sessions.items() if owner == account)

    def profit(self, account: str) -> Decimal | None:
        """Return what an account has made, None while a part of it is not known."""
        profits = [session.ledger.profit for session in self.of_account(account)]
        known = [profit for profit in profits if profit is not None]
        return total(*known) if len(known) == len(profits) else None

    def volume(self, account: str) -> Decimal:
        return total(*(session.ledger.volumes.total for session in self.of_account(account)))

    def equity(self, account: str) -> Decimal | None:
        """Return what the account began with and what it has made since."""
        profit, start = self.profit(account), self._start_equity.get(account)
        return None if profit is None or start is None else add(start, profit)

    def cost_per_10k(self, account: str) -> float | None:
        return costs_of(self.profit(account), self.volume(account)).cost_per_10k

    def stats(self, now_ns: int, at_ms: int, *, is_running: bool) -> DeploymentStats:
        """Return everything, without the paths. `at_ms`: the wall clock now."""
        reports: dict[str, dict[str, Report]] = {account: {} for account in self._config.accounts}
        for (account, symbol), session in sorted(self._sessions.items()):
            reports[account][symbol] = session.report(now_ns).brief()
        accounts = {
            account: AccountStats(
                equity=self.equity(account),
                net=self.profit(account),
                costs=costs_of(self.profit(account), self.volume(account)),
                symbols=of_symbols,
            )
            for account, of_symbols in reports.items()
        }
        return DeploymentStats(at_ms=at_ms, is_running=is_running, accounts=accounts)

    # --- pieces --------------------------------------------------------------------------------

    def _on_own(self, message: Fill | OrderUpdate | Quotes | Working | Position, now_ns: int) -> None:
        session = self._session(message.scope, message.symbol)
        if session is None:
            return
        if isinstance(message, Fill):
            session.watch(message, now_ns)
        elif isinstance(message, OrderUpdate):
            session.on_order_update(message, now_ns)
        elif isinstance(message, Quotes):
            session.on_quotes(message, now_ns)
        elif isinstance(message, Working):
            self._market(session.instrument.venue, message.symbol).on_working(message, now_ns)
            session.on_working(message, now_ns)
        elif message.is_known:
            session.ledger.hold(session.instrument.quantity(message.quantity))

    def _market(self, venue: str, symbol: str) -> MarketOfOthers:
        return self._markets.setdefault((venue, symbol), MarketOfOthers())

    def _session(self, account: str, symbol: str) -> SessionStats | None:
        """Return a symbol's session, a new one when its rules are known."""
        session = self._sessions.get((account, symbol))
        if session is not None or account not in self._config.accounts:
            return session
        venue = self._config.accounts[account].venue
        instrument = self._instruments.get((venue, symbol))
        if instrument is None:
            return None
        session = self._open(account, instrument)
        self._listed.setdefault((venue, symbol), []).append(session)
        return session

    def _open(self, account: str, instrument: Instrument) -> SessionStats:
        session = SessionStats(instrument, self._start_ns, top_has_own=False)
        self._sessions[account, instrument.symbol] = session
        return session

    def _unlisted(self, account: str, entry: JournalEntry) -> SessionStats:
        """Return the session of a symbol whose rules nobody tells: money counts, the market is unknown."""
        asset = entry.fee_asset if isinstance(entry, FillEntry) else entry.asset
        venue = self._config.accounts[account].venue
        return self._open(account, Instrument(venue, entry.symbol, "", asset, True, ONE, ONE, 1))


def _execution_of(entry: FillEntry) -> Execution:
    return Execution(
        side=entry.side,
        price=entry.price,
        quantity=entry.quantity,
        is_maker=entry.is_maker,
        fee=entry.fee,
        fee_asset=entry.fee_asset,
        mid=entry.mid,
        position_after=entry.position_after,
    )


def volume_of(session: SessionStats | None) -> Decimal:
    return ZERO if session is None else session.ledger.volumes.total
