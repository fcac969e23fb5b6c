"""X02: every limit has a unit and a range; what is wrong is one clear line."""

from __future__ import annotations

from typing import Any

import pytest

from services.risk.config import Config, parse_risk
from services.risk.policies.ratio import Limit
from shared.errors import BadInput


def test_an_empty_table_is_the_defaults_of_the_rows() -> None:
    config = parse_risk({})
    assert config == Config()
    assert (config.max_move_pct, config.max_spread_pct, config.cool_down_s) == (0.6, 2.0, 5.0)
    assert (config.max_position_share, config.reduction_share, config.min_reduction_usd) == (0.2, 0.5, 5.0)
    assert config.comparator == "strict"


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"max_position_shar": 1}, "unknown key 'max_position_shar'; did you mean 'max_position_share'?"),
        ({"max_position_share": 0}, "max_position_share"),
        ({"cool_down_s": -1}, "cool_down_s"),
        ({"comparator": "about"}, "comparator"),
        ({"symbols": {"SOL": {"max_order_usd": -5}}}, "symbols.SOL.max_order_usd"),
        ({"symbols": {"../SOL": {}}}, "'../SOL' is not valid"),
        ({"max_total_gross_usd": "all"}, "max_total_gross_usd"),
    ],
)
def test_X02_a_bad_value_is_named(table: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_risk(table)
    assert line in str(refused.value) and str(refused.value).startswith("risk")


def test_a_symbols_own_limits_go_before_those_of_the_table() -> None:
    config = parse_risk({"max_order_usd": 50, "symbols": {"SOL": {"max_position_usd": 7}}})
    assert config.limits_of("SOL").max_position_usd == 7
    assert config.limits_of("SOL").max_order_usd == 50
    assert config.limits_of("BTC").max_position_usd is None


def test_a_percentage_is_taken_as_written() -> None:
    limit = Limit.of_percent(0.6, "strict")
    assert not limit.is_exceeded(6, 1_000) and limit.is_exceeded(6_000_001, 1_000_000_000)
