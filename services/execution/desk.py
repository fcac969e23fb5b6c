"""What the parts of the core share: the account's symbols and orders, its budget, its outbox."""

from __future__ import annotations

from collections.abc import Mapping

from services.execution.account.ledger import Holding, Ledger
from services.execution.config import ExecutionConfig
from services.execution.orders.client_ids import ClientIds
from services.execution.orders.records import Order, OwnOrders
from services.execution.reads.health import StreamHealth, VenueHealth
from services.execution.requests import Alert, HeldPosition, Output
from services.execution.sending.budget import RateBudget
from services.execution.symbols import Symbol
from shared.clock import NS_PER_MS, seconds_to_ns
from shared.halt import halted_because
from shared.instrument import Instrument
from shared.messages import OrderUpdate, Position, Reject, Side
from shared.venues.base import Capabilities, RateLimit, VenueOrder


class Desk:
    """State of one account. Parts change it through its methods; what follows gathers in two lists.

    sends   orders and cancels: they go first
    outbox  everything else
    """

    def __init__(
        self, account: str, config: ExecutionConfig, capabilities: Capabilities, tag: int, now_ns: int
    ) -> None:
        self.account = account
        self.config = config
        self.capabilities = capabilities
        self.orders = OwnOrders()
        self.symbols: dict[str, Symbol] = {}
        self.instruments: dict[str, Instrument] = {}
        self.holdings: dict[str, Holding] = {}
        self.ledger = Ledger()
        self.ids = ClientIds(tag, capabilities.client_id_bits)
        own = config.requests_per_min
        limits = capabilities.limits if own is None else (RateLimit(own),)
        self.budget = RateBudget(limits, config.budget_share, now_ns)
        self.venue = VenueHealth()
        self.stream = StreamHealth(config.stream_silence_ns)
        self.position_seq = 0
        #: after this long from its sending a placement can no longer be executed
        self.window_ns = capabilities.signing_window_ms * NS_PER_MS + seconds_to_ns(config.settle_margin_s)
        self.halts: dict[str, str] = {}
        self.has_new_symbol = False
        #: open orders with our tag that cannot be read, as of the latest read
        self.strays: dict[int, VenueOrder] = {}
        self.sends: list[Output] = []
        self.outbox: list[Output] = []
        #: symbols whose Working has changed, whose orders must be looked at, and those that wait for
        #: budget or a connection; dicts, for their order
        self.touched: dict[str, Symbol] = {}
        self.awake: dict[str, Symbol] = {}
        self.starved: dict[str, Symbol] = {}

    def symbol(self, name: str) -> Symbol | None:
        """Return a symbol's state, None while its instrument is not known."""
        found = self.symbols.get(name)
        if found is None:
            instrument = self.instruments.get(name)
            if instrument is None:
                return None
            found = self.symbols[name] = Symbol(instrument, self.orders.of(name))
            found.position_seq = self.next_position_seq()
            found.halt_reason = halted_because(self.halts, name)
            self.has_new_symbol = True
        return found

    def holding(self, symbol: str) -> Holding:
        found = self.holdings.get(symbol)
        if found is None:
            found = self.holdings[symbol] = Holding()
        return found

    def take_outputs(self) -> list[Output]:
        """Return what has gathered since the last call: what goes to the venue first."""
        outputs = self.sends + self.outbox
        self.sends, self.outbox = [], []
        return outputs

    def is_clear(self) -> bool:
        """True when the venue has shown, after the last sign of an order, that none of ours is open."""
        return not self.strays and all(symbol.is_clear() for symbol in self.symbols.values())

    def gross_usd(self) -> float:
        """Return the worst-case gross exposure of the account."""
        total = 0.0
        for symbol in self.symbols.values():
            total += symbol.worst_usd()
        return total

    def next_position_seq(self) -> int:
        self.position_seq += 1
        return self.position_seq

    def touch(self, symbol: Symbol) -> None:
        """Its Working must be published again."""
        self.touched[symbol.name] = symbol

    def wake(self, symbol: Symbol) -> None:
        """Its orders must be compared with what is wanted."""
        self.awake[symbol.name] = symbol

    def wake_all(self) -> None:
        self.awake.update(self.symbols)

    def starve(self, symbol: Symbol) -> None:
        """Something it needs cannot be sent now; it is looked at again on the timer."""
        self.starved[symbol.name] = symbol

    def alert(self, event: str, is_error: bool = True, **fields: object) -> None:
        self.outbox.append(Alert(event, {"account": self.account, **fields}, is_error))

    def take_halts(self, halts: Mapping[str, str]) -> bool:
        """Take up everything that is halted now; return whether anything changed."""
        if halts == self.halts:
            return False
        self.halts = dict(halts)
        for symbol in self.symbols.values():
            symbol.halt_reason = halted_because(self.halts, symbol.name)
            self.wake(symbol)
            self.touch(symbol)
        return True

    def tell_order(self, order: Order, reason: str = "", cause_ns: int = 0, sent_ns: int = 0) -> None:
        """Publish a step in an order's life, if it is one, and look at its symbol again."""
        symbol = self.symbols[order.symbol]
        self.touched[order.symbol] = symbol
        self.awake[order.symbol] = symbol
        state = (order.status, order.filled, order.size, order.venue_order_id)
        if state == order.told and not sent_ns:
            return
        order.told = state
        self.outbox.append(
            OrderUpdate(
                self.account, order.symbol, order.client_order_id, order.venue_order_id, order.side,
                order.price, order.size, order.filled, order.status, reason, cause_ns, sent_ns,
                order.is_target,
            )
        )  # fmt: skip

    def tell_reject(self, symbol: Symbol, side: Side, price: int, reason: str, now_ns: int) -> None:
        """Note why something wanted does not rest; the same reason again is not news."""
        known = symbol.rejects.get(side)
        if known is None or known.reason != reason:
            symbol.rejects[side] = Reject(side, price, reason, now_ns)
            self.touch(symbol)

    def tell_position(self, symbol: Symbol, venue_ns: int) -> None:
        """Publish a changed position under its next seq."""
        symbol.position_seq = self.next_position_seq()
        entry = self.holding(symbol.name).entry_price
        self.outbox.append(
            Position(
                self.account, symbol.name, symbol.position, None if entry is None else float(entry),
                symbol.is_known, symbol.position_seq, venue_ns,
            )
        )  # fmt: skip
        self.wake(symbol)

    def held(self, symbol: Symbol, venue_ns: int) -> HeldPosition:
        """Return a symbol's position as it is stored."""
        holding = self.holding(symbol.name)
        return HeldPosition(
            symbol.name, holding.quantity, holding.entry_price, symbol.is_known, symbol.position_seq, venue_ns
        )
