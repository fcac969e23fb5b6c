"""The winner as a file: TOML that reads back as it was, and that every service takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.commands.checking import check
from services.replay.sweep.result.toml import to_toml
from services.replay.sweep.result.writing import best_toml, write_result
from services.replay.sweep.space import applied
from services.replay.sweep.trial import winners
from shared.config import load
from tests.sweep.sweep_files import EXCESS, PAPER, SKEW, STRATEGY, SYMBOL, Pretending, numbers, plan_of, swept

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
value = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(text, value, max_size=4))
def test_what_is_written_reads_back_as_it_was(tables: dict[str, object]) -> None:
    assert tomllib.loads(to_toml(tables)) == tables


def test_what_is_none_is_left_out() -> None:
    assert tomllib.loads(to_toml({"a": None, "b": {"c": None, "d": 1}})) == {"b": {"d": 1}}


def test_the_winner_is_a_configuration_that_check_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = {
        STRATEGY: ["two_sided", "glft"],
        SKEW: [0.1, 0.3],
        EXCESS: {"low": 0.2, "high": 0.4, "step": 0.1},
    }
    plan = plan_of(tmp_path, space)
    runs = Pretending(lambda job: numbers(2.0 if job.config.quoters[SYMBOL].strategy == "glft" else 1.0))
    trials = swept(plan, runs, tmp_path).trials
    written = write_result(tmp_path, plan, trials)
    best = winners(trials, plan.goal, 1)[0]
    assert [path.name for path in written] == ["sweep.json", "sweep.html", "best.toml"]
    assert load(written[2], with_changes=False) == applied(plan.config, best.values)
    assert check(written[2], "150", None) == 0
    assert "best.toml: good" in capsys.readouterr().out
    assert f"{STRATEGY}: two_sided -> glft" in written[2].read_text()


def test_everything_that_was_not_searched_stays_as_the_base_has_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {SKEW: [0.3]})
    trials = swept(plan, Pretending(lambda _job: numbers(1.0)), tmp_path).trials
    expected = tomllib.loads(PAPER.read_text())
    expected["quoters"][SYMBOL]["params"]["skew"] = 0.3
    assert tomllib.loads(best_toml(plan, trials[0])) == expected


def test_without_a_winner_no_configuration_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "best.toml").write_text("# of an earlier sweep")
    plan = plan_of(tmp_path, {SKEW: [0.3]}, constraints={"volume": {"min": 1e9}})
    trials = swept(plan, Pretending(lambda _job: numbers(1.0)), tmp_path).trials
    assert [path.name for path in write_result(tmp_path, plan, trials)] == ["sweep.json", "sweep.html"]
    assert not (tmp_path / "best.toml").exists()
