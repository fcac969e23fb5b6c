"""The dishes of the fault menu: what may go wrong, what each can be narrowed to, and its settings.

Source: the fault menu of the reliability requirements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.errors import BadInput

#: one day; nothing in a test lasts longer
MAX_SECONDS = 86_400.0
REQUEST = ("symbol", "account", "method", "path")
OWNED = ("symbol", "account")
PUBLIC = ("symbol",)
FRAMES = ("book", "best", "trades")

#: (name, value) -> the value to use; raises BadInput naming both and the rule
Check = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """A further setting of a kind, with its value where none is given."""

    default: Any
    check: Check


@dataclass(frozen=True, slots=True)
class Kind:
    """One dish. `scopes`: what it honours; `times` None = no limit."""

    name: str
    text: str
    scopes: tuple[str, ...]
    times: int | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def seconds(name: str, value: Any) -> float:
    if not _is_number(value) or not 0 <= value <= MAX_SECONDS:
        raise BadInput(f"{name} {value!r}: must be a number of seconds from 0 to {MAX_SECONDS:g}")
    return float(value)


def _whole(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadInput(f"{name} {value!r}: must be a whole number from {low} to {high}")
        return value

    return check


def _one_of(*choices: Any) -> Check:
    def check(name: str, value: Any) -> Any:
        if isinstance(value, bool) != isinstance(choices[0], bool) or value not in choices:
            raise BadInput(f"{name} {value!r}: must be one of {', '.join(map(repr, choices))}")
        return value

    return check


def _quantity(name: str, value: Any) -> str | None:
    """A signed decimal, kept as text."""
    if value is None:
        return None
    try:
        number = Decimal(str(value)) if isinstance(value, str) or _is_number(value) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= 10**9:
        raise BadInput(f"{name} {value!r}: must be a signed decimal below 10^9")
    return f"{number:f}"


def _delay(default: float) -> dict[str, Setting]:
    return {"delay_s": Setting(default, seconds)}


_FALSE = Setting(False, _one_of(False, True))
_FRAMES = {"frames": Setting("book", _one_of(*FRAMES))}
_WRONG = {"quantity": Setting(None, _quantity)}
_429 = {"retry_after": Setting(0, _whole(0, 86_400))}
_5XX = {"status": Setting(503, _whole(500, 599)), "processed": _FALSE}
_CANCEL = {"status": Setting(202, _one_of(202, 200)), **_delay(0.0)}
_SKEW = {"skew_ms": Setting(10_000, _whole(-(10**9), 10**9))}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("drop_reply", "the request is processed, then the connection is cut", REQUEST),
        Kind("delay_reply", "processed, the reply comes late", REQUEST, settings=_delay(30.0)),
        Kind("reject_429", "refused: too many requests", REQUEST, settings=_429),
        Kind("error_5xx", "answered 5xx, processed or not", REQUEST, settings=_5XX),
        Kind("no_answer", "neither processed nor answered, the connection stays open", REQUEST),
        Kind("close_sockets", "websockets that listen close now; none may listen for `for_s`", OWNED),
        Kind("silent_public", "public streams stay open and say nothing", PUBLIC),
        Kind("ping_only", "public streams say nothing, sockets are pinged every second", PUBLIC),
        Kind("silent_private", "private streams stay open and say nothing", OWNED),
        Kind("lagging_public", "public frames come late, stamps unchanged", PUBLIC, settings=_delay(5.0)),
        Kind("gap", "a public frame is lost", PUBLIC, 1, _FRAMES),
        Kind("duplicate_frame", "a public frame comes twice", PUBLIC, 1, _FRAMES),
        Kind("reorder_frames", "a public frame comes after its successor", PUBLIC, 1, _FRAMES),
        Kind("duplicate_private", "a private frame comes twice", OWNED, 1),
        Kind("reorder_private", "a private frame comes after its successor", OWNED, 1),
        Kind("fill_after_cancel", "a cancel is confirmed, then the fill follows", OWNED, 1, _delay(0.2)),
        Kind("drop_cancel", "a cancel is answered and never executed", OWNED, settings=_CANCEL),
        Kind(
            "wrong_position_once",
            "one read of perpetual positions is wrong: by default one lot more",
            OWNED,
            1,
            _WRONG,
        ),
        Kind("wrong_position", "every read of perpetual positions is wrong", OWNED, settings=_WRONG),
        Kind("empty_open_orders", "open orders answer empty", OWNED, 1),
        Kind("unknown_order", "order queries answer not found", OWNED, 1),
        Kind("post_only_refusals", "every post-only order is refused as taking", OWNED),
        Kind("clock_skew", "the venue's clock is off, for /time and windows", (), settings=_SKEW),
        Kind("market_closed", "placements are refused, public streams are silent", PUBLIC),
    )
}
