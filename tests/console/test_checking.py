"""`makerd check` tells which policies move inventory, and what contradicts what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.console.commands.checking import check
from shared.errors import BadInput

HEDGE = """
[risk.hedges.SOL_USDC]
account = "main"
leg_account = "main"
leg_symbol = "BTC_USDC_PERP"
[risk.hedges.SOL_USDC.active]
[risk.hedges.SOL_USDC.passive]
stop_pct = 0.5
"""


def config(directory: Path, symbol: str, more: str = "", strategy: str = "two_sided") -> Path:
    path = directory / "config.toml"
    path.write_text(f"""
[deployment]
run_dir = "{directory}"
[venues.backpack]
protocol = "backpack"
ready_file = "venue.json"
[accounts.main]
venue = "backpack"
[quoters.{symbol}]
account = "main"
strategy = "{strategy}"
[quoters.{symbol}.params]
size_usd = 100
{more}""")
    return path


Told = Callable[..., str]


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.delenv("MAKERD_RUN_DIR", raising=False)

    def lines(symbol: str, more: str = "", strategy: str = "two_sided") -> str:
        assert check(config(tmp_path, symbol, more, strategy), "150", None) == 0
        return capsys.readouterr().out

    return lines


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("", "on: base_asset_target_pct 30, threshold_pct 15"),
        ("[risk.rebalance]\nthreshold_pct = 10", "on: base_asset_target_pct 30, threshold_pct 10"),
        ("[risk.rebalance]\ndisable = true", "off\n"),
        ("[risk]\nexcess_share = 0.5\n[risk.stops]\nstop_loss_usd = 5", "off, beside excess_share and stops"),
    ],
)
def test_R33_check_tells_whether_a_spot_symbol_is_rebalanced(told: Told, more: str, line: str) -> None:
    assert f"SOL_USDC: risk.rebalance: {line}" in told("SOL_USDC", more)
    assert "rebalance" not in told("SOL_USDC_PERP", more), "a perpetual never is"


def test_R25_check_tells_the_hedges_as_they_are_understood(told: Told) -> None:
    shown = told("SOL_USDC", HEDGE)
    assert "SOL_USDC: risk.hedges: account main, leg_account main, leg_symbol BTC_USDC_PERP" in shown
    assert "initial_share 0.5 at spot, 0 for a perp, min_hedge_usd 5, active (max_move 0.65, edge 1" in shown
    assert "passive (trigger_pct 2.25" in shown and "stop_pct 0.5" in shown
    assert "initial_share 0.3," in told(
        "SOL_USDC", HEDGE.replace("leg_symbol", "initial_share = 0.3\nleg_symbol")
    )


def test_E03_check_warns_of_a_maker_hedge_whose_other_half_is_missing(told: Told) -> None:
    words = "SOL_USDC_PERP: warning: maker_hedge without [risk.fill_hedge]: nothing trades its fills back"
    assert words in told("SOL_USDC_PERP", strategy="maker_hedge")
    assert "warning" not in told("SOL_USDC_PERP", "[risk.fill_hedge]", "maker_hedge")
    assert "warning" not in told("SOL_USDC_PERP")


def test_E03_two_references_are_refused_in_one_clear_line(told: Told) -> None:
    with pytest.raises(BadInput, match=r"reference 0 must be that of risk.fill_hedge, which is 2: "):
        told("SOL_USDC_PERP", "[risk.fill_hedge]\nreference = 2", "maker_hedge")
    told("SOL_USDC_PERP", "[risk.symbols.SOL_USDC_PERP.fill_hedge]\nreference = 0", "maker_hedge")
