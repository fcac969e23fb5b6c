"""Run a replay: read the market once, let every fill model's machine live through it."""

from __future__ import annotations

import gc
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from operator import itemgetter

from services.replay.assembly import Assembly, assemble, build
from services.replay.machine import Machine
from services.replay.sources.base import Gap, Source
from services.replay.sources.marks import with_marks
from services.replay.venue.queue import FillModel
from services.replay.watching import Ledgers
from shared.accounting.report import Report
from shared.clock import NS_PER_S
from shared.config import Config
from shared.errors import BadInput
from shared.messages import InstrumentInfo, Message

STOP_NS = 10 * NS_PER_S
#: events between two looks at how far the replay is
_REPORT_EVERY = 4_096
Feed = Iterator[tuple[int, Message]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fill model made of it.

    reports      symbol -> what its session came to
    difference   symbol -> venue's account minus our ledger, quote units; all 0 when everything was told
    is_clean     every order was confirmed cancelled at the end
    alerts       what execution would have logged, oldest first, at most some hundred
    pauses       why nothing was quoted -> how often that began
    """

    model: FillModel
    reports: Mapping[str, Report]
    difference: Mapping[str, Decimal]
    is_clean: bool
    alerts: tuple[str, ...]
    pauses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Replayed:
    """All of a replay. gaps: symbol -> holes of its recording."""

    outcomes: tuple[Outcome, ...]
    gaps: Mapping[str, tuple[Gap, ...]]
    event_count: int
    start_ns: int
    end_ns: int


class Run:
    """The machines of one replay."""

    def __init__(
        self,
        assembly: Assembly,
        infos: Mapping[str, InstrumentInfo],
        models: Sequence[FillModel],
        now_ns: int,
    ) -> None:
        self.start_ns = now_ns
        self._infos = infos
        self._cash = Decimal(str(assembly.settings.equity))
        self.ledgers = [Ledgers(infos, now_ns) for _ in models]
        self.machines = [
            build(assembly, model, ledgers, now_ns)
            for model, ledgers in zip(models, self.ledgers, strict=True)
        ]
        self._models = models

    def finish(self, now_ns: int) -> tuple[Outcome, ...]:
        """Stop every machine and return what each came to."""
        return tuple(
            self._outcome(model, machine, ledgers, machine.stop(now_ns, STOP_NS))
            for model, machine, ledgers in zip(self._models, self.machines, self.ledgers, strict=True)
        )

    def _outcome(self, model: FillModel, machine: Machine, ledgers: Ledgers, is_clean: bool) -> Outcome:
        reports = {symbol: stats.report() for symbol, stats in ledgers.stats.items()}
        alerts = [
            f"{(at_ns - self.start_ns) / NS_PER_S:.3f} s: {alert.event} {dict(alert.fields)}"
            for link in machine.links.values()
            for at_ns, alert in link.alerts
            if alert.is_error
        ]
        return Outcome(
            model, reports, self._difference(machine, reports), is_clean, tuple(alerts),
            ledgers.quotes_reasons,
        )  # fmt: skip

    def _difference(self, machine: Machine, reports: Mapping[str, Report]) -> dict[str, Decimal]:
        """Return, for each account, what it has won at the venue less what the ledgers say."""
        found = {}
        for account, link in machine.links.items():
            venue = link.venue
            own = venue.accounts[account]
            won = own.cash - self._cash
            for symbol, lots in own.positions.items():
                market = venue.markets[symbol]
                if market.bid is None or market.ask is None:
                    continue
                bought = lots - market.instrument.lots_floor(reports[symbol].start_position)
                won += bought * market.unit_value * (market.bid + market.ask) / 2
            nets = [reports[symbol].money.net for symbol, of in machine.account_of.items() if of == account]
            found[account] = won - sum((net for net in nets if net is not None), Decimal(0))
        return found


def replay(
    config: Config, sources: Mapping[str, Sequence[Source]], models: Sequence[FillModel] = tuple(FillModel),
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
) -> Replayed:  # fmt: skip
    """Replay each symbol's recordings, one after the other, all symbols together.

    on_progress  is told now and then how many bytes of the files have been read
    Raises: BadInput
    """
    assembly = assemble(config, tuple(sources))
    infos = {symbol: _rules_of(symbol, files) for symbol, files in sources.items()}
    merged = _merged(sources)
    first = next(merged, None)
    if first is None:
        raise BadInput("the data hold no event")
    run = Run(assembly, infos, models, first[0])
    feeds = [machine.on_market for machine in run.machines]
    count, now_ns = 0, first[0]
    gc.collect()
    gc.freeze()  # a collection over the start-up heap again and again would slow everything down
    try:
        for now_ns, message in chain((first,), merged):
            for feed in feeds:
                feed(message, now_ns)
            count += 1
            if not count % _REPORT_EVERY:
                on_progress(sum(source.position() for files in sources.values() for source in files))
    finally:
        gc.unfreeze()
    outcomes = run.finish(now_ns)
    gaps = {symbol: tuple(gap for file in files for gap in file.gaps()) for symbol, files in sources.items()}
    return Replayed(outcomes, gaps, count, first[0], now_ns)


def _rules_of(symbol: str, files: Sequence[Source]) -> InstrumentInfo:
    infos = [file.instrument() for file in files]
    for file, info in zip(files, infos, strict=True):
        if info != infos[0]:
            raise BadInput(
                f"{file.name}: trading rules differ from those of {files[0].name}: give replay.rules.{symbol}"
            )
    return infos[0]


def _merged(sources: Mapping[str, Sequence[Source]]) -> Feed:
    """Return the messages of all symbols in the order of time."""
    feeds = [_in_order(files) for files in sources.values()]
    return feeds[0] if len(feeds) == 1 else heapq.merge(*feeds, key=itemgetter(0))


def _in_order(files: Sequence[Source]) -> Feed:
    """Yield one file after the other. Raises: BadInput when one begins before the end of the last."""
    last_ns = 0
    for file in files:
        for now_ns, message in with_marks(file.messages(), file.instrument()):
            if now_ns < last_ns:
                raise BadInput(
                    f"{file.name}: begins before the end of the file before it: order them by time"
                )
            last_ns = now_ns
            yield now_ns, message
