"""A small signed client, written from the venue's documents for these tests alone."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import requests
import websocket
from nacl.signing import SigningKey


def signature(seed: bytes, text: str) -> str:
    return base64.b64encode(SigningKey(seed).sign(text.encode()).signature).decode()


def signed_text(instruction: str, groups: list[Mapping[str, Any]], timestamp: int, window: int) -> str:
    parts = []
    for group in groups:
        parts.append(f"instruction={instruction}")
        parts += [f"{name}={_plain(group[name])}" for name in sorted(group) if group[name] is not None]
    return "&".join([*parts, f"timestamp={timestamp}", f"window={window}"])


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class WireClient:
    """One account's REST calls; answers are `requests` responses."""

    def __init__(self, rest: str, account: Mapping[str, str]) -> None:
        self.rest = rest
        self.key = account["api_key"]
        self.seed = base64.b64decode(account["api_secret"])
        self._http = requests.Session()
        self._http.trust_env = False

    def close(self) -> None:
        self._http.close()

    def headers(
        self,
        instruction: str,
        groups: list[Mapping[str, Any]],
        *,
        age_ms: int = 0,
        window: int = 5000,
    ) -> dict[str, str]:
        timestamp = int(time.time() * 1000) - age_ms
        text = signed_text(instruction, groups, timestamp, window)
        return {
            "X-API-Key": self.key,
            "X-Signature": signature(self.seed, text),
            "X-Timestamp": str(timestamp),
            "X-Window": str(window),
        }

    def public(self, path: str, **params: Any) -> requests.Response:
        return self._http.get(self.rest + path, params=params, timeout=10)

    def get(self, path: str, instruction: str, **params: Any) -> requests.Response:
        headers = self.headers(instruction, [params])
        query = urlencode(params)
        return self._http.get(f"{self.rest}{path}?{query}", headers=headers, timeout=10)

    def send(self, method: str, path: str, instruction: str, body: Any, **signing: Any) -> requests.Response:
        groups = body if isinstance(body, list) else [body]
        headers = self.headers(instruction, groups, **signing) | {"Content-Type": "application/json"}
        payload = json.dumps(body).encode()
        return self._http.request(method, self.rest + path, data=payload, headers=headers, timeout=10)

    def place(self, **order: Any) -> requests.Response:
        return self.send("POST", "/api/v1/order", "orderExecute", limit_order(**order))

    def cancel(self, **key: Any) -> requests.Response:
        body = {"symbol": "SOL_USDC_PERP", **key}
        return self.send("DELETE", "/api/v1/order", "orderCancel", body)

    def open_orders(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.get("/api/v1/orders", "orderQueryAll").json()
        return orders

    def fills(self) -> list[dict[str, Any]]:
        fills: list[dict[str, Any]] = self.get("/wapi/v1/history/fills", "fillHistoryQueryAll").json()
        return fills

    def stream_signature(self, *, age_ms: int = 0) -> list[str]:
        headers = self.headers("subscribe", [{}], age_ms=age_ms)
        return [self.key, headers["X-Signature"], headers["X-Timestamp"], headers["X-Window"]]


def limit_order(**changes: Any) -> dict[str, Any]:
    """A post-only bid of 0.1 at 149.00 with what the caller wants different; None leaves a field out."""
    order = {
        "symbol": "SOL_USDC_PERP",
        "side": "Bid",
        "orderType": "Limit",
        "price": "149.00",
        "quantity": "0.1",
        "postOnly": True,
    }
    return {name: value for name, value in (order | changes).items() if value is not None}


class WireStream:
    """One websocket connection."""

    def __init__(self, ws: str) -> None:
        self.socket = websocket.create_connection(ws, timeout=10)

    def say(self, command: Any) -> None:
        self.socket.send(command if isinstance(command, str) else json.dumps(command))

    def subscribe(self, *names: str, signature: list[str] | None = None) -> None:
        """Subscribe and wait until the venue has done so: the error frame of a bad name comes after."""
        command: dict[str, Any] = {"method": "SUBSCRIBE", "params": [*names]}
        if signature is not None:
            command["signature"] = signature
        self.say(command)
        self.settle()

    def settle(self) -> None:
        """Wait until everything said so far has been read by the venue."""
        self.say({"method": "SUBSCRIBE", "params": ["nonsense"]})
        self.pending = []
        while (frame := self.next())["stream"] != "error":
            self.pending.append(frame)

    pending: list[dict[str, Any]]

    def next(self) -> dict[str, Any]:
        """Return the next frame; an error frame appears as the stream "error"."""
        frame: dict[str, Any] = json.loads(self.socket.recv())
        return {"stream": "error", "data": frame["error"]} if "error" in frame else frame

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first frame that is wanted."""
        while True:
            frame = self.pending.pop(0) if self.pending else self.next()
            if wanted(frame):
                return frame

    def event(self, name: str) -> dict[str, Any]:
        """Return the data of the next frame of this event."""
        data: dict[str, Any] = self.until(lambda frame: frame["data"].get("e") == name)["data"]
        return data

    def close(self) -> None:
        self.socket.shutdown()  # type: ignore[no-untyped-call]
