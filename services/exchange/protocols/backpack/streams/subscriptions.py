"""What clients say on the websocket: SUBSCRIBE and UNSUBSCRIBE, public and private.

Success is not acknowledged and ids are not echoed; an unknown symbol is silence; only
errors produce a frame.

Source: the venue's OpenAPI document and observed answers (codes 4002, 4006, 4008). The
code for a bad signature is not known; 4003 is chosen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from services.exchange.protocols.backpack.auth import check_window, signed_text
from services.exchange.protocols.backpack.context import Context
from services.exchange.protocols.backpack.errors import ApiError
from services.exchange.protocols.backpack.render.stamps import to_ms
from services.exchange.protocols.backpack.rest.candles import INTERVALS
from services.exchange.protocols.backpack.streams.private_streams import KINDS, PrivateStreams
from services.exchange.protocols.backpack.streams.public_frames import error_frame
from services.exchange.protocols.backpack.streams.public_streams import DEPTH_WINDOWS_MS, PublicStreams
from services.exchange.wire.sockets import ClientSocket, Stream

PARSE_ERROR = error_frame(4002, "Parse error")
BAD_SIGNATURE = error_frame(4003, "Invalid signature")
INVALID_STREAM = error_frame(4006, "Invalid stream")
INVALID_WINDOW = error_frame(4008, "Invalid depth window")
_PRIVATE = "account."


class UnknownStream(Exception):
    """The name means no stream; `frame` says so, None = silence."""

    def __init__(self, frame: bytes | None) -> None:
        super().__init__(frame)
        self.frame = frame


class Subscriptions:
    """Reads the clients' frames and joins their sockets to streams."""

    def __init__(self, context: Context, public: PublicStreams, private: PrivateStreams) -> None:
        self._context = context
        self._public = public
        self._private = private

    def on_text(self, socket: ClientSocket, text: str | bytes) -> None:
        try:
            command = orjson.loads(text)
        except orjson.JSONDecodeError:
            command = None
        if not _is_command(command):
            socket.send(PARSE_ERROR)
        elif command["method"] == "SUBSCRIBE":
            self._subscribe(socket, command)
        else:
            self._unsubscribe(socket, command["params"])

    def on_closed(self, socket: ClientSocket) -> None:
        for stream in tuple(socket.streams):
            stream.leave(socket)

    def _subscribe(self, socket: ClientSocket, command: Mapping[str, Any]) -> None:
        names: list[str] = command["params"]
        account: str | None = None
        if any(name.startswith(_PRIVATE) for name in names):
            account = self._signer(command.get("signature"))
            if account is None:
                socket.send(BAD_SIGNATURE)
                return
        for name in names:
            try:
                stream = self._find(name, account)
            except UnknownStream as unknown:
                if unknown.frame is not None:
                    socket.send(unknown.frame)
                continue
            if self._is_closed_to(stream):
                socket.close()
                return
            if stream.join(socket) and stream.account is not None:
                self._private.greet(stream, socket)

    def _is_closed_to(self, stream: Stream) -> bool:
        faults = self._context.faults
        return not faults.is_empty and faults.bite("close_sockets", **stream.scope()) is not None

    def _unsubscribe(self, socket: ClientSocket, names: list[str]) -> None:
        for stream in tuple(socket.streams):
            if stream.name in names:
                stream.leave(socket)

    def _signer(self, signature: Any) -> str | None:
        """Return the account that signed the subscription, None if nobody did."""
        if not (isinstance(signature, list) and len(signature) == 4):
            return None
        if not all(isinstance(part, str) for part in signature):
            return None
        key, signed, timestamp, window = signature
        try:
            check_window(timestamp, window, to_ms(self._context.shown_wall_ns()))
            return self._context.keys.account(key, signed, signed_text("subscribe", ((),), timestamp, window))
        except ApiError:
            return None

    def _find(self, name: str, account: str | None) -> Stream:
        """Raises: UnknownStream."""
        if name.startswith(_PRIVATE):
            return self._find_private(name, account or "")
        kind, _, rest = name.partition(".")
        if kind == "depth":
            return self._find_depth(rest)
        if kind == "kline":
            interval, _, symbol = rest.partition(".")
            if interval not in INTERVALS:
                raise UnknownStream(INVALID_STREAM)
            self._require(symbol)
            return self._public.by_symbol[symbol].kline(interval)
        return self._find_plain(kind, rest)

    def _find_plain(self, kind: str, symbol: str) -> Stream:
        if kind == "liquidation":
            raise UnknownStream(None)  # a known stream; this venue liquidates nobody
        if kind not in ("bookTicker", "trade", "markPrice", "ticker", "openInterest") or not symbol:
            raise UnknownStream(INVALID_STREAM)
        self._require(symbol)
        streams = self._public.by_symbol[symbol]
        return {
            "bookTicker": streams.book_ticker,
            "trade": streams.trade,
            "markPrice": streams.mark_price,
            "ticker": streams.ticker,
            "openInterest": streams.open_interest,
        }[kind]

    def _find_depth(self, rest: str) -> Stream:
        if rest in self._public.by_symbol:
            return self._public.by_symbol[rest].depth
        window, _, symbol = rest.partition(".")
        if not symbol:
            raise UnknownStream(None if rest else INVALID_STREAM)
        if window not in DEPTH_WINDOWS_MS:
            raise UnknownStream(INVALID_WINDOW)
        self._require(symbol)
        return self._public.by_symbol[symbol].windows[window].stream

    def _find_private(self, name: str, account: str) -> Stream:
        for kind in KINDS:
            if name == kind:
                return self._private.stream(account, kind, None)
            if name.startswith(f"{kind}."):
                return self._private.stream(account, kind, name.removeprefix(f"{kind}."))
        raise UnknownStream(INVALID_STREAM)

    def _require(self, symbol: str) -> None:
        if symbol not in self._public.by_symbol:
            raise UnknownStream(None)


def _is_command(command: Any) -> bool:
    return (
        isinstance(command, dict)
        and command.get("method") in ("SUBSCRIBE", "UNSUBSCRIBE")
        and isinstance(command.get("params"), list)
        and all(isinstance(name, str) for name in command["params"])
    )
