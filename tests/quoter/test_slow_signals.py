"""Signals that are told once a second: as fresh as that allows, and not fresher."""

from __future__ import annotations

import pytest

from services.quoter.inputs import Inputs
from services.quoter.strategies.base import Needs
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Intensity, Volatility
from tests.quoter.builders import START_NS, SYMBOL, VENUE


@pytest.mark.parametrize(("age_ms", "is_stale"), [(2_400, False), (3_000, False), (3_001, True)])
def test_D06_a_second_between_two_tellings_does_not_make_a_quiet_market_stale(
    age_ms: int, is_stale: bool
) -> None:
    """The feed's pulse is once a second too: at the next telling the newest one is two seconds old."""
    inputs = Inputs(Needs(volatility=True, intensity=True), 2 * NS_PER_S)
    as_of_ns = START_NS - age_ms * NS_PER_MS
    inputs.volatility = Volatility(VENUE, SYMBOL, 50.0, 600, as_of_ns)
    inputs.intensity = Intensity(VENUE, SYMBOL, 1.0, 0.5, 100, as_of_ns)
    assert inputs._needs_problem(START_NS) == ("stale: Volatility" if is_stale else "")
