"""Configuration of quoters: one clear line for whatever is wrong; strategies as plug-ins; `explain`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.quoter.config import parse_quoter, settings_of
from services.quoter.explain import Allowed, Row, explain
from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import MarketView, Memory, Needs, Params, Strategy, Wanted
from shared.config import Config, Quoter, load
from shared.errors import BadInput
from shared.messages import Level, Side
from tests.quoter.builders import ACCOUNT, INSTRUMENT, SYMBOL, instrument, view

ALLOWED = Allowed(equity_usd=10_000.0, position_usd=2_000.0, order_usd=1_000.0)
FILE = """
[venues.backpack]
protocol = "backpack"
ready_file = "run/venue.json"
[accounts.main]
venue = "backpack"
[quoters.SOL_USDC_PERP]
account = "main"
strategy = "two_sided"
params = { size_usd = 50, join_best = true }
"""


def config(tmp_path: Path, text: str = FILE) -> Config:
    path = tmp_path / "paper.toml"
    path.write_text(text)
    return load(path)


def test_settings_of_a_configured_symbol(tmp_path: Path) -> None:
    settings = settings_of(config(tmp_path), SYMBOL)
    assert (settings.venue, settings.account, settings.strategy.name) == ("backpack", "main", "two_sided")


def test_X02_an_unknown_symbol_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"quoters\.BTC is not configured; known: SOL_USDC_PERP"):
        settings_of(config(tmp_path), "BTC")


def test_X15_an_unknown_strategy_lists_the_choices() -> None:
    with pytest.raises(BadInput) as caught:
        parse_quoter(SYMBOL, Quoter(ACCOUNT, "martingale"))
    text = "quoters.SOL_USDC_PERP.strategy 'martingale' is unknown; choices: "
    assert str(caught.value) == text + ", ".join(sorted(STRATEGIES))
    assert {"one_sided", "two_sided", "avellaneda_stoikov", "glft"} <= STRATEGIES.keys()


@pytest.mark.parametrize(
    ("strategy", "params", "text"),
    [
        ("two_sided", {"quantity": 1, "skew": 1.5}, "params: skew: Expected `float` <= 1.0, was 1.5"),
        ("two_sided", {"quantity": 1, "skew": -0.1}, "params: skew: Expected `float` >= 0.0, was -0.1"),
        (
            "two_sided",
            {"quantity": 1, "refresh_interval_s": 0},
            "refresh_interval_s: Expected `float` >= 0.01",
        ),
        ("two_sided", {"quantity": 1, "refresh_interval_s": float("nan")}, "was nan"),
        ("two_sided", {"quantity": 0}, "quantity: Expected `float` > 0.0"),
        ("two_sided", {"quantity": 1, "max_position": -1}, "max_position: Expected `float` > 0.0"),
        (
            "two_sided",
            {"quantity": 1, "position_threshold": -1},
            "position_threshold: Expected `float` >= 0.0",
        ),
        ("two_sided", {"quantity": 1, "min_size": "no"}, "min_size: Invalid enum value 'no'"),
        ("two_sided", {"quantity": 1, "spred_pct": 1}, "unknown key 'spred_pct'; did you mean 'spread_pct'?"),
        ("two_sided", {"quantity": 3, "max_position": 2}, "quantity 3 must be at most max_position 2"),
        ("one_sided", {"lifetime_s": 0}, "lifetime_s: Expected `float` >= 0.1, was 0"),
        ("one_sided", {"equity_pct": 101}, "equity_pct: Expected `float` <= 100.0, was 101"),
        ("one_sided", {"stale_after_s": 60}, "stale_after_s: Expected `float` <= 5.0, was 60"),
    ],
)
def test_X02_every_parameter_is_checked_and_the_error_names_value_and_rule(
    strategy: str, params: dict[str, Any], text: str
) -> None:
    with pytest.raises(BadInput) as caught:
        parse_quoter(SYMBOL, Quoter(ACCOUNT, strategy, params))
    assert str(caught.value).startswith(f"quoters.{SYMBOL}.params: ")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_X15_a_strategy_is_one_function_and_its_params(monkeypatch: pytest.MonkeyPatch) -> None:
    class Far(Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
        ticks: int = 100

    def quote(view: MarketView, params: Far, memory: Memory) -> Wanted:
        return Wanted((Level(Side.BUY, view.bid - params.ticks, 1),), False, "far", memory)

    strategy = Strategy("far", Far, quote, Memory(), lambda _: Needs())
    monkeypatch.setitem(STRATEGIES, "far", strategy)
    found, params = parse_quoter(SYMBOL, Quoter(ACCOUNT, "far", {"ticks": 7}))
    assert isinstance(params, Far)
    assert found.quote(view(), found.plan(params, INSTRUMENT), found.start).levels[0].price == 19_992


def rows(strategy: str, **params: Any) -> list[Row]:
    return explain(SYMBOL, Quoter(ACCOUNT, strategy, params), INSTRUMENT, Decimal(200), ALLOWED)


def test_C10_explain_shows_ticks_and_percent_of_each_quote() -> None:
    bid, ask = [row for row in rows("two_sided", quantity=0.5, spread_ticks=12) if row.situation == "flat"]
    assert (bid.side, bid.price, bid.quantity, bid.ticks_from_mid) == ("bid", "199.88", "0.5", "-12.0")
    assert (ask.side, ask.price, ask.notional, ask.percent_from_mid) == ("ask", "200.12", "100.06", "+0.0600")


def test_explain_shows_flat_long_and_short_inventory() -> None:
    table = rows("two_sided", quantity=0.1, max_position=2, position_threshold=0.5, skew=0.5)
    assert [(row.situation, row.position, row.side) for row in table] == [
        ("flat", "0", "bid"), ("flat", "0", "ask"), ("long", "1.5", "ask"), ("short", "-1.5", "bid"),
    ]  # fmt: skip


def test_explain_shows_a_flow_strategy_under_both_flows_and_its_veto() -> None:
    sides = {row.situation: row.side for row in rows("one_sided")}
    assert sides["flat, takers buy"] == "ask"
    assert sides["flat, takers sell"] == "bid"
    assert sides["long, takers sell"] == "ask"  # L06
    assert sides["short, takers buy"] == "bid"


def test_explain_shows_only_what_risk_would_permit() -> None:
    tight = Allowed(equity_usd=10_000.0, position_usd=50.0, order_usd=30.0)
    table = explain(SYMBOL, Quoter(ACCOUNT, "two_sided", {"quantity": 1}), INSTRUMENT, Decimal(200), tight)
    assert {row.quantity for row in table if row.situation == "flat"} == {"0.15"}, "the largest order"
    assert {row.position for row in table} == {"0", "0.18", "-0.18"}
    assert [row.quantity for row in table if row.situation == "long"] == ["0.07", "0.15"], (
        "the largest position"
    )


def test_explain_says_why_nothing_is_quoted() -> None:
    table = explain(SYMBOL, Quoter(ACCOUNT, "one_sided"), instrument(min_quantity="5"), Decimal(200), ALLOWED)
    assert {(row.side, row.reason) for row in table} == {("-", "size below the venue's minimum")}


def test_explain_has_no_short_inventory_where_there_is_none_to_have() -> None:
    spot = instrument(is_perp=False)
    table = explain(SYMBOL, Quoter(ACCOUNT, "two_sided", {"quantity": 1}), spot, Decimal(200), ALLOWED)
    assert {row.situation for row in table} == {"flat", "long"}


def test_explain_refuses_a_mid_without_room_for_a_book() -> None:
    with pytest.raises(BadInput, match="below two ticks"):
        explain(SYMBOL, Quoter(ACCOUNT, "two_sided", {"quantity": 1}), INSTRUMENT, Decimal("0.01"), ALLOWED)
