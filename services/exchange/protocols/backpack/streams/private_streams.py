"""Private streams: order, position and balance events to their account's sockets.

Each exists for all markets and, with the symbol appended, for one.

Source: the venue's OpenAPI document, "Streams"; `account.balanceUpdate` since 2026-08.
"""

from __future__ import annotations

from services.exchange.model import BalanceEvent, OrderEvent, PositionEvent, PositionState
from services.exchange.protocols.backpack.context import Context
from services.exchange.protocols.backpack.render.stamps import NS_PER_US, to_us
from services.exchange.protocols.backpack.rest.account import exposure_lots
from services.exchange.protocols.backpack.streams import private_frames as frames
from services.exchange.protocols.backpack.streams.public_frames import envelope
from services.exchange.wire.sockets import ClientSocket, Stream

ORDERS, POSITIONS, BALANCES = "account.orderUpdate", "account.positionUpdate", "account.balanceUpdate"
KINDS = (ORDERS, POSITIONS, BALANCES)


class PrivateStreams:
    """Renders account events and delivers them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._streams: dict[tuple[str, str], Stream] = {}

    def stream(self, account: str, kind: str, symbol: str | None) -> Stream:
        """Return the stream of one account, made when first asked for."""
        name = kind if symbol is None else f"{kind}.{symbol}"
        stream = self._streams.get((account, name))
        if stream is None:
            stream = self._streams[account, name] = Stream(name, kind, symbol, account)
        return stream

    def on_order(self, event: OrderEvent) -> None:
        order = event.order
        streams = self._listeners(order.account, ORDERS, order.symbol)
        if streams:
            listed = self._context.listed[order.symbol]
            self._deliver(streams, frames.order_update(event, listed, self._event_us()), order.symbol)

    def on_position(self, event: PositionEvent) -> None:
        state = event.position
        streams = self._listeners(state.account, POSITIONS, state.symbol)
        if streams:
            exposure = exposure_lots(self._context.venue, state)
            stamps_us = (self._event_us(), to_us(event.engine_ns))
            listed = self._context.listed[state.symbol]
            data = frames.position_update(state, exposure, listed, event.kind, stamps_us)
            self._deliver(streams, data, state.symbol)

    def on_balance(self, event: BalanceEvent) -> None:
        streams = self._listeners(event.balance.account, BALANCES, event.balance.asset)
        if streams:
            self._deliver(streams, frames.balance_update(event, self._event_us()), None)

    def greet(self, stream: Stream, socket: ClientSocket) -> None:
        """Tell a new subscriber of positions what is open; these frames carry no event name."""
        if stream.kind != POSITIONS or stream.account is None:
            return
        for state in self._context.venue.positions(stream.account):
            if state.quantity and stream.symbol in (None, state.symbol) and not self._is_silent(state):
                event_us = self._event_us()
                exposure = exposure_lots(self._context.venue, state)
                listed = self._context.listed[state.symbol]
                data = frames.position_update(state, exposure, listed, None, (event_us, event_us))
                socket.send(envelope(data, stream))

    def _is_silent(self, state: PositionState) -> bool:
        faults = self._context.faults
        if faults.is_empty:
            return False
        return faults.bite("silent_private", symbol=state.symbol, account=state.account) is not None

    def _listeners(self, account: str, kind: str, scope: str) -> list[Stream]:
        found = (self._streams.get((account, kind)), self._streams.get((account, f"{kind}.{scope}")))
        return [stream for stream in found if stream is not None and stream.sockets]

    def _deliver(self, streams: list[Stream], data: bytes, symbol: str | None) -> None:
        for stream in streams:
            self._context.broadcaster.deliver(stream, envelope(data, stream), symbol)

    def _event_us(self) -> int:
        return self._context.clock.wall_ns() // NS_PER_US
