"""The console's ear: one subscriber to every process of a deployment."""

from __future__ import annotations

import time
from collections.abc import Callable

import zmq

from services.console.bus.board import ACCOUNT_KINDS, MARKET_KINDS, Board
from shared.bus import Addresses, Inbox
from shared.clock import NS_PER_MS, NS_PER_S, SystemClock
from shared.config import Config
from shared.messages import Depth, Message, Permit, Quotes, Target, Trade


class Ear:
    """Listens to a deployment; `listen` fills the board. Prefixes only, so that nothing looks like demand."""

    def __init__(self, config: Config) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.clock = SystemClock()
        self.inbox = Inbox(self._context, self.clock)
        self.board = Board(config)
        #: also told of every message, with the time it was taken in
        self.on_message: Callable[[Message, int], None] | None = None
        self._addresses = Addresses(config.run_dir, config.addresses)
        self._config = config
        for venue in config.venues:
            self.inbox.connect(self._addresses.of(f"marketdata.{venue}"))
        for account in config.accounts:
            self.inbox.connect(self._addresses.of(f"execution.{account}"))
        self.inbox.connect(self._addresses.of("risk"))
        self.inbox.connect(self._addresses.of("signals"))
        self._quoters: set[str] = set()
        self.follow_quoters()

    def subscribe_for_board(self) -> None:
        for kind in (*MARKET_KINDS, *ACCOUNT_KINDS, Quotes, Permit, Target):
            self.inbox.subscribe(kind)

    def subscribe_for_books(self) -> None:
        """Listen also to what only the statistics of a run need."""
        self.inbox.subscribe(Trade)
        self.inbox.subscribe(Depth)  # what is behind where our orders alone are the best

    def follow_quoters(self) -> None:
        """Listen also to the quoters that were added since."""
        for symbol in [symbol for symbol in self._config.quoters if symbol not in self._quoters]:
            self._quoters.add(symbol)
            self.inbox.connect(self._addresses.of(f"quoter.{symbol}"))

    def listen(self, for_s: float, until: Callable[[], bool] = lambda: False) -> None:
        """Take in what arrives for a while, or until `until()` is true."""
        deadline_ns = time.monotonic_ns() + round(for_s * NS_PER_S)
        while not until():
            left_ms = (deadline_ns - time.monotonic_ns()) // NS_PER_MS
            if left_ms <= 0:
                return
            if self.inbox.socket.poll(min(left_ms, 50)):
                self._take(self.inbox.drain(), time.monotonic_ns())

    def _take(self, messages: list[Message], now_ns: int) -> None:
        self.board.on_messages(messages, now_ns)
        if self.on_message is not None:
            for message in messages:
                self.on_message(message, now_ns)

    def close(self) -> None:
        self.inbox.close()
        self._context.term()
