"""A risk core and an execution core at a small venue, wired to each other: what is decided is traded."""

from __future__ import annotations

from typing import Any

import msgspec

from services.execution.config import ExecutionConfig
from shared.messages import Fill, Level, Message, Position, Target
from tests.execution.world import LONG_NS, World, ready
from tests.risk.desk import ACCOUNT, SYMBOL, Desk

NEWS = (Fill, Position)


class Loop:
    """Both cores, one symbol of one account; the price is that of the desk's book.

    lag_rounds  what execution tells reaches risk so many rounds later
    """

    def __init__(self, desk: Desk, lag_rounds: int = 0, **config: Any) -> None:
        self.desk = desk
        self.world: World = ready(config=ExecutionConfig(requests_per_min=1_000_000, **config))
        self._told = 0
        self._lag = lag_rounds
        self._late: list[list[Message]] = []
        self.mid = 10_000
        self.quotes: tuple[Level, ...] = ()
        symbol = self.world.core.desk.symbols[SYMBOL]
        self.desk.hear(Position(ACCOUNT, SYMBOL, 0, None, True, symbol.position_seq, 0))

    def turn(self, rounds: int) -> None:
        """Let both work for 100 ms a round."""
        for _ in range(rounds):
            self.desk.run(100)
            self._tell_execution()
            self.world.top(self.mid - 1, self.mid + 1)
            if self.quotes:
                self.world.quote(*self.quotes)
            self.world.run(100, 50)
            news = [m for m in self.world.published[self._told :] if isinstance(m, NEWS)]
            self._told = len(self.world.published)
            self._late.append(news)
            if len(self._late) > self._lag:
                for message in self._late.pop(0):
                    self.desk.hear(message)

    def set_price(self, price: float) -> None:
        self.mid = round(price * 100)
        self.desk.set_price(price, SYMBOL)

    def acquire(self, quote: Level) -> None:
        """Let a quote of ours be filled whole, and nothing be quoted after that."""
        self.quotes = (quote,)
        self.turn(3)
        (order,) = self.world.ours()
        self.world.fill(order, quote.size)
        self.quotes = ()
        self.turn(1)

    @property
    def taken(self) -> list[int]:
        """The signed lots of every order that took, in order."""
        return [fill.side.sign * int(fill.quantity * 100) for fill in self.world.fills if not fill.is_maker]

    def _tell_execution(self) -> None:
        end_ns, target = self.world.now_ns + LONG_NS, self.desk.targets.get((ACCOUNT, SYMBOL))
        permit = msgspec.structs.replace(self.desk.permits[ACCOUNT, SYMBOL], expires_ns=end_ns)
        self.world.do(self.world.core.on_permit(permit, self.world.now_ns))
        if isinstance(target, Target):
            told = msgspec.structs.replace(target, expires_ns=end_ns)
            self.world.do(self.world.core.on_target(told, self.world.now_ns))
