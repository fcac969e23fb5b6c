"""The fault menu: what may go wrong on request, and how often it did.

A fault bites while it is active: until `for_s` has passed, until it bit `times` times,
or until the menu is cleared. Fronts and the server ask `bite(kind, ...)` at the one
place where that fault can happen. Spent faults stay listed, with their hits, until cleared.

Source: the fault menu of the reliability requirements.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import BadInput

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One dish of the menu. `times` None = no limit; `params` name further settings and their defaults."""

    name: str
    text: str
    times: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("drop_reply", "the request is processed, then the connection is cut"),
        Kind("delay_reply", "the request is processed, the reply comes late", params={"delay_s": 30.0}),
        Kind("reject_429", "refused: too many requests", params={"retry_after": 0}),
        Kind("error_5xx", "answered 5xx, processed or not", params={"status": 503, "processed": False}),
        Kind("no_answer", "neither processed nor answered, the connection stays open"),
        Kind("close_sockets", "all websockets close now; none may open for `for_s`"),
        Kind("silent_public", "public streams stay open and say nothing"),
        Kind("ping_only", "public streams say nothing, sockets are pinged every second"),
        Kind("silent_private", "private streams stay open and say nothing"),
        Kind("lagging_public", "public frames come late, stamps unchanged", params={"delay_s": 5.0}),
        Kind("gap", "a depth frame is lost", times=1),
        Kind("duplicate_frame", "a depth frame comes twice", times=1),
        Kind("reorder_frames", "a depth frame comes after its successor", times=1),
        Kind("duplicate_private", "a private frame comes twice", times=1),
        Kind("reorder_private", "a private frame comes after its successor", times=1),
        Kind(
            "fill_after_cancel", "a cancel is confirmed, then the order's fill follows", 1, {"delay_s": 0.2}
        ),
        Kind(
            "drop_cancel", "a cancel is answered and never executed", params={"status": 202, "delay_s": 0.0}
        ),
        Kind("wrong_position_once", "one position query answers empty", times=1),
        Kind("wrong_position", "position queries answer empty"),
        Kind("empty_open_orders", "open orders answer empty", times=1),
        Kind("unknown_order", "order queries answer not found", times=1),
        Kind("post_only_refusals", "every post-only order is refused as taking"),
        Kind("clock_skew", "the venue's clock is off, for /time and windows", params={"skew_ms": 10_000}),
        Kind("market_closed", "placements are refused, public streams of the symbol are silent"),
    )
}
_SCOPES = ("symbol", "account", "method", "path")


@dataclass(slots=True)
class Fault:
    """One ordered fault. `until_ns` is monotonic."""

    id: int
    kind: str
    scope: Mapping[str, str]
    params: Mapping[str, Any]
    until_ns: int | None
    times_left: int | None
    hits: int = 0

    def is_active(self, now_ns: int) -> bool:
        return self.times_left != 0 and (self.until_ns is None or now_ns < self.until_ns)

    def covers(self, name: str, value: str | None) -> bool:
        wanted = self.scope.get(name)
        return wanted is None or wanted == value

    def to_json(self, now_ns: int) -> dict[str, Any]:
        left_s = None if self.until_ns is None else max(0.0, (self.until_ns - now_ns) / NS_PER_S)
        head = {"id": self.id, "kind": self.kind, "active": self.is_active(now_ns), "hits": self.hits}
        return {**head, **self.scope, **self.params, "left_s": left_s, "times_left": self.times_left}


class FaultMenu:
    """The faults in force. `monotonic_ns` is read only while there are any."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._faults: dict[str, list[Fault]] = {}
        self._last_id = 0
        self._on_add: list[Callable[[Fault], None]] = []
        self._on_clear: list[Callable[[], None]] = []
        self.is_empty = True

    def watch(
        self,
        on_add: Callable[[Fault], None] | None = None,
        on_clear: Callable[[], None] | None = None,
    ) -> None:
        """Call back when a fault is ordered and when the menu is cleared."""
        if on_add is not None:
            self._on_add.append(on_add)
        if on_clear is not None:
            self._on_clear.append(on_clear)

    def add(self, order: Mapping[str, Any]) -> Fault:
        """Put a fault in force.

        Raises: BadInput for an unknown kind or parameter or a value of the wrong type.
        """
        fault = self._read(order)
        self._faults.setdefault(fault.kind, []).append(fault)
        self.is_empty = False
        for callback in self._on_add:
            callback(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()
        self.is_empty = True
        for callback in self._on_clear:
            callback()

    def listed(self) -> list[dict[str, Any]]:
        now_ns = self._monotonic_ns()
        faults = sorted((f for group in self._faults.values() for f in group), key=lambda f: f.id)
        return [fault.to_json(now_ns) for fault in faults]

    def find(self, kind: str, **scope: str | None) -> Fault | None:
        """Return the active fault of `kind` that covers the scope, without counting a hit."""
        faults = self._faults.get(kind)
        if not faults:
            return None
        now_ns = self._monotonic_ns()
        for fault in faults:
            if fault.is_active(now_ns) and all(fault.covers(name, value) for name, value in scope.items()):
                return fault
        return None

    def bite(self, kind: str, **scope: str | None) -> Fault | None:
        """Like `find`, and count the hit."""
        fault = self.find(kind, **scope)
        if fault is not None:
            fault.hits += 1
            if fault.times_left is not None:
                fault.times_left -= 1
        return fault

    def _read(self, order: Mapping[str, Any]) -> Fault:
        name = order.get("kind")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            raise BadInput(f"kind {name!r} is not on the menu: one of {', '.join(KINDS)}")
        allowed = ("kind", "for_s", "times", *_SCOPES, *kind.params)
        for key in order:
            if key not in allowed:
                raise BadInput(f"{kind.name}: {key!r} is not a setting{_nearest(key, allowed)}")
        for_s, times = _number(order, "for_s"), order.get("times", kind.times)
        if times is not None and (not isinstance(times, int) or times < 1):
            raise BadInput(f"times {times!r}: must be a whole number of at least 1")
        self._last_id += 1
        until_ns = None if for_s is None else self._monotonic_ns() + round(for_s * NS_PER_S)
        return Fault(self._last_id, kind.name, _scope(order), _params(kind, order), until_ns, times)


def _scope(order: Mapping[str, Any]) -> dict[str, str]:
    scope = {name: order[name] for name in _SCOPES if order.get(name) is not None}
    for name, value in scope.items():
        if not isinstance(value, str):
            raise BadInput(f"{name} {value!r}: must be a string")
    return scope


def _params(kind: Kind, order: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: order.get(name, default) for name, default in kind.params.items()}
    for name, default in kind.params.items():
        value = params[name]
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(default, bool) != isinstance(value, bool) or not (numeric or isinstance(value, bool)):
            raise BadInput(f"{name} {value!r}: must be of the kind of {default!r}")
    return params


def _number(order: Mapping[str, Any], name: str) -> float | None:
    value = order.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise BadInput(f"{name} {value!r}: must be a number of seconds above 0")
    return float(value)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f": one of {', '.join(known)}"
