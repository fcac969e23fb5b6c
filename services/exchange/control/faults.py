"""The faults in force: what goes wrong just now, for whom, and how often it did.

A fault bites while it is active: until `for_s` has passed, until it bit `times` times,
or until the menu is cleared. Fronts and the server ask `bite(kind, ...)` at the one
place where that fault can happen, with everything that its kind can be narrowed to: a
fault that was narrowed bites only where all of it is known to match. Spent faults stay
listed, with their hits, until cleared.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from services.exchange.control.menu import KINDS, Kind, seconds
from shared.errors import BadInput

NS_PER_S = 1_000_000_000
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: what a place knows of itself: one value, several, or nothing
Where = str | tuple[str, ...] | None


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

    def covers(self, scope: Mapping[str, Where]) -> bool:
        return all(_matches(wanted, scope.get(name)) for name, wanted in self.scope.items())

    def hit(self, count: int = 1) -> None:
        self.hits += count
        if self.times_left is not None:
            self.times_left -= 1

    def to_json(self, now_ns: int) -> dict[str, Any]:
        left_s = None if self.until_ns is None else max(0.0, (self.until_ns - now_ns) / NS_PER_S)
        head = {"id": self.id, "kind": self.kind, "active": self.is_active(now_ns), "hits": self.hits}
        return {**head, **self.scope, **self.params, "left_s": left_s, "times_left": self.times_left}


class FaultMenu:
    """The faults in force.

    monotonic_ns  read only while there are any
    symbols, accounts  what a fault can be narrowed to here
    """

    def __init__(
        self, monotonic_ns: Callable[[], int], symbols: Collection[str], accounts: Collection[str]
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._known = {"symbol": symbols, "account": accounts, "method": _METHODS}
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

    def is_on(self, kind: str) -> bool:
        """Return whether a fault of `kind` is active anywhere."""
        now_ns = self._monotonic_ns()
        return any(fault.is_active(now_ns) for fault in self._faults.get(kind, ()))

    def find(self, kind: str, **scope: Where) -> Fault | None:
        """Return the active fault of `kind` that covers the scope, without counting a hit."""
        faults = self._faults.get(kind)
        if not faults:
            return None
        now_ns = self._monotonic_ns()
        for fault in faults:
            if fault.is_active(now_ns) and fault.covers(scope):
                return fault
        return None

    def bite(self, kind: str, **scope: Where) -> Fault | None:
        """Like `find`, and count the hit."""
        fault = self.find(kind, **scope)
        if fault is not None:
            fault.hit()
        return fault

    def _read(self, order: Mapping[str, Any]) -> Fault:
        name = order.get("kind")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            raise BadInput(f"kind {name!r} is not on the menu: one of {', '.join(KINDS)}")
        allowed = ("kind", "for_s", "times", *kind.scopes, *kind.settings)
        for key in order:
            if key not in allowed:
                raise BadInput(f"{kind.name}: {key!r} is not a setting{_nearest(key, allowed)}")
        for_s, times = _for_s(order), order.get("times", kind.times)
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            raise BadInput(f"times {times!r}: must be a whole number of at least 1")
        scope, params = self._scope(kind, order), _params(kind, order)
        scope |= {name: params.pop(name) for name in ("frames",) if name in params}
        self._last_id += 1
        until_ns = None if for_s is None else self._monotonic_ns() + round(for_s * NS_PER_S)
        return Fault(self._last_id, kind.name, scope, params, until_ns, times)

    def _scope(self, kind: Kind, order: Mapping[str, Any]) -> dict[str, str]:
        """Raises: BadInput for what this venue does not know: such a fault would never bite."""
        scope = {name: order[name] for name in kind.scopes if order.get(name) is not None}
        for name, value in scope.items():
            if not isinstance(value, str):
                raise BadInput(f"{name} {value!r}: must be a string")
            known = self._known.get(name)
            if known is not None and value not in known:
                raise BadInput(f"{name} {value!r}: must be one of {', '.join(known)}")
        return scope


def _matches(wanted: str, where: Where) -> bool:
    return wanted in where if isinstance(where, tuple) else wanted == where


def _params(kind: Kind, order: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: setting.check(name, order.get(name, setting.default)) for name, setting in kind.settings.items()
    }


def _for_s(order: Mapping[str, Any]) -> float | None:
    value = order.get("for_s")
    if value is None:
        return None
    if not (for_s := seconds("for_s", value)):
        raise BadInput(f"for_s {value!r}: must be above 0")
    return for_s


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f": one of {', '.join(known)}"
