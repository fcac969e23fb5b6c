"""The space: what may be searched, what a grid and a range are, and one clear line for what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.replay.sweep.space import Choices, Range, applied, effective, grid, parse_space
from shared.config import load
from shared.errors import BadInput
from tests.sweep.sweep_files import EXCESS, PAPER, SIZE, SKEW, STRATEGY, SYMBOL, plan_of

CONFIG = load(PAPER, with_changes=False)


def test_a_grid_is_every_combination_once_the_last_key_fastest() -> None:
    space = parse_space({SKEW: [0.1, 0.9], EXCESS: {"low": 0.2, "high": 0.4, "step": 0.1}}, CONFIG)
    assert [tuple(values.values()) for values in grid(space)] == [
        (0.1, 0.2), (0.1, 0.3), (0.1, 0.4), (0.9, 0.2), (0.9, 0.3), (0.9, 0.4),
    ]  # fmt: skip


def test_dotted_keys_and_nested_tables_are_the_same() -> None:
    nested = {"risk": {"excess_share": [0.5]}, "quoters": {SYMBOL: {"params": {"skew": [0.1]}}}}
    assert parse_space(nested, CONFIG) == parse_space({EXCESS: [0.5], SKEW: [0.1]}, CONFIG)


def test_a_range_of_whole_numbers_gives_whole_numbers() -> None:
    space = parse_space(
        {"signals.volatility_short_s": {"low": 10, "high": 30, "step": 10, "int": True}}, CONFIG
    )
    assert space["signals.volatility_short_s"] == Choices((10, 20, 30), is_ordered=True)
    assert all(type(value) is int for values in grid(space) for value in values.values())


@given(st.floats(0.001, 1.0), st.floats(0.001, 1e3), st.floats(0, 1), st.booleans())
def test_what_a_range_gives_is_within_it(low: float, span: float, share: float, log: bool) -> None:
    found = Range(low, low + span, log=log)
    assert found.low <= found.at(min(low + span * share, low + span)) <= found.high


BAD = {
    "unknown param": ({f"quoters.{SYMBOL}.params.skeww": [1]}, r"skeww.*did you mean 'skew'"),
    "unknown table": ({"redis.url": ["x"]}, r"'redis.url': must be risk.<key>, .*symbol>.strategy"),
    "what a replay assumes": ({"replay.maker_fee_bps": [0, -1]}, r"'replay.maker_fee_bps': must be"),
    "unknown symbol": ({"quoters.NOPE.params.skew": [1]}, r"'NOPE' has no quoter; known: SOL_USDC_PERP"),
    "a value beyond its limit": ({EXCESS: [0.5, 1.5]}, r"excess_share: Expected `float` <= 1.0, was 1.5"),
    "a range beyond its limit": ({EXCESS: {"low": 0.5, "high": 2.0}}, r"excess_share: .*<= 1.0, was 2.0"),
    "a value of another type": ({SKEW: ["high"]}, r"skew: Expected `float`, got `str`, was 'high'"),
    "fractions for whole numbers": (
        {"signals.volatility_short_s": {"low": 10, "high": 30}},
        r"volatility_short_s: Expected `int`, got `float`",
    ),
    "an unknown strategy": ({STRATEGY: ["two_sided", "twosided"]}, r"'twosided' is unknown; choices"),
    "a param of no such strategy": (
        {STRATEGY: ["two_sided", "one_sided"], f"quoters.{SYMBOL}.params.gammas": [1]},
        r"gammas': none of the strategies two_sided, one_sided has it",
    ),
    "an empty list": ({SKEW: []}, r"skew: must have at least one value, was \[\]"),
    "a value twice": ({SKEW: [0.1, 0.1]}, r"skew: holds a value twice"),
    "low above high": ({SKEW: {"low": 1, "high": 0}}, r"skew: low must be below high, was 1 and 0"),
    "log from zero": ({SKEW: {"low": 0, "high": 1, "log": True}}, r"low must be above 0 with log, was 0"),
    "log with a step": ({SKEW: {"low": 0.1, "high": 1, "log": True, "step": 0.1}}, r"log and step exclude"),
    "a step of nothing": ({SKEW: {"low": 0.1, "high": 1, "step": 0}}, r"skew: step: Expected `float` > 0.0"),
    "too many steps": ({SKEW: {"low": 0, "high": 1, "step": 1e-6}}, r"step: must give at most 10000 values"),
    "an unknown word": ({SKEW: {"low": 0, "high": 1, "steps": 3}}, r"unknown key 'steps'; known: high"),
    "a single value": ({SKEW: 0.5}, r"skew: must be a list of values, or a range with low and high, was 0.5"),
    "nothing": ({}, r"space: is empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_one_line_with_key_value_and_rule(name: str) -> None:
    raw, said = BAD[name]
    with pytest.raises(BadInput) as refusal:
        parse_space(raw, CONFIG)
    text = str(refusal.value)
    assert re.search(said, text) and "\n" not in text


SWEEPS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown objective": ({"objective": "cost_10k"}, "there is no number 'cost_10k'; did you mean"),
    "an objective that could be meant either way": (
        {"objective": "activity.quotes"}, "objective 'activity.quotes': say direction",
    ),
    "a constraint without ends": ({"constraints": {"volume": {}}}, "constraints.volume: must have"),
    "a constraint upside down": (
        {"constraints": {"volume": {"min": 2, "max": 1}}}, "constraints.volume: min must be at most max",
    ),
    "an unknown key": ({"trials": 3}, "unknown key 'trials'; did you mean 'n_trials'"),
    "a grid with n_trials": ({"method": "grid", "n_trials": 3}, "n_trials: must be left out of a grid"),
    "no data": ({"data": {}}, "data: is empty"),
    "data that are not there": ({"data": {"d": "nowhere.gz"}}, "nowhere.gz cannot be read"),
    "a base that is not there": ({"base": "nowhere.toml"}, "nowhere.toml does not exist"),
    "a seed below 0": ({"seed": -1}, "seed: Expected `int` >= 0, was -1"),
}  # fmt: skip


@pytest.mark.parametrize("name", SWEEPS)
def test_a_wrong_sweep_file_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    changes, said = SWEEPS[name]
    with pytest.raises(BadInput, match=re.escape(said)):
        plan_of(tmp_path, {SKEW: [0.1]}, **changes)


def test_a_grid_needs_lists_or_steps(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"skew: a grid needs a list of values, or a step; or method"):
        plan_of(tmp_path, {SKEW: {"low": 0, "high": 1}}, method="grid")


def test_params_that_the_trials_strategy_does_not_have_are_left_out() -> None:
    values = {STRATEGY: "glft", SKEW: 0.3, EXCESS: 0.4}
    counted = effective(values, CONFIG)
    assert counted == {STRATEGY: "glft", EXCESS: 0.4}
    found = applied(CONFIG, counted)
    assert found.quoters[SYMBOL].strategy == "glft" and found.risk["excess_share"] == 0.4
    assert "join_best" not in found.quoters[SYMBOL].params  # of the file, but of two_sided
    assert CONFIG.quoters[SYMBOL].params["skew"] == 0.5  # the base stays as it is


def test_a_value_in_a_table_that_the_file_does_not_have_is_put_there() -> None:
    found = applied(CONFIG, {f"risk.symbols.{SYMBOL}.max_order_usd": 200, SIZE: 150})
    assert found.risk["symbols"] == {SYMBOL: {"max_order_usd": 200}}
    assert found.quoters[SYMBOL].params["size_usd"] == 150
