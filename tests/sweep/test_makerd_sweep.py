"""`makerd sweep` as a person uses it, over real replays of the synthetic market."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import orjson
import psutil
import pytest

from services.console.__main__ import main
from services.replay.sources.base import Gap
from services.replay.sources.synthetic import SyntheticSource
from services.replay.sweep import cluster
from services.replay.sweep.driving import Sweep
from services.replay.sweep.executor import Executor, InProcess
from services.replay.sweep.identity import key_of
from services.replay.sweep.job import BOUNDING, Job, run_job
from services.replay.sweep.journal import Journal
from services.replay.sweep.plan import Plan
from services.replay.sweep.result.rows import notes
from services.replay.sweep.signals import undisturbed
from shared.clock import NS_PER_S
from shared.errors import BadInput
from tests.sweep.sweep_files import EXCESS, SKEW, SYMBOL, plan_of, sweep_file

DATA = {"one": f"{SYMBOL}=synthetic:1", "both": ["SOL_USDC_PERP=synthetic:2", "BTC_USDC_PERP=synthetic:2"]}


def makerd(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["makerd", *map(str, arguments)])
    return main()


def test_a_sweep_leaves_a_table_a_page_and_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sweep_file(tmp_path, {SKEW: [0.1, 0.9], EXCESS: [0.2, 0.5]}, data=DATA, bounds=1, duration_s=6.0)
    out = tmp_path / "out"
    assert makerd(monkeypatch, "sweep", path, "--out", out, "--workers", 0) == 0
    shown = capsys.readouterr()
    assert "smallest costs.cost_per_10k first" in shown.out and "pessimistic" in shown.out
    assert "4 trials, 10 jobs done, 0 known from before" in shown.err
    found = orjson.loads((out / "sweep.json").read_bytes())
    costs = [trial["objective"] for trial in found["trials"]]
    assert costs == sorted(costs) and found["best"] == found["trials"][0]["number"]
    best = found["trials"][0]
    assert set(best["bounds"]) == {"through", "touch"} and set(best["by_data"]) == set(DATA)
    volumes = [part["costs.volume"] for part in best["by_data"].values()]
    assert best["numbers"]["costs.volume"] == pytest.approx(sum(volumes)) and min(volumes) > 0
    page = (out / "sweep.html").read_text()
    assert "Plotly.newPlot" in page and "parcoords" in page and 'src="http' not in page
    assert makerd(monkeypatch, "sweep", path, "--out", out, "--workers", 0) == 0
    assert "4 trials, 0 jobs done, 10 known from before" in capsys.readouterr().err
    assert makerd(monkeypatch, "check", out / "best.toml", "--mid", "150") == 0


def test_a_bound_is_what_all_three_models_together_say(tmp_path: Path) -> None:
    job = Job(plan_of(tmp_path, {SKEW: [0.5]}).config, ("synthetic:5",), 10.0)
    alone = run_job(job).numbers | run_job(msgspec.structs.replace(job, models=BOUNDING)).numbers
    together = run_job(msgspec.structs.replace(job, models=("through", "queue", "touch"))).numbers
    assert alone == together


def test_a_core_that_crashes_fails_its_trial_and_not_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: Any) -> None:
        raise ZeroDivisionError("spread")

    job = Job(plan_of(tmp_path, {SKEW: [0.5]}).config, ("synthetic:5",), 10.0)
    monkeypatch.setattr("services.replay.sweep.job.replay", crash)
    assert run_job(job).problem == "crashed: ZeroDivisionError: spread"


def test_everything_that_decides_a_result_is_in_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = plan_of(tmp_path, {SKEW: [0.5]}).config
    job = Job(config, ("synthetic:5",), 10.0)
    other = msgspec.structs.replace(config, risk=config.risk | {"excess_share": 0.4})
    jobs = [
        job, Job(other, job.data, 10.0), Job(config, ("synthetic:6",), 10.0), Job(config, job.data, 11.0),
        Job(config, job.data, 10.0, BOUNDING),
    ]  # fmt: skip
    keys = [key_of(one) for one in jobs]
    assert len(set(keys)) == 5 and key_of(Job(config, ("synthetic:5",), 10.0)) == keys[0]
    monkeypatch.setattr("services.replay.sweep.identity.code_digest", lambda: "another version")
    assert key_of(job) not in keys


def test_trades_beside_a_file_of_prices_decide_its_result_too(tmp_path: Path) -> None:
    config = plan_of(tmp_path, {SKEW: [0.5]}).config
    prices, trades = tmp_path / "x__market-depth.csv", tmp_path / "x__trade.csv"
    prices.write_text("prices")
    job = Job(config, (f"{SYMBOL}={prices}",), 10.0)
    keys = [key_of(job)]
    for text in ("trades", "other trades"):
        trades.write_text(text)
        keys.append(key_of(job))
    assert len(set(keys)) == 3


def test_gaps_of_the_data_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(tmp_path, {SKEW: [0.5]}, duration_s=5.0)
    (name,) = plan.data
    gap = Gap(1_700_000_001 * NS_PER_S, "silent")  # it does not end
    monkeypatch.setattr(SyntheticSource, "gaps", lambda _source: [gap])
    with Journal(tmp_path / "journal") as journal:
        trials = Sweep(plan, InProcess(), journal, lambda _config: None).run()
    assert notes(trials, 9)[-1] == f"data {name}: gaps of 4.0 s, in which nothing was quoted"


def test_two_workers_stream_the_days_and_are_gone_afterwards(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {SKEW: [0.1, 0.9]}, duration_s=5.0, bounds=1)
    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}
    with (
        pytest.raises(KeyboardInterrupt),
        cluster.executor(2, None) as runs,
        Journal(tmp_path / "cluster") as journal,
    ):
        assert isinstance(runs, cluster.Dask) and runs.workers == 2
        started = _workers_since(me, before)
        ports = [one.laddr for one in me.net_connections("tcp") if one.status == "LISTEN"]
        assert ports and all(address.ip == "127.0.0.1" and address.port != 8787 for address in ports)
        trials = Sweep(plan, runs, journal, lambda _config: None).run()
        with cluster.executor(9, runs.scheduler) as theirs:  # the workers of a scheduler that runs already
            _check_memory(theirs, plan)
        runs.submit("never done", Job(plan.config, plan.data["day"], 1e6))
        raise KeyboardInterrupt
    assert len(started) == 2 and psutil.wait_procs(started, timeout=5)[1] == []
    with Journal(tmp_path / "here") as journal:
        alone = Sweep(plan, InProcess(), journal, lambda _config: None).run()
    assert [trial.numbers for trial in trials] == [trial.numbers for trial in alone]


def _workers_since(me: psutil.Process, before: set[int]) -> list[psutil.Process]:
    """Return our new processes but Python's own, which stays as long as we do."""
    found = [child for child in me.children(recursive=True) if child.pid not in before]
    return [child for child in found if "resource_tracker" not in " ".join(child.cmdline())]


def _check_memory(runs: Executor, plan: Plan) -> None:
    """Ten times the day takes the workers no more memory; kept as a list it would be 10 MiB."""
    done = []
    for duration_s in (20.0, 200.0):
        runs.submit(str(duration_s), Job(plan.config, plan.data["day"], duration_s))
        done.append(runs.next()[1])
    short, long = done
    assert long.events > 8 * short.events
    assert long.peak_mib - short.peak_mib < 6


def test_an_address_where_no_scheduler_is_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.3)
    path = sweep_file(tmp_path, {SKEW: [0.1]})
    assert makerd(monkeypatch, "sweep", path, "--scheduler", "tcp://127.0.0.1:1", "--out", tmp_path) == 78
    said = capsys.readouterr().err
    assert "--scheduler 'tcp://127.0.0.1:1': no scheduler answers" in said and said.count("\n") == 1


def test_data_that_turn_out_to_be_damaged_end_the_sweep_with_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged(*_arguments: Any) -> None:
        raise BadInput("day.gz: line 7 is damaged")

    monkeypatch.setattr("services.replay.sweep.job.replay", damaged)
    assert (
        makerd(monkeypatch, "sweep", sweep_file(tmp_path, {SKEW: [0.1]}), "--out", tmp_path, "--workers", 0)
        == 78
    )
    assert capsys.readouterr().err == "makerd: day.gz: line 7 is damaged\n"


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("services.replay.sweep.executor.run_job", interrupted)
    assert (
        makerd(monkeypatch, "sweep", sweep_file(tmp_path, {SKEW: [0.1]}), "--out", tmp_path, "--workers", 0)
        == 130
    )
    assert "the same command goes on" in capsys.readouterr().err


def test_without_its_packages_it_says_in_one_line_how_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert makerd(monkeypatch, "sweep", tmp_path / "any.toml") == 78
    said = capsys.readouterr().err
    assert "optuna and dask[distributed]: make .venv/sweep.stamp" in said and said.count("\n") == 1


def test_a_start_is_finished_before_ctrl_c_counts() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), undisturbed():
        signal.raise_signal(signal.SIGINT)
        done.append("started")
        raise BadInput("a worker was interrupted, too")
    assert done == ["started"]


def test_other_commands_load_nothing_of_it() -> None:
    code = (
        "import sys, services.console.__main__; "
        "sys.exit(any(name in sys.modules for name in ('optuna', 'dask', 'distributed', 'plotly')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
