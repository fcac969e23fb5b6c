"""A replay as it runs, with everything in reach: what was published, what the strategy saw, what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.quoter.strategies.base import MarketView, Wanted
from services.replay.assembly import Assembly, assemble, build
from services.replay.machine import Machine
from services.replay.sources.base import Gap
from services.replay.sources.synthetic import SyntheticSource
from services.replay.venue.queue import FillModel
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import InstrumentInfo, Message, OrderUpdate, Quotes, Top
from shared.venues.base import VenueFunding
from tests.replay.market import START_NS, SYMBOL, VENUE, config_of, depth, feed, info_of, mark, top

Feed = list[tuple[int, Message]]


class Script:
    """A source whose messages are a test's own."""

    size = 0

    def __init__(self, messages: Iterable[tuple[int, Message]], info: InstrumentInfo | None = None) -> None:
        self.name = "script"
        self._messages = list(messages)
        self._info = info or info_of()

    def instrument(self) -> InstrumentInfo:
        return self._info

    def messages(self) -> Iterator[tuple[int, Message]]:
        return iter(self._messages)

    def gaps(self) -> list[Gap]:
        return []

    def position(self) -> int:
        return 0


def synthetic(seed: int = 7, duration_s: float = 12.0, symbol: str = SYMBOL, scope: str = VENUE) -> Any:
    return [SyntheticSource(scope, symbol, seed, duration_s)]


class Watch:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.published: Feed = []
        self.shown: Feed = []

    def on_market(self, _message: Message, shown: Message, now_ns: int) -> None:
        self.shown.append((now_ns, shown))

    def on_published(self, message: Message, now_ns: int) -> None:
        self.published.append((now_ns, message))

    def on_funding(self, payment: VenueFunding, now_ns: int) -> None:
        """Money is the account's business."""

    def of(self, kind: type[Any]) -> list[tuple[int, Any]]:
        return [(now_ns, message) for now_ns, message in self.published if isinstance(message, kind)]


class Stage:
    """One machine, one symbol, and a market that the test moves."""

    def __init__(
        self, directory: Path, replay: str = "", strategy: str = "", more: str = "",
        model: FillModel = FillModel.QUEUE,
    ) -> None:  # fmt: skip
        self.views: list[tuple[MarketView, Top | None]] = []
        self.sent: list[int] = []
        self.arrivals: list[int] = []
        self.watch = Watch()
        self.now_ns = START_NS
        assembly = assemble(config_of(directory, replay=replay, strategy=strategy, more=more), (SYMBOL,))
        self.machine: Machine = build(self._seen(assembly), model, self.watch, START_NS)
        self.venue = self.machine.venues[VENUE]
        self._count_orders()
        self.book: tuple[int, int, int, int] = (200_000, 5_000, 200_010, 5_000)

    def _seen(self, assembly: Assembly) -> Assembly:
        (found,) = assembly.parts.quoters
        quote = found.strategy.quote

        def seen(view: MarketView, plan: Any, memory: Any) -> Wanted:
            (quoter,) = self.machine.quoters.values()
            self.views.append((view, quoter._inputs.top))
            return quote(view, plan, memory)

        assembly.parts.quoters = (replace(found, strategy=replace(found.strategy, quote=seen)),)
        return assembly

    def _count_orders(self) -> None:
        place, cancel = self.venue.place, self.venue.cancel

        def placed(account: str, new: Any, now_ns: int) -> Any:
            self.sent.append(new.client_order_id)
            self.arrivals.append(now_ns)
            return place(account, new, now_ns)

        def cancelled(account: str, request: Any, now_ns: int) -> Any:
            self.arrivals.append(now_ns)
            return cancel(account, request, now_ns)

        self.venue.place = placed  # type: ignore[method-assign]
        self.venue.cancel = cancelled  # type: ignore[method-assign]

    def begin(self) -> Stage:
        """Tell the rules and a book, and let a few seconds pass: quotes rest."""
        self.tell(info_of())
        return self.run(4.0)

    def tell(self, *messages: Message) -> Stage:
        for message in messages:
            self.machine.on_market(message, self.now_ns)
        return self

    def run(self, seconds: float, step_ms: int = 100) -> Stage:
        """Let time pass while the market repeats itself."""
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        while self.now_ns < end_ns:
            bid, bid_size, ask, ask_size = self.book
            self.tell(
                top(bid, bid_size, ask, ask_size, self.now_ns),
                depth(((bid, bid_size), (bid - 50, 9)), ((ask, ask_size), (ask + 50, 9)), self.now_ns),
                feed(now_ns=self.now_ns),
                mark((bid + ask) / 200, None, None, self.now_ns),
            )
            self.now_ns += step_ms * NS_PER_MS
        return self

    @property
    def quotes(self) -> Quotes:
        return self.watch.of(Quotes)[-1][1]  # type: ignore[no-any-return]

    @property
    def resting(self) -> list[Any]:
        market = self.venue.markets[SYMBOL]
        return [*market.our_bids, *market.our_asks]

    def statuses(self) -> Sequence[str]:
        return [update.status.name for _, update in self.watch.of(OrderUpdate)]
