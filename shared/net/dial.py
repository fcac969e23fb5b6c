"""Opening connections: proxy, TLS, TCP options. Blocks; for worker threads.

The proxy comes from the environment: HTTPS_PROXY, else HTTP_PROXY for everything, NO_PROXY
obeyed; a loopback address is always dialled directly. Certificates are always verified.
Neither the proxy's credentials nor its address ever reach an exception's text.
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment

import certifi
from requests.utils import should_bypass_proxies

from shared.errors import BadInput
from shared.net.http import BadResponse, Response, ResponseParser

DIAL_TIMEOUT_S = 10.0
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
TLS_SCHEMES = frozenset(("https", "wss"))
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def certificates() -> str:
    """Return the file of trusted certificates: SSL_CERT_FILE, else the ones shipped with requests."""
    return os.environ.get("SSL_CERT_FILE") or certifi.where()


def proxy_of(url: str) -> str | None:
    """Return the proxy to use for an address, None for a direct connection.

    Raises: BadInput naming the variable; its value may hold a password.
    """
    host = urlsplit(url).hostname or ""
    if host in LOOPBACK or should_bypass_proxies(url, no_proxy=None):
        return None
    proxies = getproxies_environment()
    for scheme in ("https", "http"):
        if proxies.get(scheme):
            return _checked(proxies[scheme], f"{scheme.upper()}_PROXY")
    return None


def _checked(text: str, variable: str) -> str:
    """Return a proxy's address with its scheme; `host:port` alone is common."""
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        has_rest = parts.path.strip("/") or parts.query or parts.fragment
        is_good = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0 and not has_rest
    except ValueError:  # a port that is none: it is a part of the password, as often as not
        is_good = False
    if not is_good:
        raise BadInput(
            f"{variable} must be http://host:port or http://user:password@host:port, "
            "with everything special in the password written as %XX"
        )
    return url


def dial(url: str, timeout_s: float = DIAL_TIMEOUT_S) -> socket.socket:
    """Return a connected blocking socket, handshake done where the scheme asks for TLS.

    Raises: OSError (ssl.SSLError and TimeoutError are kinds of it); BadInput for a proxy that is none.
    """
    target = urlsplit(url)
    proxy = proxy_of(url)
    if proxy is None:
        connection = socket.create_connection(_address(target), timeout_s)
    else:
        connection = _through_proxy(urlsplit(proxy), _address(target), timeout_s)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.scheme in TLS_SCHEMES:
            return _tls_context(certificates()).wrap_socket(connection, server_hostname=target.hostname)
    except BaseException:
        connection.close()
        raise
    return connection


@cache
def _tls_context(trusted: str) -> ssl.SSLContext:
    """Return the context of all connections: reading the certificates would stop the loop each time."""
    return ssl.create_default_context(cafile=trusted)


def _address(target: SplitResult) -> tuple[str, int]:
    if target.hostname is None or target.scheme not in PORTS:
        raise OSError(f"{target.geturl()!r} is not an http, https, ws or wss address")
    return target.hostname, target.port or PORTS[target.scheme]


def _through_proxy(proxy: SplitResult, address: tuple[str, int], timeout_s: float) -> socket.socket:
    try:
        connection = socket.create_connection((proxy.hostname or "", proxy.port or 80), timeout_s)
    except OSError as error:
        raise OSError(f"the proxy cannot be reached: {type(error).__name__}") from None
    try:
        host, port = address
        head = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        if proxy.username is not None:
            pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
            head += f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
        connection.sendall(f"{head}\r\n".encode())
        answer = _read_connect_reply(connection)
    except BaseException:
        connection.close()
        raise
    if not 200 <= answer < 300:
        connection.close()
        raise OSError(f"the proxy refused the connection: HTTP {answer}")
    return connection


def _read_connect_reply(connection: socket.socket) -> int:
    """Read byte by byte up to the blank line, so that no byte of the tunnel is taken."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte or len(head) > 16_384:
            raise OSError("the proxy closed the connection")
        head += byte
    parser = ResponseParser()
    try:
        answer: Response | None = parser.feed(bytes(head)) or parser.at_end()
    except BadResponse:
        raise OSError("the proxy's answer is unreadable") from None
    return answer.status if answer is not None else 502
