"""One REST call: session, timeout, status and error to exceptions. Blocks; for worker threads.

Reads only: whatever fails here may be asked again, with a new timestamp and signature.
Orders never pass through here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import orjson
import requests

from shared.errors import KeyRefused, RateLimited, Unknown, Withheld
from shared.net.dial import certificates, proxy_of
from shared.venues.backpack.errors import is_key_refused, read_error, refusal

#: seconds to connect, seconds between bytes
TIMEOUT_S = (3.0, 5.0)
#: waits before the second and the third attempt, s
RETRY_WAITS_S = (0.2, 0.4)
#: asked for when a 429 does not say how long (this venue's never did)
RETRY_AFTER_S = 1.0

Headers = Mapping[str, str]
#: told the weight of each request before it leaves, so that one budget counts all of them; may
#: raise Withheld, and then it does not leave
Spend = Callable[[int], None]


class NotFound(Unknown):
    """The venue knows no such thing: of one order it means that it does not rest, else nothing."""


class Rest:
    """A session with one address. Safe to use from several threads."""

    def __init__(
        self, base_url: str, spend: Spend | None = None, timeout_s: tuple[float, float] = TIMEOUT_S
    ) -> None:
        self._base_url = base_url
        self._spend = spend
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # no netrc; the proxy rule is ours
        self._session.verify = certificates()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        proxy = proxy_of(base_url)
        if proxy is not None:
            self._session.proxies = {"http": proxy, "https": proxy}

    def get(
        self, path: str, query: Mapping[str, Any], headers: Callable[[], Headers], weight: int = 1
    ) -> Any:
        """Return the parsed JSON body of a GET; text that is not JSON is returned as text.

        headers  called once per attempt: a retry must not reuse a timestamp
        Raises: RateLimited, NotFound, Withheld, Unknown.
        """
        for wait_s in RETRY_WAITS_S:
            try:
                return self._attempt(path, query, headers(), weight)
            except (RateLimited, NotFound, Withheld):
                raise
            except Unknown:
                time.sleep(wait_s)
        return self._attempt(path, query, headers(), weight)

    def _attempt(self, path: str, query: Mapping[str, Any], headers: Headers, weight: int) -> Any:
        if self._spend is not None:
            self._spend(weight)
        try:
            reply = self._session.get(
                self._base_url + path, params=dict(query), headers=dict(headers), timeout=self._timeout_s,
                allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            # the text of the original may hold the proxy's address and credentials
            raise Unknown(f"GET {path}: {type(error).__name__}") from None
        return _body_of(path, reply)

    def close(self) -> None:
        self._session.close()


def _body_of(path: str, reply: requests.Response) -> Any:
    if reply.status_code == 200:
        if "json" not in reply.headers.get("content-type", "json"):
            return reply.text
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            raise Unknown(f"GET {path}: the reply is not JSON") from None
    error = read_error(reply.status_code, reply.content)
    if reply.status_code in (418, 429):
        raise RateLimited(f"GET {path}: {error.text}", _retry_after_s(reply))
    if refusal(error) == "unknown_order":
        raise NotFound(f"GET {path}: {error.text}")
    if is_key_refused(error):
        raise KeyRefused(f"GET {path}: {error.text}")
    raise Unknown(f"GET {path}: {error.text}")


def _retry_after_s(reply: requests.Response) -> float:
    text = reply.headers.get("retry-after", "")
    return float(text) if text.isdigit() else RETRY_AFTER_S
