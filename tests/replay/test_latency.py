"""Latencies: constant, or drawn from what `make bench` measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.replay.latency import Drawn, LatencySettings, hop_of
from services.replay.running import replay
from services.replay.venue.queue import FillModel
from shared.errors import BadInput
from tests.bench.results import distribution, to_json
from tests.replay.market import SYMBOL, config_of
from tests.replay.stage import synthetic


def bench(path: Path, *results: Any) -> str:
    path.write_text(json.dumps({"results": list(results)}))
    return str(path)


def measured(**quantiles: Any) -> dict[str, Any]:
    return {"name": "tick_to_order", "p50": 300.0, "p99": 900.0, "p999": 2_000.0} | quantiles


def test_a_constant_hop_is_always_the_same() -> None:
    hop = hop_of(LatencySettings(hop_ms=0.25))
    assert hop.constant_ns == 250_000 and {hop.draw_ns() for _ in range(5)} == {250_000}


def test_a_drawn_hop_has_the_measured_quantiles_of_half_the_chain(tmp_path: Path) -> None:
    path = bench(tmp_path / "bench.json", {"name": "other"}, measured())
    hop = hop_of(LatencySettings(bench=path))
    assert hop.constant_ns is None
    draws = sorted(hop.draw_ns() for _ in range(20_000))
    assert draws[10_000] == pytest.approx(150_000, rel=0.03)
    assert draws[19_800] == pytest.approx(450_000, rel=0.1)
    assert draws[0] >= 75_000 and draws[-1] <= 1_000_000


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    path = bench(tmp_path / "bench.json", measured())

    def drawn(seed: int) -> list[int]:
        hop = hop_of(LatencySettings(bench=path, seed=seed))
        return [hop.draw_ns() for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_what_make_bench_writes_can_be_drawn_from(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_bytes(to_json({}, [distribution("tick_to_order", "us", [100.0, 200.0, 300.0])]))
    hop = hop_of(LatencySettings(bench=str(path)))
    assert 50_000 <= hop.draw_ns() <= 150_000


def test_every_share_between_two_points_is_drawn_between_them() -> None:
    hop = Drawn([(0.0, 100.0), (1.0, 100.0)], 1, 3)
    assert {hop.draw_ns() for _ in range(20)} == {100}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("no json", "holds no result 'tick_to_order' with p50, p99 and p999 in us"),
        ("{}", "holds no result"),
        ("[1]", "holds no result"),
        ('{"results": [{"name": "other"}]}', "holds no result"),
        ('{"results": [{"p50": 1}]}', "holds no result"),
        ('{"results": [{"name": "tick_to_order", "p50": null, "p99": 1, "p999": 1}]}', "holds no result"),
        ('{"results": [{"name": "tick_to_order", "p50": "x", "p99": 1, "p999": 1}]}', "holds no result"),
        (
            '{"results": [{"name": "tick_to_order", "p50": -1, "p99": 1, "p999": 1}]}',
            "0 <= p50 <= p99 <= p999",
        ),
        (
            '{"results": [{"name": "tick_to_order", "p50": 5, "p99": 1, "p999": 9}]}',
            "0 <= p50 <= p99 <= p999",
        ),
        ('{"results": [{"name": "tick_to_order", "p50": 5, "p99": 6, "p999": 1e300}]}', "p999 < 60 s"),
    ],
)
def test_a_bad_bench_is_one_clear_line(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "bench.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput, match=words) as caught:
        hop_of(LatencySettings(bench=str(path)))
    assert str(caught.value).startswith(f"replay.latency.bench '{path}'")


def test_a_replay_with_drawn_hops_adds_up_and_repeats_itself(tmp_path: Path) -> None:
    path = bench(tmp_path / "bench.json", measured(p999=40_000.0))
    config = config_of(tmp_path, replay=f"maker_fee_bps = 1\nlatency = {{bench = '{path}', seed = 5}}\n")
    first, second = (replay(config, {SYMBOL: synthetic()}, (FillModel.QUEUE,)) for _ in range(2))
    (outcome,) = first.outcomes
    assert outcome.reports == second.outcomes[0].reports and outcome.reports[SYMBOL].activity.fills
    assert outcome.is_clean and not any(outcome.difference.values())


def test_no_latency_at_all_is_possible(tmp_path: Path) -> None:
    rest = "latency = {feed_ms = 0, hop_ms = 0, order_ms = 0, reply_ms = 0}\n"
    done = replay(config_of(tmp_path, replay=rest), {SYMBOL: synthetic()}, (FillModel.QUEUE,))
    assert done.outcomes[0].is_clean and not any(done.outcomes[0].difference.values())
