"""Market events a second of a replay: every core, decisions and fills included, reading excluded.

The recorded ETHUSDT perpetual where it lies beside the checkout, else the synthetic market. What
market data makes of the frames (parsing, joining, Tops and Depths) is read beforehand; what is
measured is venue, quoter, risk, signals and execution on one processor, without the ledger of the
report but for the case of that name. Each case is one run after a run that is not measured.
"""

from __future__ import annotations

import gc
import time
from typing import Any

import msgspec

from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import MarketView, Memory, Needs, Params, Strategy, Wanted
from services.replay.assembly import assemble, build
from services.replay.settings import parse_replay
from services.replay.sources.marks import with_marks
from services.replay.sources.opening import open_data
from services.replay.venue.queue import FillModel
from services.replay.watching import Ledgers
from shared.config import Config
from shared.messages import Fill, Level, Message, OrderUpdate, Side
from shared.venues.base import VenueFunding
from tests.bench.costs import RECORDING, SYMBOL, config_of
from tests.bench.results import Result

SYNTHETIC_S = 300.0
REPLACER = "bench_replacer"
LEDGER = "_with_ledger"
#: from the best price of others, ticks
REACH = 20
#: what is asked of it, events a second
LEAST, LEAST_REPLACED = 100_000, 20_000
Feed = list[tuple[int, Message]]


class Seen(Memory, frozen=True, gc=False):
    """The book that was quoted on last, and how often it has changed."""

    book: tuple[int, int, int, int] = (0, 0, 0, 0)
    changes: int = 0


class Count:
    """A listener that counts: the ledger of the report is a case of its own."""

    def __init__(self) -> None:
        self.orders: set[int] = set()
        self.fills = 0

    def on_market(self, _message: Message, _shown: Message, _now_ns: int) -> None:
        """The market is counted by the caller."""

    def on_published(self, message: Message, _now_ns: int) -> None:
        if isinstance(message, OrderUpdate):
            self.orders.add(message.client_order_id)
        elif isinstance(message, Fill):
            self.fills += 1

    def on_funding(self, payment: VenueFunding, now_ns: int) -> None:
        """Money is not measured."""


def replace_both(view: MarketView, _plan: Any, memory: Seen) -> Wanted:
    """Want both sides elsewhere whenever anything about the best prices has changed."""
    book = (view.bid, view.bid_size, view.ask, view.ask_size)
    changes = memory.changes + (book != memory.book)
    reach = REACH + changes % 2
    levels = (Level(Side.BUY, view.bid - reach, 20), Level(Side.SELL, view.ask + reach, 20))
    return Wanted(levels, False, "replacing", Seen(book, changes))


def measure(quick: bool) -> list[Result]:
    """Return events a second of each case."""
    STRATEGIES[REPLACER] = Strategy(REPLACER, Params, replace_both, Seen(), lambda _params: Needs())
    try:
        events, infos, where = _read(quick)
        ticks = {"quantity": 0.1, "half_spread_ticks": 12}
        cases = (
            ("replay_two_sided", config_of("two_sided", ticks), "two_sided, 12 ticks a side", LEAST),
            (f"replay_two_sided{LEDGER}", config_of("two_sided", ticks), "the same, reported on", None),
            (
                "replay_two_sided_each_tick",
                config_of("two_sided", ticks | {"refresh_interval_s": 0.01}),
                "12 ticks a side, prices follow every tick at once",
                None,
            ),
            (
                "replay_join_best",
                config_of("two_sided", {"size_usd": 400, "join_best": True, "refresh_interval_s": 0.1}),
                "two_sided at the best prices, as the paper deployment: many fills",
                None,
            ),
            (
                "replay_replacing",
                _at(5.0, config_of(REPLACER, {})),
                "both sides replaced on every event",
                LEAST_REPLACED,
            ),
            (
                "replay_replacing_fast",
                _at(0.05, config_of(REPLACER, {})),
                "the same at a venue 0.05 ms away: more orders reach it",
                None,
            ),
        )
        return [
            _case(name, config, f"{note}; {where}", events, infos, least)
            for name, config, note, least in cases
        ]
    finally:
        del STRATEGIES[REPLACER]


def _at(ms: float, config: Config) -> Config:
    """Return the configuration at a venue so far away, which takes any number of requests."""
    latency = {"feed_ms": 1.0, "hop_ms": min(ms, 0.25), "order_ms": ms, "reply_ms": ms}
    execution = {"requests_per_min": 1_000_000}
    return msgspec.structs.replace(config, replay={"latency": latency}, execution=execution)


def _read(quick: bool) -> tuple[Feed, dict[str, Any], str]:
    data = str(RECORDING) if RECORDING.exists() else "synthetic:7"
    config = config_of("two_sided", {"quantity": 0.1})
    source = open_data([data], config, parse_replay(config.replay), SYNTHETIC_S)[SYMBOL][0]
    events = list(with_marks(source.messages(), source.instrument()))
    where = "recorded ETHUSDT perpetual" if RECORDING.exists() else "synthetic market"
    return events[: 20_000 if quick else None], {SYMBOL: source.instrument()}, where


def _case(
    name: str, config: Config, note: str, events: Feed, infos: dict[str, Any], least: int | None
) -> Result:
    with_ledger = name.endswith(LEDGER)
    _run(config, events[:5_000], infos, with_ledger)
    elapsed_s, orders, fills = _run(config, events, infos, with_ledger)
    rate = len(events) / elapsed_s
    note = f"{note}; {orders} orders, {fills} fills"
    if least is not None:
        note += f"; bound: at least {least}: {'met' if rate >= least else 'MISSED'}"
    return Result(name, "events/s", len(events), value=round(rate), note=note)


def _run(
    config: Config, events: Feed, infos: dict[str, Any], with_ledger: bool = False
) -> tuple[float, int, int]:
    """Return processor seconds, orders and fills of one replay."""
    start_ns = events[0][0]
    count = Count()
    listener = Ledgers(infos, start_ns, {}) if with_ledger else count
    machine = build(assemble(config, (SYMBOL,)), FillModel.QUEUE, listener, start_ns)
    on_market = machine.on_market
    gc.collect()
    gc.freeze()
    began_s = time.process_time()
    for now_ns, message in events:
        on_market(message, now_ns)
    elapsed_s = time.process_time() - began_s
    gc.unfreeze()
    if isinstance(listener, Ledgers):
        activity = listener.stats[SYMBOL].report().activity
        return elapsed_s, activity.orders_placed, activity.fills
    return elapsed_s, len(count.orders), count.fills
