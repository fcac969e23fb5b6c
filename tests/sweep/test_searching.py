"""The loop: resuming, constraints, refusals and Bayesian search, with workers that only pretend."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.replay.sweep.driving import Sweep
from services.replay.sweep.job import Job
from services.replay.sweep.journal import FILE, Journal
from services.replay.sweep.numbers import Numbers
from services.replay.sweep.trial import State, best_first, winners
from shared.config import Config
from shared.errors import BadInput
from tests.sweep.sweep_files import EXCESS, SKEW, STRATEGY, Pretending, numbers, plan_of, skew_of, swept

BAYES = {"method": "bayes", "n_trials": 30, "parallel": 4, "bounds": 1}
RANGE = {SKEW: {"low": 0.0, "high": 1.0}}


def best_at_03(job: Job) -> Numbers:
    return numbers(-abs(skew_of(job) - 0.3) - 1.0)


def test_the_best_of_a_grid_is_the_smallest_cost_over_all_data(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {SKEW: [0.1, 0.3, 0.8]}, data={"a": "synthetic:1", "b": "synthetic:2"})
    runs = Pretending(best_at_03)
    sweep = swept(plan, runs, tmp_path)
    assert [trial.values[SKEW] for trial in best_first(sweep.trials, plan.goal)] == [0.3, 0.1, 0.8]
    assert sweep.trials[1].numbers is not None and sweep.trials[1].numbers["costs.volume"] == 20_000
    assert len(runs.done) == 3 * 2 + 3 * 2  # trials x data, and the three best under the other models
    assert set(sweep.trials[1].bounds) == {"through", "touch"}
    assert sweep.counts.over == sweep.counts.total == 12


def test_a_stopped_sweep_goes_on_without_repeating_a_finished_job(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path, {SKEW: [0.1, 0.3, 0.8, 0.9]}, data={"a": "synthetic:1", "b": "synthetic:2"}, bounds=1
    )
    first = Pretending(best_at_03, stop_after=5)
    with pytest.raises(KeyboardInterrupt):
        swept(plan, first, tmp_path)
    second = Pretending(best_at_03)
    sweep = swept(plan, second, tmp_path)
    assert len(first.done) == 5 and not set(first.done) & set(second.done)
    assert len(second.done) == 4 * 2 + 2 - 5 and sweep.counts.known == 5
    third = Pretending(best_at_03)
    again = swept(plan, third, tmp_path)
    assert third.done == [] and [trial.numbers for trial in again.trials] == [t.numbers for t in sweep.trials]


def test_a_bayesian_sweep_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, RANGE, **BAYES)
    whole = swept(plan, Pretending(best_at_03), tmp_path / "whole")
    first = Pretending(best_at_03, stop_after=17)
    with pytest.raises(KeyboardInterrupt):
        swept(plan, first, tmp_path / "parts")
    second = Pretending(best_at_03)
    parts = swept(plan, second, tmp_path / "parts")
    assert [trial.values for trial in parts.trials] == [trial.values for trial in whole.trials]
    assert not set(first.done) & set(second.done)


def test_the_number_of_workers_and_their_pace_change_nothing(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, RANGE, **BAYES)
    one = swept(plan, Pretending(best_at_03), tmp_path / "one")
    four = swept(plan, Pretending(best_at_03, workers=4, newest_first=True), tmp_path / "four")
    assert [trial.values for trial in one.trials] == [trial.values for trial in four.trials]


def test_bayesian_search_finds_what_its_start_at_random_did_not(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, RANGE, **BAYES)
    trials = swept(plan, Pretending(best_at_03), tmp_path).trials
    misses = [abs(float(trial.values[SKEW]) - 0.3) for trial in trials]
    assert len(trials) == 30 and min(misses) < 0.02
    assert sum(misses[15:]) < sum(misses[:15]) / 2  # it learns: the later ones are nearer


def test_another_seed_is_another_search(tmp_path: Path) -> None:
    first = swept(plan_of(tmp_path, RANGE, **BAYES), Pretending(best_at_03), tmp_path / "first")
    other = swept(plan_of(tmp_path, RANGE, **BAYES, seed=8), Pretending(best_at_03), tmp_path / "other")
    assert [trial.values for trial in first.trials] != [trial.values for trial in other.trials]


def test_a_changed_sweep_file_takes_over_only_what_is_the_same(tmp_path: Path) -> None:
    swept(plan_of(tmp_path, {SKEW: [0.1, 0.3]}, bounds=1), Pretending(best_at_03), tmp_path)
    more = Pretending(best_at_03)
    swept(plan_of(tmp_path, {SKEW: [0.1, 0.3, 0.9]}, bounds=1), more, tmp_path)
    assert len(more.done) == 1
    longer = Pretending(best_at_03)
    swept(plan_of(tmp_path, {SKEW: [0.1, 0.3]}, bounds=1, duration_s=11.0), longer, tmp_path)
    assert len(longer.done) == 3  # other data: everything again, the winner's bounds too


def test_data_that_were_written_anew_are_other_data(tmp_path: Path) -> None:
    day = tmp_path / "day.csv"
    lines = ["time,bid,bid_size,ask,ask_size", "1700000000,100.00,1,100.01,1"]
    day.write_text("\n".join(lines))
    changes = {"data": {"day": "day.csv"}, "bounds": 1}
    swept(plan_of(tmp_path, {SKEW: [0.3]}, **changes), Pretending(best_at_03), tmp_path)
    os.utime(day, ns=(1, 1))
    again = Pretending(best_at_03)
    swept(plan_of(tmp_path, {SKEW: [0.3]}, **changes), again, tmp_path)
    assert len(again.done) == 2


def test_a_line_that_a_kill_cut_off_is_done_again_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {SKEW: [0.1, 0.3]}, bounds=1)
    swept(plan, Pretending(best_at_03), tmp_path)
    results = tmp_path / FILE
    results.write_bytes(results.read_bytes()[:-20])
    again = Pretending(best_at_03)
    swept(plan, again, tmp_path)
    assert len(again.done) == 1
    results.write_bytes(results.read_bytes().replace(b'"key"', b'"kez"', 1))
    with pytest.raises(BadInput, match=r"results.jsonl: line 1 is damaged"):
        Journal(tmp_path)


def test_two_sweeps_do_not_write_one_directory(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(BadInput, match="another one runs in"):
        Journal(tmp_path)


def test_a_trial_that_breaks_a_constraint_is_shown_and_never_wins(tmp_path: Path) -> None:
    constraints = {"volume": {"min": 5_000}, "drawdown": {"max": 2}}
    plan = plan_of(tmp_path, {SKEW: [0.1, 0.3, 0.8]}, constraints=constraints)
    found = {0.1: numbers(9.0, volume=4_000), 0.3: numbers(5.0, drawdown=3.0), 0.8: numbers(1.0)}
    sweep = swept(plan, Pretending(lambda job: found[skew_of(job)]), tmp_path)
    assert [trial.values[SKEW] for trial in winners(sweep.trials, plan.goal, 3)] == [0.8]
    assert sweep.trials[0].reason == "costs.volume must be at least 5000, was 4000"
    assert sweep.trials[1].reason == "drawdown must be at most 2, was 3"
    assert [trial.state for trial in sweep.trials] == [State.BROKEN, State.BROKEN, State.GOOD]


def test_bayesian_search_stays_where_the_constraints_are_met(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, RANGE, **BAYES, constraints={"volume": {"min": 5_000}})

    def cheaper_where_there_is_no_volume(job: Job) -> Numbers:
        skew = skew_of(job)
        return numbers(-skew, volume=10_000.0 * skew)

    trials = swept(plan, Pretending(cheaper_where_there_is_no_volume), tmp_path).trials
    assert all(float(trial.values[SKEW]) >= 0.5 for trial in winners(trials, plan.goal, 1))
    assert sum(trial.state is State.GOOD for trial in trials[15:]) > 10


def test_what_did_not_trade_has_no_cost_and_cannot_win(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {SKEW: [0.1, 0.3]})
    sweep = swept(
        plan, Pretending(lambda job: numbers(0.0, volume=0.0 if skew_of(job) < 0.2 else 1.0)), tmp_path
    )
    assert [trial.state for trial in sweep.trials] == [State.FAILED, State.GOOD]
    assert "costs.cost_per_10k is not known" in sweep.trials[0].reason


@pytest.mark.parametrize("method", ["grid", "bayes"])
def test_a_combination_that_is_refused_is_a_failed_trial_with_its_reason(tmp_path: Path, method: str) -> None:
    def check(config: Config) -> None:
        if config.risk["excess_share"] > 0.5:
            raise BadInput("risk: excess_share: too much together")

    plan = plan_of(tmp_path, {EXCESS: [0.4, 0.6], SKEW: [0.1, 0.2, 0.3]}, method=method)
    runs = Pretending(best_at_03)
    with Journal(tmp_path) as journal:
        trials = Sweep(plan, runs, journal, check).run()
    refused = [trial for trial in trials if trial.state is State.REFUSED]
    assert refused and all(trial.values[EXCESS] == 0.6 for trial in refused)
    assert {trial.reason for trial in refused} == {"risk: excess_share: too much together"}
    assert winners(trials, plan.goal, 1)[0].values == {EXCESS: 0.4, SKEW: 0.3}


def test_a_rule_of_the_strategys_own_refuses_without_any_job(tmp_path: Path) -> None:
    space = {"signals.volatility_short_s": [100, 300], "signals.volatility_long_s": [200, 400]}
    plan = plan_of(tmp_path, space, bounds=1)
    runs = Pretending(lambda _job: numbers(1.0))
    trials = swept(plan, runs, tmp_path).trials
    assert [trial.state is State.REFUSED for trial in trials] == [False, False, True, False]
    assert "volatility_short_s: must be at most volatility_long_s (200), was 300" in trials[2].reason
    assert len(runs.done) == 3 + 1


def test_strategies_of_a_grid_are_tried_once_with_params_of_their_own(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {STRATEGY: ["two_sided", "glft"], SKEW: [0.1, 0.2]}, bounds=1)
    trials = swept(plan, Pretending(lambda _job: numbers(1.0)), tmp_path).trials
    assert [trial.values for trial in trials] == [
        {STRATEGY: "two_sided", SKEW: 0.1}, {STRATEGY: "two_sided", SKEW: 0.2}, {STRATEGY: "glft"},
    ]  # fmt: skip
