"""The report of the benchmarks has the shape that programs read, and matches requests with frames."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.messages import OrderStatus, OrderUpdate, Side, Top
from shared.stats import quantile
from tests.bench import matching, memory
from tests.bench.__main__ import Benchmark, main
from tests.bench.bare_chain import latencies_us
from tests.bench.frames import CYCLE, START_ID, SymbolFrames, snapshot
from tests.bench.listener import Heard
from tests.bench.machine import describe_machine, usage_of
from tests.bench.processes import BenchFailure
from tests.bench.results import Result, distribution, ratios, write
from tests.bench.stack import Running
from tests.bench.tick_to_order import wire_latencies_us
from tests.bench.venue import STAMP_MASK, Frame, Request

SYMBOL = "SOL_USDC_PERP"
STAMP_US = 1_760_000_000_123_456


def written(tmp_path: Path, results: list[Result]) -> dict[str, Any]:
    write(tmp_path / "run" / "bench.json", describe_machine(), results)
    document: dict[str, Any] = orjson.loads((tmp_path / "run" / "bench.json").read_bytes())
    return document


def test_a_distribution_is_written_with_three_quantiles_and_no_value(tmp_path: Path) -> None:
    document = written(tmp_path, [distribution("tick_to_order", "us", range(1, 1001))])
    assert set(document) == {"machine", "results"}
    assert document["machine"]["cpus"] >= 1
    assert document["results"] == [
        {"name": "tick_to_order", "unit": "us", "n": 1000, "p50": 500, "p99": 990, "p999": 999}
    ]


def test_a_value_is_written_without_quantiles(tmp_path: Path) -> None:
    document = written(tmp_path, [Result("matching_engine", "operations/s", 10, value=5.0, note="a mix")])
    (result,) = document["results"]
    assert result == {
        "name": "matching_engine",
        "unit": "operations/s",
        "n": 10,
        "value": 5.0,
        "note": "a mix",
    }


def test_the_matching_engine_reports_operations_a_second() -> None:
    (result,) = matching.measure(500)
    assert (result.name, result.p50) == ("matching_engine", None)
    assert result.value is not None and result.value > 0
    assert 0 < result.n <= 500


def test_every_process_has_one_memory_result_of_its_service() -> None:
    usage = usage_of(os.getpid())
    found = memory.results([Running("quoter", usage), Running("quoter", usage), Running("risk", usage)])
    assert [(one.name, one.n) for one in found] == [("memory_quoter", 2), ("memory_risk", 1)]
    assert all(one.value is not None and 1 < one.value < 10_000 for one in found)


def test_ratios_relate_tick_to_order_to_both_other_chains() -> None:
    results = [
        distribution("tick_to_order", "us", [300.0]),
        distribution("bare_chain", "us", [200.0]),
        distribution("one_process", "us", [100.0]),
    ]
    assert [(one.name, one.value) for one in ratios(results)] == [
        ("tick_to_order_over_bare_chain_p50", 1.5),
        ("tick_to_order_over_bare_chain_p99", 1.5),
        ("tick_to_order_over_one_process_p50", 3.0),
    ]
    assert all(one.note.endswith(": met") for one in ratios(results))


def test_a_bound_that_is_missed_is_called_so() -> None:
    results = [distribution("tick_to_order", "us", [301.0]), distribution("bare_chain", "us", [200.0])]
    assert {one.note for one in ratios(results)} == {"bound: at most 1.5: MISSED"}


def test_a_benchmark_that_fails_leaves_the_results_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_directory: Path, _quick: bool) -> list[Result]:
        raise BenchFailure("it fell over")

    def works(_directory: Path, _quick: bool) -> list[Result]:
        return [Result("feed_capacity", "frames/s", 1, value=5.0)]

    chosen = (
        Benchmark("quoters", ("quoters_",), fails),
        Benchmark("feed_capacity", ("feed_capacity",), works),
    )
    monkeypatch.setattr("tests.bench.__main__.BENCHMARKS", chosen)
    out = tmp_path / "bench.json"
    assert main(["--out", str(out)]) == 1
    assert [one["name"] for one in orjson.loads(out.read_bytes())["results"]] == ["feed_capacity"]


def test_quantiles_are_samples_and_nothing_measured_is_an_error() -> None:
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0
    with pytest.raises(ValueError, match="nothing was measured"):
        distribution("tick_to_order", "us", [])


def test_a_bare_request_is_matched_with_the_frame_whose_stamp_it_carries() -> None:
    frames = [
        Frame(f"bookTicker.{SYMBOL}", SYMBOL, STAMP_US, 1_000),
        Frame(f"depth.{SYMBOL}", SYMBOL, STAMP_US, 2_000),
    ]
    requests = [Request("POST", SYMBOL, STAMP_US & STAMP_MASK, None, 401, 252_000)]
    assert latencies_us(frames, requests, SYMBOL) == [250.0]


def update(cause_ns: int, client_id: int, sent_ns: int, status: OrderStatus) -> Heard:
    message = OrderUpdate(
        "main", SYMBOL, client_id, "77", Side.BUY, 1, 1, 0, status, "", cause_ns, sent_ns, False
    )
    return Heard(message, sent_ns, sent_ns)


def test_tick_to_order_ends_at_the_first_request_that_a_frame_caused() -> None:
    top = Top("backpack", SYMBOL, 1, 1, 2, 1, 9, STAMP_US * 1_000, 5_000, 5_000, 5_000)
    heard = [
        Heard(top, 6_000, 7_000),
        update(5_000, 11, 220_000, OrderStatus.PENDING_CANCEL),
        update(5_000, 12, 190_000, OrderStatus.PENDING_NEW),
        update(0, 13, 100_000, OrderStatus.PENDING_NEW),
    ]
    frames = [Frame(f"depth.{SYMBOL}", SYMBOL, STAMP_US, 1_000)]
    requests = [
        Request("POST", SYMBOL, 12, "78", 200, 201_000),
        Request("DELETE", SYMBOL, 11, "77", 200, 231_000),
    ]
    assert wire_latencies_us(heard, frames, requests) == [200.0]


def test_the_frame_source_tells_a_book_that_its_snapshot_agrees_with() -> None:
    frames, stamp = SymbolFrames(SYMBOL), b"%016d" % STAMP_US
    book = {side: dict(snapshot(START_ID)[side]) for side in ("bids", "asks")}
    while frames.depth_id < START_ID + 2 * CYCLE + 7 or frames.best_id < frames.depth_id:
        data = orjson.loads(frames.next_frame(stamp)[4:])["data"]
        assert data["E"] == STAMP_US
        if data["e"] == "depth":
            assert data["U"] == data["u"] == frames.depth_id
            _apply(book["bids"], data["b"])
            _apply(book["asks"], data["a"])
        elif data["e"] == "bookTicker":
            assert data["b"] == max(book["bids"], key=float)
            assert float(data["B"]) == float(book["bids"][data["b"]])
    told = snapshot(frames.depth_id)
    assert {price: float(size) for price, size in told["bids"]} == _numbers(book["bids"])
    assert {price: float(size) for price, size in told["asks"]} == _numbers(book["asks"])


def _apply(side: dict[str, str], changes: list[list[str]]) -> None:
    for price, size in changes:
        if float(size):
            side[price] = size
        else:
            side.pop(price, None)


def _numbers(side: dict[str, str]) -> dict[str, float]:
    return {price: float(size) for price, size in side.items()}
