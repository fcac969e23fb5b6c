"""reliability.md, row 15: a price far from where it has been of late moves nothing and freezes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.config import parse_risk
from services.risk.policies.policy import Action
from services.risk.policies.protection.price_band import WARM_NS, PriceBand, PriceBandTable
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import BadInput
from tests.risk.desk import MID, VENUE, Desk, info, is_nothing

TICK_NS = 250 * NS_PER_MS


def band_after(*mids: int, **table: Any) -> PriceBand:
    """Return a band that has seen mids in ticks, one each 250 ms."""
    band = PriceBand(PriceBandTable(**table))
    for number, mid in enumerate(mids):
        band.sample(2 * mid, number * TICK_NS)
    return band


def is_frozen(band: PriceBand, mid: float) -> bool:
    return band.of_mark(2 * mid).action is Action.FREEZE


def desk_with_band(**config: Any) -> Desk:
    """Return a desk whose other breakers are out of the way, and which has seen enough."""
    desk = Desk(
        **({"max_move_pct": 50, "max_spread_pct": 50, "max_mark_gap_pct": 50, "price_band": {}} | config)
    )
    desk.run(6_000)
    assert desk.may_quote()
    return desk


@pytest.mark.parametrize(
    ("mid", "frozen"), [(10_200, False), (10_200.5, True), (9_800, False), (9_799.5, True)]
)
def test_the_band_ends_exactly_at_its_deviation(mid: float, frozen: bool) -> None:
    assert is_frozen(band_after(*[10_000] * 30), mid) is frozen


def test_a_market_that_moves_much_has_a_wider_band() -> None:
    calm, lively = band_after(*[10_000] * 40), band_after(*[9_900, 10_000, 10_100, 10_000] * 10)
    assert is_frozen(calm, 10_400) and not is_frozen(lively, 10_400)
    assert is_frozen(band_after(*[9_900, 10_000, 10_100, 10_000] * 10, volatility_multiple=0), 10_400)


def test_spikes_move_the_reference_not_at_all() -> None:
    spiky = [100_000 if number % 10 == 9 else 10_000 for number in range(60)]
    band = band_after(*spiky)
    assert not is_frozen(band, 10_150) and is_frozen(band, 10_250) and is_frozen(band, 100_000)


def test_a_storm_of_books_weighs_no_more_than_the_time_that_it_takes() -> None:
    band = band_after(*[10_000] * 40)
    for number in range(500):
        band.sample(2 * 11_000, 39 * TICK_NS + number)
    assert is_frozen(band, 11_000) and not is_frozen(band, 10_000)


def test_prices_in_other_ticks_are_not_compared() -> None:
    desk = desk_with_band()
    desk.hear(info(tick_size="0.02"))
    desk.hear(desk.top_at(MID // 2 - 1, MID // 2 + 1), desk.mark_at(100.0))
    desk.run(1_500)
    assert "less than 5 s of prices seen" in " ".join(desk.permit.decisions)
    assert "from the median" not in " ".join(desk.permit.decisions)


def test_a_trend_does_not_leave_the_band() -> None:
    band = PriceBand(PriceBandTable())
    for number in range(400):
        mid = 10_000 + 5 * number  # 12 % a minute
        band.sample(2 * mid, number * TICK_NS)
        assert number * TICK_NS < WARM_NS or not is_frozen(band, mid)


def test_from_the_first_price_on_nothing_is_quoted_before_there_is_a_reference() -> None:
    desk = Desk(price_band={})
    while desk.now_ns < 10 * NS_PER_S + WARM_NS:
        assert is_nothing(desk.permit)
        desk.run(250)
    assert "less than 5 s of prices seen" in desk.permit.reason
    desk.run(500)
    assert desk.may_quote()


def test_a_mid_outside_freezes_at_once_and_recovers_by_itself_after_calm() -> None:
    desk = desk_with_band()
    told = desk.hear(desk.top_at(MID + 299, MID + 301))
    assert desk.permit in told and is_nothing(desk.permit)
    assert "price band: mid is +3.00 % from the median of the last 60 s: cool-down" in desk.permit.reason
    desk.hear(desk.top_at(MID - 1, MID + 1))
    desk.run(4_750)
    assert is_nothing(desk.permit)
    desk.run(750)
    assert desk.may_quote()


def test_a_new_level_is_believed_after_half_of_the_window() -> None:
    desk = desk_with_band(price_band={"window_s": 20})
    desk.run(14_000)
    desk.set_price(110.0)
    desk.run(9_000)
    assert is_nothing(desk.permit)
    desk.run(8_000)
    assert desk.may_quote()


def test_a_mark_outside_values_nothing_and_closes_nothing() -> None:
    desk = desk_with_band(stops={"stop_loss_usd": 5})
    desk.set_position(100)
    desk.hear(desk.mark_at(94.0))  # -6, and 6 % from the median: a bad print
    assert is_nothing(desk.permit) and desk.target is None
    assert "price band: mark is -6.00 % from the median" in desk.permit.reason
    holding = desk.core.watch("main", desk.symbols[0])
    assert holding.market.price.usd == 100.0
    desk.hear(desk.mark_at(100.0))
    desk.run(5_500)
    assert desk.may_quote() and desk.target is None


def test_a_mid_outside_does_not_value_a_spot_position() -> None:
    desk = Desk("SOL_USDC", max_move_pct=50, max_spread_pct=50, price_band={})
    desk.hear(info("SOL_USDC", is_perp=False))
    desk.run(7_000)
    assert desk.may_quote() or desk.permit.may_buy
    desk.hear(desk.top_at(MID + 999, MID + 1_001, "SOL_USDC"))
    assert desk.core.markets[VENUE, "SOL_USDC"].price.usd == pytest.approx(100.0)


@settings(max_examples=100)
@given(
    st.lists(st.integers(1, 10**7), min_size=21, max_size=80),
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 10**12),
)
def test_a_band_is_total_holds_its_own_median_and_depends_on_the_window_alone(
    mids: list[int], price: float
) -> None:
    band, late = band_after(*mids), PriceBand(PriceBandTable())
    late.sample(77, 0)
    for number, mid in enumerate(mids):
        late.sample(2 * mid, 61 * NS_PER_S + number * TICK_NS)
    median = sorted(mids)[len(mids) // 2]
    for one in (band, late):
        assert not is_frozen(one, median)
    assert band.of_mark(price) == late.of_mark(price) == band.of_mark(price)
    assert math.isfinite(band._low) and math.isfinite(band._high)


def test_X02_a_bad_value_is_named() -> None:
    with pytest.raises(BadInput, match=r"price_band\.window_s"):
        parse_risk({"price_band": {"window_s": 1}})


def test_a_book_that_is_old_is_no_sample_of_where_the_price_has_been() -> None:
    desk = desk_with_band()
    desk.silent.add("Top")
    desk.set_price(101.5)  # inside the band: the last that is heard
    desk.run(20_000)
    desk.silent.clear()
    desk.set_price(102.4)
    desk.run(250)
    assert any("price band: mid is +2.4" in words for words in desk.permit.decisions), (
        "the band is still around 100"
    )
