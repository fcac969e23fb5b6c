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
from services.replay.sources.base import MAX_STEP_AHEAD_NS, Gap, Source
from services.replay.sources.marks import with_marks
from services.replay.venue.account import base_of
from services.replay.venue.queue import FillModel
from services.replay.watching import Ledgers
from shared.accounting.money.exact import add, multiply, subtract
from shared.accounting.report import Report
from shared.clock import NS_PER_S
from shared.config import Config
from shared.errors import BadInput, Refused
from shared.instrument import Instrument
from shared.messages import FeedState, FeedStatus, InstrumentInfo, Message

STOP_NS = 10 * NS_PER_S
#: between the end of a file and the beginning of the next; longer is a gap
LONGEST_PAUSE_NS = NS_PER_S
#: nothing happened for longer: everything comes to rest in so much, and is up to date again in as much
LONGEST_IDLE_NS = MAX_STEP_AHEAD_NS
SETTLE_NS = 60 * NS_PER_S
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
        held = {symbol: Decimal(str(amount)) for symbol, amount in assembly.settings.held.items()}
        self.ledgers = [Ledgers(infos, now_ns, held) for _ in models]
        self.machines = [
            build(assembly, model, ledgers, now_ns)
            for model, ledgers in zip(models, self.ledgers, strict=True)
        ]
        self._models = models

    def pass_idle(self, from_ns: int, until_ns: int) -> None:
        """Pass a time without data: days of nothing are not lived through timer by timer."""
        for machine in self.machines:
            machine.run_until(from_ns + SETTLE_NS)
            machine.agenda.skip(until_ns - SETTLE_NS)

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
        alerts += [
            f"{(at_ns - self.start_ns) / NS_PER_S:.3f} s: {text}" for at_ns, text in machine.duty.alerts
        ]
        return Outcome(
            model, reports, self._difference(machine, ledgers), is_clean, tuple(alerts),
            ledgers.quotes_reasons,
        )  # fmt: skip

    def _difference(self, machine: Machine, ledgers: Ledgers) -> dict[str, Decimal]:
        """Return, for each account, what it has won at the venue less what the ledgers say.

        Both are valued at the ledgers' mids: what differs is what was told, not when it was looked at.
        """
        found = {}
        for account, link in machine.links.items():
            own = link.venue.accounts[account]
            difference = subtract(own.cash, self._cash)
            for symbol in (symbol for symbol, of in machine.account_of.items() if of == account):
                ledger = ledgers.stats[symbol].ledger
                if ledger.profit is None or ledger.mid is None or symbol not in own.positions:
                    continue
                lots = Decimal(own.positions[symbol]) * base_of(link.venue.markets[symbol])
                difference = add(difference, multiply(lots, ledger.mid))
                difference = subtract(difference, add(ledger.profit, ledger.begun_with))
            found[account] = difference
        return found


def replay(
    config: Config, sources: Mapping[str, Sequence[Source]], models: Sequence[FillModel] = tuple(FillModel),
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
) -> Replayed:  # fmt: skip
    """Replay each symbol's recordings, one after the other, all symbols together.

    on_progress  is told now and then how much of the sources has been read, in the units of their sizes
    Raises: BadInput
    """
    assembly = assemble(config, tuple(sources))
    infos = {symbol: _rules_of(symbol, files) for symbol, files in sources.items()}
    gaps: dict[str, list[Gap]] = {symbol: [] for symbol in sources}
    merged = _merged(sources, gaps)
    first = next(merged, None)
    if first is None:
        raise BadInput("the data hold no event")
    run = Run(assembly, infos, models, first[0])
    feeds = [machine.on_market for machine in run.machines]
    count, now_ns = 0, first[0]
    idle_ns = now_ns + LONGEST_IDLE_NS
    gc.collect()
    gc.freeze()  # a collection over the start-up heap again and again would slow everything down
    try:
        for now_ns, message in chain((first,), merged):
            if now_ns > idle_ns:
                run.pass_idle(idle_ns - LONGEST_IDLE_NS, now_ns)
            idle_ns = now_ns + LONGEST_IDLE_NS
            for feed in feeds:
                feed(message, now_ns)
            count += 1
            if not count % _REPORT_EVERY:
                on_progress(sum(source.position() for files in sources.values() for source in files))
    finally:
        gc.unfreeze()
    outcomes = run.finish(now_ns)
    for symbol, files in sources.items():
        gaps[symbol] += [gap for file in files for gap in file.gaps()]
    found = {symbol: tuple(sorted(met, key=lambda gap: gap.begin_ns)) for symbol, met in gaps.items()}
    return Replayed(outcomes, found, count, first[0], now_ns)


def _rules_of(symbol: str, files: Sequence[Source]) -> InstrumentInfo:
    infos = [file.instrument() for file in files]
    for file, info in zip(files, infos, strict=True):
        if info != infos[0]:
            raise BadInput(
                f"{file.name}: trading rules differ from those of {files[0].name}: give replay.rules.{symbol}"
            )
    try:
        Instrument.from_info(infos[0])
    except Refused as refused:
        raise BadInput(f"{files[0].name}: trading rules cannot be used: {refused}") from None
    return infos[0]


def _merged(sources: Mapping[str, Sequence[Source]], gaps: Mapping[str, list[Gap]]) -> Feed:
    """Return the messages of all symbols in the order of time."""
    feeds = [_in_order(files, gaps[symbol]) for symbol, files in sources.items()]
    return feeds[0] if len(feeds) == 1 else heapq.merge(*feeds, key=itemgetter(0))


def _in_order(files: Sequence[Source], gaps: list[Gap]) -> Feed:
    """Yield one file after the other, rules first; between two of them is nothing, or a gap.

    Raises: BadInput when one begins before the end of the last.
    """
    last_ns = 0
    for file in files:
        info = file.instrument()
        messages = with_marks(file.messages(), info)
        first = next(messages, None)
        if first is None:
            continue
        if first[0] < last_ns:
            raise BadInput(f"{file.name}: begins before the end of the file before it: order them by time")
        if last_ns and first[0] - last_ns > LONGEST_PAUSE_NS:
            gap = Gap(last_ns, f"no data between two files for {(first[0] - last_ns) / NS_PER_S:.1f} s")
            gap.end_ns = first[0]
            gaps.append(gap)
            due_ns = last_ns + LONGEST_PAUSE_NS
            yield due_ns, FeedState(info.scope, info.symbol, FeedStatus.STALE, gap.reason, last_ns, 0)
        yield first[0], info  # again where the file begins with it: it changes nothing
        for last_ns, message in chain((first,), messages):
            yield last_ns, message
