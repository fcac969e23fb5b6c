"""Instruments: exact conversion, and rounding that never moves a quote into the market."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Refused
from shared.instrument import Instrument, plain
from shared.messages import InstrumentInfo, Side

RULES = InstrumentInfo(
    "backpack", "SOL_USDC_PERP", "SOL", "USDC", True, "0.01", "0.01", "0.02", "1000", None, "0.05", "1000",
    "fixed", "1",
)  # fmt: skip
ticks_sizes = st.sampled_from(["0.01", "0.05", "0.25", "0.1", "1", "0.00001", "0.5"])


def instrument(**changes: object) -> Instrument:
    values = {name: getattr(RULES, name) for name in RULES.__struct_fields__} | changes
    return Instrument.from_info(InstrumentInfo(**values))  # type: ignore[arg-type]


@given(ticks_sizes, st.integers(1, 10**7))
def test_O06_ticks_and_text_are_exact_for_every_tick_size(tick_size: str, ticks: int) -> None:
    rules = instrument(tick_size=tick_size)
    assert rules.ticks(rules.price_text(ticks)) == ticks
    assert "E" not in rules.price_text(ticks)


@given(st.floats(1, 10**6), st.sampled_from(list(Side)))
def test_Q05_bids_round_down_and_asks_round_up(fractional: float, side: Side) -> None:
    rounded = instrument().quote_ticks(fractional, side)
    assert (rounded <= fractional) if side is Side.BUY else (rounded >= fractional)
    assert abs(rounded - fractional) < 1


@given(st.integers(1, 10**9), st.sampled_from(list(Side)))
def test_the_five_figure_rule_rounds_outwards_and_is_legal(ticks: int, side: Side) -> None:
    rules = instrument(tick_size="0.0001", price_rule="significant_5", min_price=None, max_price=None)
    rounded = rules.quote_ticks(ticks, side)
    price = rules.price(rounded)
    assert (rounded <= ticks) if side is Side.BUY else (rounded >= ticks)
    digits = len(str(int(price.scaleb(-price.as_tuple().exponent)) if price % 1 else int(price)).strip("0"))
    assert price == price.to_integral_value() or digits <= 5


@pytest.mark.parametrize("field", ["tick_size", "lot_size"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "", "x"])
def test_D10_a_missing_or_absurd_rule_is_refused(field: str, value: str) -> None:
    with pytest.raises(Refused):
        instrument(**{field: value})


def test_O06_a_price_off_the_tick_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"150\.005 is not a multiple of 0\.01") as caught:
        instrument().ticks("150.005")
    assert caught.value.reason == "tick"


@pytest.mark.parametrize(
    ("ticks", "lots", "rule"),
    [(15_000, 1, "min_quantity"), (15_000, 100_001, "max_quantity"), (4, 10, "price_range"),
     (100_001, 10, "price_range")],
)  # fmt: skip
def test_an_order_that_breaks_a_rule_is_refused_by_that_rule(ticks: int, lots: int, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        instrument().check_order(ticks, lots)
    assert caught.value.reason == rule


def test_a_minimum_notional_is_checked_where_the_venue_has_one() -> None:
    rules = instrument(min_notional="10")
    with pytest.raises(Refused, match="below 10"):
        rules.check_order(15_000, 6)  # 9.00
    rules.check_order(15_000, 7)


def test_G13_sizes_round_down_to_the_lot() -> None:
    assert instrument(min_quantity="0.01").lots_for_notional(Decimal(5), 20_000) == 2  # 0.025 -> 0.02


def test_plain_has_no_exponent_and_no_padding() -> None:
    assert [plain(Decimal(text)) for text in ("1E-7", "10.500", "100", "1E+3")] == [
        "0.0000001", "10.5", "100", "1000",
    ]  # fmt: skip


DECIMALS = ("tick_size", "lot_size", "min_quantity", "max_quantity", "min_notional", "min_price", "max_price",
            "contract_multiplier")  # fmt: skip
ODD = ["None", "", "NaN", "sNaN", "Infinity", "-1", "1e999999", "1e-999999", "0x10", "1,5", "\x00"]


@pytest.mark.parametrize("name", DECIMALS)
@pytest.mark.parametrize("text", ODD)
def test_an_odd_listing_is_refused_and_never_another_error(name: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        instrument(**{name: text})
    assert refused.value.reason == "instrument" and repr(text) in str(refused.value)


@given(st.dictionaries(st.sampled_from((*DECIMALS, "price_rule")), st.text(max_size=8)))
def test_any_listing_is_an_instrument_or_refused(changes: dict[str, str]) -> None:
    with suppress(Refused):
        rules = instrument(**changes)
        assert rules.tick_size > 0 and rules.lot_size > 0 and rules.min_lots >= 1


def test_only_tick_lot_and_multiplier_say_what_a_number_means() -> None:
    rules = instrument()
    assert rules.counts_like(instrument(min_notional="5", max_price="900"))
    for name in ("tick_size", "lot_size", "contract_multiplier"):
        assert not rules.counts_like(instrument(**{name: "0.001"}))
