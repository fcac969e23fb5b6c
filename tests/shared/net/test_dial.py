"""D15: the proxy comes from the environment, its credentials go nowhere else."""

from __future__ import annotations

import socket
import threading

import pytest

from shared.errors import BadInput
from shared.net.dial import dial, proxy_of

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)


class Proxy:
    """Answers one CONNECT with a status and, if that is 200, speaks as the target."""

    def __init__(self, status: bytes) -> None:
        self.request = b""
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while b"\r\n\r\n" not in self.request:
                self.request += connection.recv(4096)
            # the target's first bytes follow the proxy's answer at once: none may be lost
            connection.sendall(b"HTTP/1.1 %b\r\nVia: x\r\n\r\nhello from the target" % self._status)

    def close(self) -> None:
        self._thread.join(5)
        self._listener.close()


def test_D15_https_proxy_falls_back_to_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_of("https://venue.example") is None
    monkeypatch.setenv("HTTP_PROXY", "http://one:1")
    assert proxy_of("https://venue.example") == "http://one:1"
    assert proxy_of("wss://venue.example") == "http://one:1"
    monkeypatch.setenv("HTTPS_PROXY", "http://two:2")
    assert proxy_of("https://venue.example") == "http://two:2"
    monkeypatch.setenv("NO_PROXY", "venue.example")
    assert proxy_of("https://venue.example") is None


def test_D15_a_loopback_address_is_dialled_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert proxy_of("http://127.0.0.1:80") is None
    assert proxy_of("ws://localhost:80") is None


def test_D15_the_tunnel_is_asked_for_with_credentials_and_no_byte_of_it_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = Proxy(b"200 Connection established")
    monkeypatch.setenv("HTTP_PROXY", f"http://name:p%40ss@{proxy.address}")
    with dial("ws://venue.example:8080", 5) as connection:
        assert connection.recv(100) == b"hello from the target"
    proxy.close()
    assert proxy.request.startswith(b"CONNECT venue.example:8080 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bmFtZTpwQHNz\r\n" in proxy.request


def test_D15_no_error_tells_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(b"407 Proxy Authentication Required")
    monkeypatch.setenv("HTTP_PROXY", f"http://name:secret@{proxy.address}")
    with pytest.raises(OSError, match="407") as refused:
        dial("https://venue.example", 5)
    proxy.close()
    monkeypatch.setenv("HTTP_PROXY", "http://name:secret@127.0.0.1:1")
    with pytest.raises(OSError, match="proxy cannot be reached") as unreachable:
        dial("https://venue.example", 5)
    for error in (refused.value, unreachable.value):
        assert "secret" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"


@pytest.mark.parametrize(
    "proxy",
    [
        "http://name:se/cret@proxy.example:3128",
        "http://name:5ecret#x@proxy.example:3128",
        "http://name:5/ecret@proxy.example",
        "http://proxy.example:port",
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://",
    ],
)
def test_D15_a_proxy_that_is_none_is_refused_by_the_name_of_its_variable_alone(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(BadInput, match="HTTPS_PROXY must be") as refused:
        dial("wss://venue.example", 1)
    shown = f"{refused.value!r} {refused.value.__cause__!r} {refused.value.__context__!r}"
    assert not [word for word in ("ecret", "example", "1080") if word in shown]


def test_D15_a_proxy_without_a_scheme_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert proxy_of("wss://venue.example") == "http://proxy.example:3128"


@pytest.mark.parametrize("url", ["ftp://venue.example", "venue.example", "https://"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(OSError, match="is not an http"):
        dial(url, 1)
