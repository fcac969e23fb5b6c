"""`makerd strategies`: what there is to choose, complete, from the annotations and docstrings alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from services.console.commands.strategies import strategies
from services.console.options import parse
from services.quoter.describe import Parameter, describe, texts_of
from services.quoter.strategies import STRATEGIES, base
from services.quoter.strategies.base import Memory, Needs, Strategy
from tests.console.test_commands import makerd


def listed(*arguments: str) -> int:
    options = parse(["strategies", *arguments])
    return strategies(options.strategy, as_json=options.json)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_param_of_every_strategy_is_documented(name: str) -> None:
    described = describe(STRATEGIES[name])
    assert [one.name for one in described.parameters if not one.text] == []
    assert {one.name for one in described.parameters} == set(STRATEGIES[name].params.__struct_fields__)
    assert described.summary and "\n" not in described.summary
    assert all(one.range for one in described.parameters)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_number_of_every_strategy_has_a_unit(name: str) -> None:
    numbers = [one for one in describe(STRATEGIES[name]).parameters if "≥" in one.range or ">" in one.range]
    assert numbers and [one.name for one in numbers if not one.unit] == []


def test_every_strategy_has_a_line_of_its_own() -> None:
    summaries = [describe(strategy).summary for strategy in STRATEGIES.values()]
    assert len(set(summaries)) == len(summaries)


class Shared(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes. Exactly one of lower and upper.

    lower, upper  bounds, base units,
                  of a range
    mode    what to do
    """

    lower: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    upper: Annotated[float, Meta(gt=0, lt=7)] | None = None
    mode: Literal["one", "two"]
    forgotten: bool = False


class Params(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    mode what to do, here
        (the second line)

    forgotten_by_all is no param, and this is
    prose about `count`, which comes
    count  orders
    """

    count: Annotated[int, Meta(ge=2, extra={"unit": "orders a side"})] = 4


SAMPLE: Strategy[Any, Any, Any] = Strategy(
    "sample", Params, lambda *_: None, Memory(), lambda _: Needs()  # type: ignore[arg-type, return-value]
)  # fmt: skip


def test_texts_are_read_with_their_continuation_lines_and_those_of_a_subclass_count() -> None:
    texts = texts_of(Params)
    assert texts["lower"] == texts["upper"] == "bounds, base units, of a range"
    assert texts["mode"] == "what to do, here (the second line)"
    assert texts["count"] == "orders"
    assert texts["stale_after_s"].startswith("nothing is quoted on market data")
    assert "forgotten" not in texts  # what a test of a real strategy fails on


def test_units_ranges_and_defaults_come_from_the_annotations() -> None:
    found = {one.name: one for one in describe(SAMPLE).parameters}
    assert list(found)[:5] == ["lower", "upper", "mode", "forgotten", "count"]  # its own first
    assert found["upper"] == Parameter("upper", "", "> 0, < 7", False, None, found["upper"].text)
    assert found["mode"] == Parameter("mode", "", "one / two", True, None, found["mode"].text)
    assert found["count"] == Parameter("count", "orders a side", "whole, ≥ 2", False, 4, "orders")
    assert (found["forgotten"].range, found["forgotten"].default) == ("true / false", False)
    assert (found["stale_after_s"].unit, found["size_tolerance_pct"].unit) == ("s", "%")
    assert describe(SAMPLE).summary.startswith("`makerd strategies`")  # of this file


def test_strategies_lists_each_with_its_params(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed() == 0
    printed = capsys.readouterr().out
    for name, strategy in STRATEGIES.items():
        assert f"{name}  {describe(strategy).summary}" in " ".join(printed.split("\n"))
        assert all(f" {field} " in printed for field in strategy.params.__struct_fields__)
    assert listed("two_sided") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("two_sided  ") and "one_sided" not in "".join(lines)
    (skew,) = (line.split() for line in lines if line.split()[:1] == ["skew"])
    assert skew[:9] == ["skew", "share", "≥", "0,", "≤", "1", "0.0", "share", "of"]


def test_strategies_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed("glft", "--json") == 0
    (glft,) = json.loads(capsys.readouterr().out)
    gamma = next(one for one in glft["parameters"] if one["name"] == "gamma")
    assert glft["name"] == "glft"
    assert (gamma["unit"], gamma["range"], gamma["default"]) == ("1/quote unit", "≥ 1e-09, ≤ 1e+06", 1.0)
    assert listed("--json") == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == sorted(STRATEGIES)


def test_X15_an_unknown_strategy_is_answered_with_the_choices(tmp_path: Path) -> None:
    done = makerd(tmp_path, "strategies", "gltf")
    assert (done.returncode, done.stdout) == (78, "")
    known = ", ".join(sorted(STRATEGIES))
    assert done.stderr.strip() == f"makerd: strategy 'gltf' is unknown; choices: {known}"
