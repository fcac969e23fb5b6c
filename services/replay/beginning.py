"""How a machine begins: everybody asks for what it needs, every timer starts, a little apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from services.replay.desk_link import DeskLink
from services.replay.parts import Parts
from services.replay.risk_duty import CHECK_NS
from services.signals.core import Signals
from shared.bus import HEARTBEAT_NS
from shared.clock import NS_PER_MS
from shared.messages import Message

if TYPE_CHECKING:
    from services.replay.machine import Machine

#: timers begin apart, as processes do
STAGGER_NS = 1_300_000


def watch_signals(signals: Signals, parts: Parts) -> bool:
    """Have the signals computed that some quoter needs; return whether there are any."""
    is_wanted = False
    for settings in parts.quoters:
        needs = settings.strategy.needs(settings.params)
        if needs.flow or needs.volatility or needs.intensity:
            signals.watch(settings.venue, settings.symbol)
            is_wanted = True
    return is_wanted


def begin(machine: Machine, parts: Parts, with_signals: bool, now_ns: int) -> None:
    """Start every core and its timer."""
    agenda, risk, signals = machine.agenda, machine.risk, machine.signals
    for settings in parts.quoters:
        risk.watch(settings.account, settings.symbol)
        risk.set_quoted(settings.account, settings.symbol, True)
    for symbol, account in parts.legs.items():
        risk.watch(account, symbol)
    machine.publish(list(risk.on_halts({}, now_ns, True)), now_ns)
    for link in machine.links.values():
        link.start(now_ns)
        agenda.every(now_ns + STAGGER_NS, link.core.timer_ns, link.on_timer)
    for symbol, account in machine.account_of.items():
        _ask(machine, machine.links[account], symbol, now_ns + NS_PER_MS)
    for number, core in enumerate(machine.quoters.values()):
        agenda.every(now_ns + (2 + number) * STAGGER_NS, core.timer_ns, _timer(machine, core.on_timer))
    agenda.every(now_ns + risk.timer_ns, risk.timer_ns, _timer(machine, risk.on_timer))
    agenda.every(now_ns + CHECK_NS, CHECK_NS, machine.duty.check)
    if with_signals:
        agenda.every(now_ns + signals.timer_ns, signals.timer_ns, _timer(machine, signals.on_timer))
    agenda.every(now_ns + HEARTBEAT_NS, HEARTBEAT_NS, machine.heartbeat)


def _ask(machine: Machine, link: DeskLink, symbol: str, due_ns: int) -> None:
    """Ask execution for a symbol, as a quoter does, until that knows it."""

    def demand(now_ns: int, _argument: None) -> None:
        if link.core.desk.symbol(symbol) is None:
            machine.agenda.at(now_ns + NS_PER_MS, demand)
        else:
            link.do(link.core.on_demand(symbol, now_ns), now_ns)

    machine.agenda.at(due_ns, demand)


def _timer(machine: Machine, on_timer: Callable[[int], Iterable[Message]]) -> Callable[[int], None]:
    def tick(now_ns: int) -> None:
        messages = on_timer(now_ns)
        if messages:
            machine.publish(list(messages), now_ns)

    return tick
