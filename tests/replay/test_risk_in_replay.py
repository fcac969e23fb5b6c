"""Risk's policies in a replay: halts stick as live, and the leg of a hedge is traded without a quoter."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.replay.running import replay
from services.replay.settings import ReplaySettings
from services.replay.sources.opening import open_data
from services.replay.venue.queue import FillModel
from shared.config import Config, load
from shared.errors import BadInput
from shared.messages import Fill, Side
from tests.replay.market import SYMBOL, config_of, config_text, trade
from tests.replay.stage import Stage, synthetic
from tests.replay.test_machine import INSIDE

LEG = "ETH_USDC"  # of the same base: it is held long against short inventory
HEDGE = f"""
[risk.hedges.{SYMBOL}]
account = "main"
leg_account = "ACCOUNT"
leg_symbol = "{LEG}"
initial_share = 0
min_hedge_usd = 5
[risk.hedges.{SYMBOL}.active]
max_move = 0.001
edge = 0
style = "ioc"
"""
FAR = '[venues.far]\nprotocol = "backpack"\nready_file = "far.json"\n[accounts.second]\nvenue = "far"\n'


def hedged(directory: Path, account: str) -> Config:
    path = directory / "hedged.toml"
    path.write_text(config_text(replay="taker_fee_bps = 4\n", more=FAR + HEDGE.replace("ACCOUNT", account)))
    return load(path, with_changes=False)


def test_a_halt_that_a_policy_wants_sticks_and_is_told(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        strategy=INSIDE,
        more='[risk.drawdown]\nmax_usd = 1\naction = "halt"\n',
        model=FillModel.TOUCH,
    ).begin()
    (order,) = [order for order in stage.resting if order.side is Side.BUY]
    stage.tell(trade(Side.SELL, order.price - 1, 1_000, stage.now_ns)).run(3.0)
    assert len(stage.watch.of(Fill)) == 1 and stage.resting
    for bid in (197_000, 194_500, 192_000):  # 0.05 of what fell by 80: some 4 are lost
        stage.book = (bid, 5_000, bid + 10, 5_000)
        stage.run(8.0)
    assert not stage.resting and "halted" in stage.quotes.reason
    ((_, told),) = [alert for alert in stage.machine.duty.alerts if "halted by a policy" in alert[1]]
    assert SYMBOL in told or "ALL" in told
    stage.book = (200_000, 5_000, 200_010, 5_000)  # all is won back: only a person resumes
    stage.run(90.0, step_ms=250)
    assert not stage.resting and "halted" in stage.quotes.reason


@pytest.mark.parametrize("account", ["main", "second"])
def test_R25_the_leg_of_a_hedge_is_traded_by_its_targets_alone(tmp_path: Path, account: str) -> None:
    scope = {"main": "backpack", "second": "far"}[account]
    leg_market = synthetic(duration_s=20, symbol=LEG, scope=scope)
    sources = {SYMBOL: synthetic(duration_s=20), LEG: leg_market}
    done = replay(hedged(tmp_path, account), sources, (FillModel.TOUCH,))
    (outcome,) = done.outcomes
    leg = outcome.reports[LEG]
    assert leg.activity.fills and leg.activity.quotes == 0
    assert leg.activity.maker_share == 0.0
    assert outcome.is_clean and not any(outcome.difference.values())
    assert set(outcome.difference) == {"main", account}


def test_the_data_of_a_leg_are_those_of_its_own_venue(tmp_path: Path) -> None:
    config = hedged(tmp_path, "second")
    found = open_data([f"{SYMBOL}=synthetic", f"{LEG}=synthetic"], config, ReplaySettings(), 5.0)
    assert found[LEG][0].instrument().scope == "far" and found[SYMBOL][0].instrument().scope == "backpack"


def test_a_hedge_without_data_of_its_leg_is_refused_and_one_of_another_symbol_left_out(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadInput, match=f"no data of {LEG}, the leg that hedges {SYMBOL}"):
        replay(hedged(tmp_path, "main"), {SYMBOL: synthetic()})
    other = HEDGE.replace(SYMBOL, "SOL_USDC_PERP").replace("ACCOUNT", "main")
    config = config_of(tmp_path, (SYMBOL, "SOL_USDC_PERP"), more=other)
    done = replay(config, {SYMBOL: synthetic()}, (FillModel.TOUCH,))
    assert done.outcomes[0].is_clean and done.outcomes[0].reports[SYMBOL].activity.fills


def test_a_hedge_by_an_account_that_there_is_not_is_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path, more=HEDGE.replace("ACCOUNT", "third"))
    with pytest.raises(BadInput, match=r"leg_account: no such account 'third'"):
        replay(config, {SYMBOL: synthetic(), LEG: synthetic(symbol=LEG)})
