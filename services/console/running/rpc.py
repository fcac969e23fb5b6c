"""XML-RPC over supervisord's unix socket, with a longest wait for every call."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from pathlib import Path


class _Connection(http.client.HTTPConnection):
    """HTTP to a unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class UnixTransport(xmlrpc.client.Transport):
    """One connection to a unix socket. Its calls raise OSError, HTTPException, Fault or ProtocolError.

    timeout_s  longest time between two bytes
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path, self._timeout_s = path, timeout_s
        self._made: _Connection | None = None

    def make_connection(self, host: object) -> _Connection:
        """Return the connection, for the base class; `host` is of no account."""
        del host
        if self._made is None:
            self._made = _Connection(self._path, self._timeout_s)
        return self._made

    def close(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            made.close()
