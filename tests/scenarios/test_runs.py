"""Whole runs of `makerd run`, with the local venue of the deployment itself."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from services.console.running.orphans import held_locks
from tests.fixtures.deployment import Makerd, makerd
from tests.fixtures.redis_server import wait_until

SUMMARY_KEYS = {
    "duration_s", "quotes", "orders_placed", "orders_rejected", "cancels", "fills", "fills_buy", "fills_sell",
    "hedges", "volume_usd", "cost_per_10k_usd", "open_orders_at_end", "ledger_matches_venue",
    "tick_to_order_us", "services",
}  # fmt: skip
FILL_KEYS = {"price", "quantity", "fee", "mid", "position_after"}
RECORDING = "binance_usdm_2024-08-08/ethusdt_20240808.gz"


def summary_of(
    deployment: Makerd, *options: str, seconds: float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run for a while to the end; return summary and fills."""
    deployment.run("--duration", str(seconds), *options)
    assert deployment.process is not None
    code = deployment.process.wait(seconds + 60)
    assert code == 0, deployment.output + deployment.logs()[-4_000:]
    summary = json.loads((deployment.run_dir / "summary.json").read_text())
    lines = (deployment.run_dir / "fills.jsonl").read_text().splitlines()
    return summary, [json.loads(line) for line in lines]


def test_X07_a_run_with_a_duration_ends_with_a_summary() -> None:
    with makerd() as deployment:
        summary, fills = summary_of(deployment, seconds=10)
        assert held_locks(deployment.run_dir) == {}
        assert deployment.pids() == {}
        stats = json.loads((deployment.run_dir / "stats.json").read_text())
    assert (stats["is_running"], stats["accounts"]) == (False, summary["accounts"])
    _assert_money_is_that_of_the_fills(summary, fills)
    assert summary.keys() >= SUMMARY_KEYS
    assert summary["tick_to_order_us"].keys() == {"p50", "p99", "p999", "n"}
    assert summary["open_orders_at_end"] == 0
    assert summary["ledger_matches_venue"] is True
    assert summary["orders_placed"] > 0
    assert all(service["restarts"] == 0 for service in summary["services"].values()), summary["services"]
    assert len(fills) == summary["fills"] == summary["fills_buy"] + summary["fills_sell"]
    assert all(fill.keys() >= FILL_KEYS for fill in fills)
    assert _replayed_position(fills) == _last_position(fills)


def test_X07_a_second_run_in_one_directory_ties_out_on_its_own() -> None:
    with makerd() as deployment:
        first, _ = summary_of(deployment, seconds=8)
        second, fills = summary_of(deployment, seconds=8)
    for summary in (first, second):
        assert summary["ledger_matches_venue"] is True
        assert summary["open_orders_at_end"] == 0
        assert summary["cost_per_10k_usd"] is None or abs(summary["cost_per_10k_usd"]) < 50
    assert len(fills) == second["fills"], "the fills of the first run are not those of the second"


def test_X07_a_path_with_a_space_is_a_path() -> None:
    with makerd() as outer:
        deployment = Makerd(outer.run_dir / "a b" / "the run")
        deployment.run_dir.mkdir(parents=True, exist_ok=True)
        try:
            summary, _ = summary_of(deployment, seconds=6)
        finally:
            deployment.close()
    assert summary["ledger_matches_venue"] is True


def test_X07_the_real_data_are_traded_on_both_sides_and_hedged(shared_data: Path) -> None:
    recording = shared_data / RECORDING
    if not recording.exists():
        pytest.skip(f"{recording} is not there")
    with makerd() as deployment:
        summary, fills = summary_of(deployment, "--market", f"replay:{recording}", seconds=60)
    assert summary["orders_placed"] + summary["hedges"] >= 300, summary
    assert summary["fills_buy"] >= 10, summary
    assert summary["fills_sell"] >= 10, summary
    assert summary["hedges"] >= 1, summary
    assert summary["open_orders_at_end"] == 0
    assert summary["ledger_matches_venue"] is True
    assert len(fills) == summary["fills"]


def test_D09_the_end_of_a_recording_is_told(shared_data: Path, tmp_path: Path) -> None:
    recording = shared_data / RECORDING
    if not recording.exists():
        pytest.skip(f"{recording} is not there")
    short = tmp_path / "short one.gz"
    with gzip.open(recording, "rb") as whole:
        short.write_bytes(gzip.compress(b"".join(islice(whole, 1_500))))
    with makerd() as deployment:
        deployment.run("--market", f"replay:{short}")
        wait_until(lambda: "the recording has ended" in deployment.output, 90)
        assert deployment.interrupt() == 0, deployment.output


def _replayed_position(fills: list[dict[str, Any]]) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for fill in fills:
        sign = 1 if fill["side"] == "buy" else -1
        held[fill["symbol"]] = held.get(fill["symbol"], Decimal(0)) + sign * Decimal(fill["quantity"])
    return held


def _last_position(fills: list[dict[str, Any]]) -> dict[str, Decimal]:
    return {fill["symbol"]: Decimal(fill["position_after"]) for fill in fills}


def _assert_money_is_that_of_the_fills(summary: dict[str, Any], fills: list[dict[str, Any]]) -> None:
    """Rows X12 and X20, from what the journal has left: volumes, fees, and parts that add up to the net."""
    volumes = dict.fromkeys(("maker_buy", "maker_sell", "taker_buy", "taker_sell"), Decimal(0))
    for fill in fills:
        name = f"{'maker' if fill['is_maker'] else 'taker'}_{fill['side']}"
        volumes[name] += Decimal(fill["price"]) * Decimal(fill["quantity"])
    assert {name: Decimal(value) for name, value in summary["volumes_usd"].items()} == volumes
    parts = {name: Decimal(value) for name, value in summary["parts_usd"].items()}
    assert parts["fees"] + parts["rebates"] == -sum((Decimal(fill["fee"]) for fill in fills), Decimal(0))
    assert sum(parts.values(), Decimal(0)) == Decimal(summary["net_usd"])
