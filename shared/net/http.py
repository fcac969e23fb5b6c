"""HTTP/1.1 responses: bytes in, responses out. No I/O.

Reads what a keep-alive JSON service sends: Content-Length, chunked, 204/304, and bodies
that end with the connection. Whatever else arrives raises `BadResponse`: the caller
treats the outcome as unknown and drops the connection.

Source: RFC 9112, sections 4 to 7.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


class BadResponse(Exception):
    """The bytes are not an HTTP/1.1 response."""


@dataclass(frozen=True, slots=True)
class Response:
    """Header names are lower case; of a repeated header the last one is kept."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    keep_alive: bool


class ResponseParser:
    """Collects the bytes of one connection; `feed` returns the response once it is complete.

    One request is in flight per connection, so there is never a second response: bytes
    beyond the first one are in `excess`.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._chunks: _Chunks | None = None

    @property
    def has_begun(self) -> bool:
        """True when a part of a response has arrived."""
        return self._head is not None or bool(self._buffer)

    @property
    def excess(self) -> int:
        """How many bytes arrived that belong to no response."""
        return len(self._buffer)

    def feed(self, received: bytes) -> Response | None:
        """Take bytes; return the response when this completes it. Raises: BadResponse."""
        self._buffer += received
        while self._head is None:
            head = self._take_head()
            if head is None:
                return None
            if head.status >= 200:  # 1xx announces the real one
                self._head = head
                self._chunks = _Chunks() if head.is_chunked else None
        body = self._take_body(self._head)
        return None if body is None else self._finish(self._head, body)

    def at_end(self) -> Response | None:
        """The peer closed: return the response if its body ends with the connection."""
        head = self._head
        if head is None or head.is_chunked or head.length is not None:
            return None
        body = bytes(self._buffer)
        self._buffer.clear()
        return self._finish(head, body)

    def _finish(self, head: _Head, body: bytes) -> Response:
        self._head = self._chunks = None
        return Response(head.status, head.headers, body, head.keep_alive)

    def _take_head(self) -> _Head | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadResponse("the head of the response is too long")
            return None
        lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        return _Head(lines)

    def _take_body(self, head: _Head) -> bytes | None:
        if self._chunks is not None:
            return self._chunks.take(self._buffer)
        if head.length is None or len(self._buffer) < head.length:
            return None
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        return body


class _Head:
    """Status line and headers; `length` None = until the connection ends."""

    def __init__(self, lines: list[bytes]) -> None:
        version, _, rest = lines[0].partition(b" ")
        if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
            raise BadResponse("not an HTTP/1 status line")
        self.status = int(rest[:3])
        self.headers: dict[bytes, bytes] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise BadResponse("not a header line")
            self.headers[name.lower()] = value.strip()
        self.is_chunked = self.headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked")
        self.length = self._body_length()
        connection = self.headers.get(b"connection", b"").lower()
        self.keep_alive = b"close" not in connection and (
            version != b"HTTP/1.0" or b"keep-alive" in connection
        )
        if self.length is None and not self.is_chunked:
            self.keep_alive = False

    def _body_length(self) -> int | None:
        if self.status in (204, 304) or self.status < 200:
            return 0
        text = self.headers.get(b"content-length")
        if text is None or self.is_chunked:
            return None
        if not text.isdigit() or int(text) > MAX_BODY:
            raise BadResponse("content-length is not a length")
        return int(text)


class _Chunks:
    """The chunked coding: size lines in hex, a last chunk of 0, then trailers to skip."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._in_trailers = False

    def take(self, buffer: bytearray) -> bytes | None:
        """Consume what is complete; return the body after the last chunk, else None."""
        while not self._in_trailers:
            end = buffer.find(b"\r\n")
            if end < 0:
                if len(buffer) > MAX_HEAD:
                    raise BadResponse("the size line of a chunk is too long")
                return None
            size = _chunk_size(bytes(buffer[:end]))
            if size == 0:
                del buffer[: end + 2]
                self._in_trailers = True
                break
            if len(self._body) + size > MAX_BODY:
                raise BadResponse("the body is too long")
            if len(buffer) < end + 2 + size + 2:
                return None
            if buffer[end + 2 + size : end + 4 + size] != b"\r\n":
                raise BadResponse("a chunk does not end where it says")
            self._body += buffer[end + 2 : end + 2 + size]
            del buffer[: end + 4 + size]
        return self._skip_trailers(buffer)

    def _skip_trailers(self, buffer: bytearray) -> bytes | None:
        while (end := buffer.find(b"\r\n")) >= 0:
            del buffer[: end + 2]
            if end == 0:
                return bytes(self._body)
        return None


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadResponse("the size of a chunk is not hexadecimal")
    return int(digits, 16)
