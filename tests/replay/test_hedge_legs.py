"""A hedge in a replay: the leg is a symbol of another account and venue, with data but without a quoter."""

from __future__ import annotations

import pytest

from services.replay.running import Replayed, replay
from services.replay.settings import parse_replay
from services.replay.sources.opening import open_data
from services.replay.venue.queue import FillModel
from shared.config import Config, parse
from shared.errors import BadInput

HEDGED, LEG = "SOL_USDC", "SOL_USDC_PERP"


def config_with(hedges: bool = True) -> Config:
    hedge = {
        "account": "main", "leg_account": "second", "leg_symbol": LEG, "initial_share": 0.3,
        "active": {"max_move": 0.1},
    }  # fmt: skip
    risk: dict[str, object] = {"max_position_share": 0.8, "rebalance": {"disable": True}}
    raw = {
        "venues": {name: {"protocol": "backpack", "ready_file": "venue.json"} for name in ("one", "two")},
        "accounts": {"main": {"venue": "one"}, "second": {"venue": "two"}},
        "quoters": {
            HEDGED: {
                "account": "main",
                "strategy": "two_sided",
                "params": {"join_best": True, "size_usd": 400, "refresh_interval_s": 0.1},
            }
        },
        "risk": risk | ({"hedges": {HEDGED: hedge}} if hedges else {}),
        "replay": {"held": {HEDGED: 30}},
    }
    return parse(raw, Config, "test")


def replayed(config: Config, *data: str) -> Replayed:
    sources = open_data(list(data), config, parse_replay(config.replay), 40.0)
    return replay(config, sources, (FillModel.QUEUE,))


def test_R25_a_hedge_on_another_venue_is_traded_and_adds_up() -> None:
    done = replayed(config_with(), f"{HEDGED}=synthetic:3", f"{LEG}=synthetic:3").outcomes[0]
    assert done.is_clean
    assert done.difference == {"main": 0, "second": 0}
    leg, hedged = done.reports[LEG], done.reports[HEDGED]
    assert leg.activity.fills, "nothing was hedged"
    assert hedged.activity.fills > leg.activity.fills
    assert leg.activity.hedges, "a leg has no quotes: every fill of it is a hedge"
    assert hedged.presence.two_sided > 0.5
    assert leg.presence.two_sided == 0


def test_R25_a_leg_without_data_is_named() -> None:
    with pytest.raises(BadInput, match=f"no data of {LEG}, the leg that hedges {HEDGED}"):
        replayed(config_with(), f"{HEDGED}=synthetic:3")
