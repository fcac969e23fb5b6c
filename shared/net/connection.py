"""One keep-alive HTTP connection, non-blocking: write a request, read its response."""

from __future__ import annotations

import socket
import ssl

from shared.net.http import Response, ResponseParser

READ_SIZE = 64 * 1024


class HttpConnection:
    """Owns a connected socket, plain or TLS. One request at a time."""

    __slots__ = ("_is_tls", "_parser", "_rest", "_socket", "fileno")

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._is_tls = isinstance(connected, ssl.SSLSocket)
        self._parser = ResponseParser()
        self._rest: memoryview | None = None
        self.fileno = connected.fileno()

    def is_open(self) -> bool:
        """True unless the peer has closed, or has sent what nobody asked for. Takes nothing away."""
        try:
            # the base class looks below TLS, where a look is allowed
            socket.socket.recv(self._socket, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return self._is_tls and self._is_quiet_tls()

    def _is_quiet_tls(self) -> bool:
        """Let TLS read its own records (session tickets); True if there is nothing else."""
        try:
            self._socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False

    def begin(self, request: bytes) -> bool:
        """Write a request. False = no byte of it has left, the connection is of no use.

        Of a TLS record that is cut short the peer can read nothing, so an error while the
        first one is written means that nothing has left.
        """
        try:
            sent = self._socket.send(request)
        except OSError:  # BlockingIOError and SSLWantWriteError too: an idle connection is never full
            return False
        if sent < len(request):
            self._rest = memoryview(request)[sent:]
        return sent > 0

    @property
    def wants_to_write(self) -> bool:
        return self._rest is not None

    def write_rest(self) -> bool:
        """Write what the kernel did not take at once; True when all is out. Raises: OSError."""
        if self._rest is None:
            return True
        try:
            sent = self._socket.send(self._rest)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return False
        self._rest = self._rest[sent:] if sent < len(self._rest) else None
        return self._rest is None

    def read(self) -> Response | None:
        """Return the response once it is complete. Raises: OSError, BadResponse."""
        while True:
            try:
                received = self._socket.recv(READ_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return None
            if received:
                response = self._parser.feed(received)
            else:
                response = self._parser.at_end()
                if response is None:
                    text = "in the middle of" if self._parser.has_begun else "before"
                    raise ConnectionResetError(f"the venue closed the connection {text} its reply")
            if response is not None:
                return response

    def is_reusable(self, response: Response) -> bool:
        """True if another request may follow this response."""
        return response.keep_alive and self._rest is None and self._parser.excess == 0

    def close(self) -> None:
        self._socket.close()
