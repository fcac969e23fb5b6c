"""A grid with a book and fills around it: SOL at 200, tick 0.01, lot 0.01, all in ticks and lots."""

from __future__ import annotations

from typing import Any

from services.quoter.strategies.base import Wanted
from services.quoter.strategies.grids.quoting import Kept
from services.quoter.strategies.perp_grid import STRATEGY as PERP_GRID
from shared.clock import NS_PER_MS
from shared.instrument import Instrument
from shared.messages import Level, Side, WorkingOrder
from tests.quoter.builders import INSTRUMENT, START_NS, permit, view


class Trader:
    """Asks the strategy again after each change, and remembers for it."""

    def __init__(
        self,
        price: int,
        *,
        strategy: Any = PERP_GRID,
        rules: Instrument = INSTRUMENT,
        position: int = 0,
        **params: Any,
    ) -> None:
        parsed = strategy.params(**params)
        assert parsed.problem() == ""
        self.rules = rules
        self.strategy = strategy
        self.plan = strategy.plan(parsed, rules)
        self.memory: Any = Kept()
        self.position = position
        self.now_ns = START_NS
        self.price = price
        self.working: tuple[WorkingOrder, ...] = ()
        self.limits: dict[str, Any] = {"max_long": 10**9, "max_short": 10**9, "max_order": 10**9}
        self.equity_usd = 1_000.0
        self.wanted: Wanted = self.ask_again()

    def ask_again(self) -> Wanted:
        market = view(
            now_ns=self.now_ns, instrument=self.rules, bid=self.price - 1, ask=self.price + 1,
            position=self.position, permit=permit(**self.limits), working=self.working,
            equity_usd=self.equity_usd,
        )  # fmt: skip
        self.wanted = self.strategy.quote(market, self.plan, self.memory)
        self.memory = self.wanted.memory
        return self.wanted

    def move(self, price: int, *, settle_ms: int = 0) -> Wanted:
        """Let the price be elsewhere, for so long."""
        self.price = price
        self.ask_again()
        if settle_ms:
            self.now_ns += settle_ms * NS_PER_MS
            self.ask_again()
        return self.wanted

    def fill(self, side: Side, price: int, lots: int | None = None) -> Wanted:
        """Fill what rests there, or a part of it: the price is there, the position confirmed."""
        resting = dict(self.bids if side is Side.BUY else self.asks)
        self.position += side.sign * (resting[price] if lots is None else lots)
        self.price = price
        return self.ask_again()

    def restart(self) -> Wanted:
        self.memory = Kept()
        return self.ask_again()

    def _of(self, side: Side) -> list[tuple[int, int]]:
        return [(level.price, level.size) for level in self.wanted.levels if level.side is side]

    @property
    def levels(self) -> tuple[Level, ...]:
        return self.wanted.levels

    @property
    def bids(self) -> list[tuple[int, int]]:
        return self._of(Side.BUY)

    @property
    def asks(self) -> list[tuple[int, int]]:
        return self._of(Side.SELL)
