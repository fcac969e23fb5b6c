"""Cancels that lie: answered and not executed, or confirmed while the order has been filled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from services.exchange.control.faults import Fault
from services.exchange.model import Order, OrderEvent, OrderEventKind, OrderStatus
from services.exchange.protocols.backpack.context import Context, ok
from services.exchange.protocols.backpack.render import account as render
from services.exchange.wire.http_listener import Reply

FillOrder = Callable[[Order], None]


class CancelFaults:
    """Answers a cancel in the engine's place while such a fault is in force.

    fill_order  makes an internal participant trade with the order until it is filled
    on_event    the private streams' handler of order events
    """

    def __init__(
        self, context: Context, fill_order: FillOrder, on_event: Callable[[OrderEvent], None]
    ) -> None:
        self._context = context
        self._fill_order = fill_order
        self._on_event = on_event

    async def answer(self, order: Order) -> Reply | None:
        """Return the false answer to a cancel of `order`, or None if no fault bites."""
        faults, scope = self._context.faults, {"symbol": order.symbol, "account": order.account}
        if (fault := faults.bite("drop_cancel", **scope)) is not None:
            return await self._ignore(order, fault)
        if (fault := faults.bite("fill_after_cancel", **scope)) is not None:
            return self._confirm_then_fill(order, fault)
        return None

    async def _ignore(self, order: Order, fault: Fault) -> Reply:
        await asyncio.sleep(float(fault.params["delay_s"]))
        if fault.params["status"] == 202:
            return Reply(202, b"")
        return self._confirmation(replace(order, status=OrderStatus.CANCELLED))

    def _confirm_then_fill(self, order: Order, fault: Fault) -> Reply:
        """The order is filled now; its owner hears of the cancel now and of the fill later."""
        cancelled = replace(order, status=OrderStatus.CANCELLED)
        broadcaster = self._context.broadcaster
        self._on_event(OrderEvent(OrderEventKind.CANCELLED, cancelled, None, self._context.clock.wall_ns()))
        hold = broadcaster.hold(order.account)
        self._fill_order(order)
        delay_s = float(fault.params["delay_s"])
        asyncio.get_running_loop().call_later(delay_s, broadcaster.release, hold)
        return self._confirmation(cancelled)

    def _confirmation(self, cancelled: Order) -> Reply:
        return ok(render.order(cancelled, self._context.listed[cancelled.symbol]))
