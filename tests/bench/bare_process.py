"""One link of the bare chain: `python -m tests.bench.bare_process LINK --run-dir ...`

    receive   websocket -> Top, of every fourth depth frame; its E is cut out, nothing is parsed
    decide    Top -> Quotes of two levels, of every fourth Top
    send      Quotes -> one unsigned placement, its client id the low 32 bits of E in µs

Built of the same parts as the services (stream, process shell, publisher, inbox, order
connections), so that what the services add to it is their logic and nothing else. Not every
frame is answered because not every frame moves the best price, nor every best price a quote:
a chain that is asked more often is warmer, and faster for that reason alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson

from shared.bus import Addresses
from shared.clock import NS_PER_S, NS_PER_US
from shared.messages import Level, Message, Quotes, Side, Top
from shared.net.order_transport import Failure, Reply
from shared.net.orders import OrderConnections
from shared.net.stream import StreamListener, WebSocketStream
from shared.service import Service, run_service
from tests.bench.venue import STAMP_MASK

SCOPE = "backpack"
CONNECTIONS = 16
#: in the measured market, market data publishes a Top for about every fourth depth frame, and
#: the quoter changes its mind at about every fourth Top
DEPTHS_PER_TOP = 4
TOPS_PER_QUOTES = 4
_STAMP = b'"E":'
_STAMP_DIGITS = 16
_DEPTH = b'"e":"depth"'


class Receive(StreamListener):
    """The first process: frames in, Top out."""

    timer_ns = NS_PER_S

    def __init__(self, service: Service, url: str, symbol: str) -> None:
        self._service = service
        self._symbol = symbol
        self._depths = 0
        self._stream = WebSocketStream(service.loop, service.clock, lambda: url, self)
        self._stream.start()

    def on_open(self) -> None:
        streams = [f"{kind}.{self._symbol}" for kind in ("depth", "bookTicker", "trade", "markPrice")]
        self._stream.send_text(orjson.dumps({"method": "SUBSCRIBE", "params": streams}))

    def on_frames(self, frames: list[bytes], recv_ns: int) -> None:
        for frame in frames:
            if _DEPTH in frame:
                self._depths += 1
                if self._depths % DEPTHS_PER_TOP == 0:
                    self._publish(frame, recv_ns)

    def _publish(self, frame: bytes, recv_ns: int) -> None:
        start = frame.index(_STAMP) + len(_STAMP)
        venue_ns = int(frame[start : start + _STAMP_DIGITS]) * NS_PER_US
        self._service.publisher.publish(
            Top(SCOPE, self._symbol, 15000, 1000, 15001, 1000, 1, venue_ns, recv_ns, recv_ns, recv_ns)
        )

    def on_pong(self) -> None:
        return

    def on_closed(self, reason: str) -> None:
        print(f"receive: {reason}", file=sys.stderr)

    def on_timer(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()

    def on_stop(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()


class Decide:
    """The second process: Top in, Quotes out; the frame's stamp travels in `expires_ns`."""

    timer_ns = NS_PER_S
    levels = (Level(Side.BUY, 14995, 100), Level(Side.SELL, 15006, 100))

    def __init__(self) -> None:
        self._tops = 0
        self._seen_ns = 0

    def on_top(self, top: Top, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        if top.cause_ns == self._seen_ns:
            return  # a heartbeat: it is as old as its frame
        self._seen_ns = top.cause_ns
        self._tops += 1
        if self._tops % TOPS_PER_QUOTES == 0:
            yield Quotes("bare", top.symbol, self.levels, False, top.venue_ns, top.cause_ns, "quoting")

    def on_timer(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()

    def on_stop(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()


class Send:
    """The third process: Quotes in, a request out, once per frame."""

    timer_ns = NS_PER_S

    def __init__(self, service: Service, rest_url: str, symbol: str) -> None:
        self._connections = OrderConnections(service.loop, rest_url, CONNECTIONS, service.clock)
        self._host = rest_url.partition("//")[2]
        self._symbol = symbol
        self._sent_for = 0

    def on_quotes(self, quotes: Quotes, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        if quotes.expires_ns != self._sent_for:  # not a heartbeat
            self._sent_for = quotes.expires_ns
            self._connections.send(self._request(quotes.expires_ns // NS_PER_US), _ignore)
        return ()

    def on_timer(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()

    def on_stop(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        return ()

    def _request(self, event_us: int) -> bytes:
        body = (
            f'{{"clientId":{event_us & STAMP_MASK},"orderType":"Limit","postOnly":true,"price":"149.95",'
            f'"quantity":"1","side":"Bid","symbol":"{self._symbol}","timeInForce":"GTC"}}'
        )
        return (
            f"POST /api/v1/order HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def _ignore(_answer: Reply | Failure) -> None:
    return


def serve(link: str, run_dir: Path, ready_file: Path, symbol: str) -> None:
    """Run one link until stopped."""
    ready = orjson.loads(ready_file.read_bytes())
    service = Service(f"bare.{link}", run_dir, Addresses(run_dir))
    if link == "receive":
        service.attach(Receive(service, f"{ready['ws']}/", symbol))
    elif link == "decide":
        service.attach(Decide())
        service.listen_to("bare.receive", Top, scope=SCOPE, symbol=symbol)
    else:
        service.attach(Send(service, ready["rest"], symbol))
        service.listen_to("bare.decide", Quotes, scope="bare", symbol=symbol)
    service.run()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bare_process")
    parser.add_argument("link", choices=("receive", "decide", "send"))
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--symbol", required=True)
    given = parser.parse_args()
    work: Callable[[], None] = lambda: serve(given.link, given.run_dir, given.ready_file, given.symbol)  # noqa: E731
    return run_service(f"bare.{given.link}", work)


if __name__ == "__main__":
    sys.exit(main())
