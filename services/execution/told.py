"""What is told of a symbol: published where it differs from what was told last."""

from __future__ import annotations

from services.execution.desk import Desk
from services.execution.gate import Gate
from services.execution.symbols import Symbol
from shared.messages import Working


def tell_touched(desk: Desk, gate: Gate) -> None:
    """Publish what has changed of the symbols that something happened to; the heartbeat repeats the rest."""
    for symbol in desk.touched.values():
        working = working_of(desk, gate, symbol)
        if working != symbol.told_working:
            symbol.told_working = working
            desk.outbox.append(working)
    desk.touched.clear()


def working_of(desk: Desk, gate: Gate, symbol: Symbol) -> Working:
    """Return what rests on a symbol, and why something does not, as of now."""
    orders = tuple([order.to_working() for order in symbol.orders.live.values()])
    return Working(desk.account, symbol.name, orders, tuple(symbol.rejects.values()), gate.state_of(symbol))
