"""A process that breaks down does not leave its orders behind.

When anything escapes from the loop, the state that would tell what is open is not to be
trusted, and the loop is gone. So the venue is asked what carries our tag, that is cancelled by
id, and asked again; blocking, on connections of its own, in bounded time. What that does not
reach, the next start finds.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Mapping
from threading import Thread

from shared.errors import Unknown
from shared.instrument import Instrument
from shared.net.dial import dial
from shared.net.http import BadResponse, Response, ResponseParser
from shared.venues.access import Endpoints
from shared.venues.base import AccountClient, OrderCodec, VenueOrder

#: the whole attempt takes no longer
LIMIT_S = 4.0
#: one request takes no longer, each way
REQUEST_S = 1.0
#: pause between looks at what is still open
LOOK_S = 0.1
CLEAR_LOOKS = 2
READ_SIZE = 64 * 1024
log = logging.getLogger("execution")


class LastResort:
    """Cancels what is ours.

    is_ours        tells our client order ids
    instrument_of  returns the rules of a symbol, or what stands for them
    timestamp_ms   returns the venue's time
    """

    def __init__(
        self, endpoints: Endpoints, account: AccountClient, codec: OrderCodec,
        is_ours: Callable[[int | None], bool], instrument_of: Callable[[str], Instrument],
        timestamp_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        self._url = endpoints.rest_url
        self._account, self._codec = account, codec
        self._is_ours, self._instrument_of, self._timestamp_ms = is_ours, instrument_of, timestamp_ms
        self._socket: socket.socket | None = None
        self.is_confirmed = False

    def run(self, limit_s: float = LIMIT_S) -> bool:
        """Cancel until the venue shows none of our orders; True when it did, in time."""
        thread = Thread(target=self._cancel_all, args=(time.monotonic() + limit_s,), daemon=True)
        thread.start()
        thread.join(limit_s)
        if not self.is_confirmed:
            log.error("the process broke down, and orders of ours may be open")
        return self.is_confirmed

    def _cancel_all(self, until_s: float) -> None:
        clear_looks = 0  # in a row: one answer proves nothing
        while clear_looks < CLEAR_LOOKS and time.monotonic() < until_s:
            try:
                clear_looks = clear_looks + 1 if self._is_clear() else 0
            except (Unknown, OSError, BadResponse) as error:
                log.warning("our orders are not cancelled yet", extra={"error": str(error)})
                self._hang_up()
            time.sleep(LOOK_S)
        self.is_confirmed = clear_looks == CLEAR_LOOKS
        self._hang_up()

    def _is_clear(self) -> bool:
        """Cancel what the venue shows of ours; True when that is nothing."""
        ours = [order for order in self._account.open_orders() if self._is_ours(order.client_order_id)]
        for order in ours:
            self._cancel(order)
        return not ours

    def _cancel(self, order: VenueOrder) -> None:
        """Send a cancel and await its reply; what became of it, the next look tells."""
        assert order.client_order_id is not None
        request = self._codec.cancel(
            self._instrument_of(order.symbol), order.client_order_id, order.venue_order_id,
            self._timestamp_ms(),
        )  # fmt: skip
        if self._socket is None:
            self._socket = dial(self._url, REQUEST_S)
            self._socket.settimeout(REQUEST_S)
        self._socket.sendall(request)
        if not _response(self._socket).keep_alive:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _response(connection: socket.socket) -> Response:
    """Return the next response. Raises: OSError, BadResponse."""
    parser = ResponseParser()
    while True:
        received = connection.recv(READ_SIZE)
        response = parser.feed(received) if received else parser.at_end()
        if response is not None:
            return response
        if not received:
            raise ConnectionResetError("closed before the reply")


def rules_of(known: Mapping[str, Instrument]) -> Callable[[str], Instrument]:
    """Return a look-up of instruments that has a stand-in for those which are not known."""
    return lambda symbol: known.get(symbol) or Instrument.unlisted(symbol)
