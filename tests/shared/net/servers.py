"""Scripted servers on loopback: what a venue's socket may do to us, one connection at a time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shared.clock import NS_PER_MS, SystemClock
from shared.loop import Loop

#: is given each complete request and the connection; False = no more requests are read from it
Script = Callable[[bytes, socket.socket], bool]
SCRIPT_ENDS_WITHIN_S = 6.0


def run_until(loop: Loop, condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Turn a loop until the condition holds; fail when it does not come to hold."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        loop.run_once(10 * NS_PER_MS)


@contextlib.contextmanager
def running_loop() -> Iterator[Loop]:
    loop = Loop(SystemClock())
    try:
        yield loop
    finally:
        loop.close()


def http_reply(body: bytes, status: int = 200, extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), extra, body)


def read_request(connection: socket.socket, held: bytearray) -> bytes | None:
    """Return the next whole request (head and Content-Length body), None at the end."""
    while True:
        end = held.find(b"\r\n\r\n")
        if end >= 0:
            head = bytes(held[:end]).lower()
            start = head.find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n")[0]) if start >= 0 else 0
            if len(held) >= end + 4 + length:
                request = bytes(held[: end + 4 + length])
                del held[: end + 4 + length]
                return request
        try:
            received = connection.recv(65_536)
        except OSError:
            return None
        if not received:
            return None
        held += received


@dataclass
class ScriptedServer:
    """Accepts connections, hands requests to the script, remembers them."""

    script: Script
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    accepted: int = 0

    def __enter__(self) -> ScriptedServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._serving: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # wakes the thread that is in accept
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()  # a connection that it still accepts is closed too
        self.close_connections()
        for serving in self._serving:
            serving.join(SCRIPT_ENDS_WITHIN_S)
        self.close_connections()  # one whose handshake ended meanwhile

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    def close_connections(self) -> None:
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._connections = []

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            serving = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._serving.append(serving)
            serving.start()

    def _serve(self, connection: socket.socket) -> None:
        held = bytearray()
        if self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
            self._connections.append(connection)
        self.accepted += 1
        while (request := read_request(connection, held)) is not None:
            self.requests.append(request)
            with contextlib.suppress(OSError):
                if not self.script(request, connection):
                    return


def make_certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Return a self-signed certificate of localhost and a server context that shows it."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
