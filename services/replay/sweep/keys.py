"""What may be searched, and whether a value is one: asked of the structs that the services parse."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from services.execution.config import ExecutionConfig
from services.quoter.strategies import STRATEGIES, strategy_named
from services.risk.config import Config as RiskConfig
from services.signals.config import Config as SignalsConfig
from shared.config import Config
from shared.errors import BadInput

TABLES: dict[str, Any] = {"risk": RiskConfig, "signals": SignalsConfig, "execution": ExecutionConfig}
_RULE = (
    f"must be {', '.join(f'{name}.<key>' for name in TABLES)}, quoters.<symbol>.params.<key> or "
    "quoters.<symbol>.strategy"
)


def strategy_key(symbol: str) -> str:
    return f"quoters.{symbol}.strategy"


def check_value(key: str, value: object, config: Config, space: Mapping[str, Sequence[object]]) -> None:
    """Check that one value fits its key, whatever the others are.

    space  key -> every value given, to know which strategies there may be
    Raises: BadInput naming the key, the value and the rule.
    """
    steps = key.split(".")
    if steps[0] == "quoters":
        _check_quoter(key, steps, value, config, space)
    elif len(steps) > 1 and steps[0] in TABLES:
        _convert(key, value, _kind_of(key, TABLES[steps[0]], steps[1:]))
    else:
        raise BadInput(f"space: {key!r}: {_RULE}")


def _check_quoter(
    key: str, steps: list[str], value: object, config: Config, space: Mapping[str, Sequence[object]]
) -> None:
    symbol = steps[1] if len(steps) > 1 else ""
    if symbol not in config.quoters:
        raise BadInput(f"space: {key!r}: {symbol!r} has no quoter; known: {', '.join(config.quoters)}")
    if steps[2:] == ["strategy"]:
        strategy_named(str(value), f"space: quoters.{symbol}")
        return
    if len(steps) < 4 or steps[2] != "params":
        raise BadInput(f"space: {key!r}: {_RULE}")
    names = space.get(strategy_key(symbol), [config.quoters[symbol].strategy])
    _check_param(key, steps[3:], value, [str(name) for name in names])


def _check_param(key: str, steps: list[str], value: object, names: Sequence[str]) -> None:
    """A param must be known to a strategy, and every value good for one of those that know it."""
    refusals = []
    for name in names:
        kind = STRATEGIES[name].params
        if len(names) > 1 and steps[0] not in kind.__struct_fields__:
            continue
        try:
            _convert(key, value, _kind_of(key, kind, steps))
        except BadInput as error:
            refusals.append(error)
        else:
            return
    if refusals:
        raise refusals[0]
    raise BadInput(f"space: {key!r}: none of the strategies {', '.join(names)} has it")


def _kind_of(key: str, kind: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        plain = _plain(kind)
        if hasattr(plain, "__struct_fields__"):
            known = get_type_hints(plain, include_extras=True)
            fields = plain.__struct_fields__
            if step not in fields:
                near = difflib.get_close_matches(step, fields, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(fields))}"
                raise BadInput(f"space: {key!r}: unknown key {step!r}; {hint}")
            kind = known[step]
        elif get_origin(plain) is dict:
            kind = get_args(plain)[1]
        else:
            raise BadInput(f"space: {key!r}: has no key {step!r}, it is a single value")
    return kind


def _plain(kind: Any) -> Any:
    """Return a kind without its annotations and without None."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        others = [one for one in get_args(kind) if one is not type(None)]
        return _plain(others[0]) if len(others) == 1 else kind
    return kind


def _convert(key: str, value: object, kind: Any) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"space: {key}: {error}, was {value!r}") from None
