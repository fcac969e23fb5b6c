"""The private stream: our orders, fills, positions and balances as they happen.

The venue acknowledges no subscription; only an error is answered. So the stream counts as
connected once the venue has answered a ping that was sent after the subscription, with no
error before it. Nothing here is proof of completeness: whoever listens reads orders, fills
and positions by REST after each connect, and now and then besides.
"""

from __future__ import annotations

import logging

import orjson

from shared.clock import Clock
from shared.errors import Unknown
from shared.loop import Loop
from shared.net.stream import StreamListener, WebSocketStream
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.account_mapper import private_events
from shared.venues.backpack.signer import Signer
from shared.venues.clock_offset import ClockOffset
from shared.venues.private_stream import PrivateListener

STREAMS = ("account.orderUpdate", "account.positionUpdate", "account.balanceUpdate")
log = logging.getLogger("backpack.private")


class BackpackPrivateFeed(StreamListener):
    """Keeps one signed stream open; reconnects by itself."""

    def __init__(
        self, loop: Loop, clock: Clock, endpoints: Endpoints, keys: Keys, offset: ClockOffset,
        listener: PrivateListener,
    ) -> None:  # fmt: skip
        self._signer = Signer(keys)
        self._offset = offset
        self._listener = listener
        # everybody may connect: only an accepted subscription ends the growing delays
        self._stream = WebSocketStream(loop, clock, lambda: endpoints.ws_url, self, is_good_when_open=False)
        self.is_connected = False

    def start(self) -> None:
        self._stream.start()

    def close(self) -> None:
        """Close for good; nothing more is reported."""
        self._stream.close()
        self.is_connected = False

    # --- the stream's events ---

    def on_open(self) -> None:
        request = {
            "method": "SUBSCRIBE",
            "params": list(STREAMS),
            "signature": self._signer.subscription(self._offset.timestamp_ms()),
        }
        self._stream.send_text(orjson.dumps(request))
        self._stream.ping()

    def on_pong(self) -> None:
        if not self.is_connected:
            self.is_connected = True
            self._stream.settled()
            self._listener.on_private_connected()

    def on_frames(self, frames: list[bytes], recv_ns: int) -> None:
        for frame in frames:
            try:
                events = private_events(frame)
            except Unknown as error:
                log.warning("private stream dropped", extra={"reason": str(error)})
                self._stream.reconnect(str(error))  # what it said must be read by REST
                return
            if events:
                self._listener.on_private_events(events, recv_ns)

    def on_closed(self, reason: str) -> None:
        if self.is_connected:
            self.is_connected = False
            self._listener.on_private_disconnected(reason)
