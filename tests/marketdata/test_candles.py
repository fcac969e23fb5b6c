"""Candles: read when somebody wants them, again when that fails, and told in ticks on our clock."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.rest_reads import CANDLES_S
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Candles
from shared.venues.market_data import RawCandles
from tests.marketdata.scene import SYMBOL, VENUE_AHEAD_NS, Scene

Rows = Sequence[tuple[int, str, str, str]]
#: the local time of a new scene, as the venue's seconds
NOW_S = VENUE_AHEAD_NS // NS_PER_S + 1_000


def wanted() -> Scene:
    """A scene in which somebody wants candles and the venue's clock is known."""
    scene = Scene()
    scene.measure_clock()
    scene.demand("Candles")
    return scene


def answer(scene: Scene, rows: Rows, interval_s: int = 1) -> None:
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL
    raw = RawCandles(SYMBOL, interval_s, rows)
    scene.out += scene.core.on_candles(SYMBOL, raw, scene.now_ns)


def flat(*starts_s: int, price: str = "150.01") -> Rows:
    return [(start_s, price, price, price) for start_s in starts_s]


def test_D11_candles_are_told_in_ticks_with_the_ends_on_our_clock() -> None:
    scene = wanted()
    answer(scene, [(NOW_S - 3, "150.05", "149.99", "150.01"), (NOW_S - 1, "150.02", "150.02", "150.02")])
    assert scene.last(Candles) == Candles(
        "backpack", SYMBOL, 1,
        ((998 * NS_PER_S, 15_005, 14_999, 15_001), (1_000 * NS_PER_S, 15_002, 15_002, 15_002)),
    )  # fmt: skip
    assert scene.core.candles_since_s(scene.now_ns) == NOW_S - CANDLES_S


def test_D11_a_candle_that_is_not_over_is_not_told() -> None:
    scene = wanted()
    answer(scene, flat(NOW_S - 120, NOW_S - 60, NOW_S - 59), interval_s=60)
    told = scene.last(Candles)
    assert told.interval_s == 60 and len(told.candles) == 2


def test_D11_nobody_wants_candles_nobody_reads_them() -> None:
    scene = Scene()
    scene.measure_clock()
    scene.demand("Top")
    assert scene.core.candle_wish(scene.now_ns) is None
    scene.demand("Candles", "NO_SUCH")
    assert scene.core.candle_wish(scene.now_ns) is None


def test_D11_candles_wait_for_the_instruments_and_for_the_venues_clock() -> None:
    scene = Scene(infos=())
    scene.demand("Candles")
    scene.measure_clock()
    assert scene.core.candle_wish(scene.now_ns) is None
    scene = Scene()
    scene.demand("Candles")
    assert scene.core.candle_wish(scene.now_ns) is None
    scene.measure_clock()
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL
    assert scene.core.candle_wish(scene.now_ns) is None  # one read at a time


def test_D11_a_read_that_fails_is_repeated_at_growing_intervals_and_then_no_more() -> None:
    scene = wanted()
    asked, start_ns = [], scene.now_ns
    while len(asked) < 5:
        if scene.core.candle_wish(scene.now_ns):
            asked.append((scene.now_ns - start_ns) / NS_PER_S)
            scene.out += scene.core.on_candles_failed(SYMBOL, "503", scene.now_ns)
        scene.now_ns += 50 * NS_PER_MS
    assert asked == pytest.approx([0, 1, 3, 7, 15], abs=0.2)
    assert scene.all(Candles) == []
    scene.now_ns += 16 * NS_PER_S
    answer(scene, flat(NOW_S - 2, NOW_S - 1))
    assert len(scene.all(Candles)) == 1
    scene.now_ns += 1000 * NS_PER_S
    assert scene.core.candle_wish(scene.now_ns) is None


def test_D11_who_asks_while_a_read_is_under_way_gets_the_next_one() -> None:
    scene = wanted()
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL
    scene.demand("Candles")
    assert scene.core.candle_wish(scene.now_ns) is None
    scene.core.on_candles(SYMBOL, RawCandles(SYMBOL, 1, flat(NOW_S - 2, NOW_S - 1)), scene.now_ns)
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL


def test_D11_a_venue_that_asks_for_silence_is_not_asked_for_candles() -> None:
    scene = wanted()
    scene.core.candle_wish(scene.now_ns)
    scene.core.on_candles_failed(SYMBOL, "429", scene.now_ns, 30 * NS_PER_S)
    scene.now_ns += 29 * NS_PER_S
    assert scene.core.candle_wish(scene.now_ns) is None
    scene.now_ns += 2 * NS_PER_S
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL


@pytest.mark.parametrize(
    "rows",
    [(), flat(NOW_S - 1), flat(NOW_S, NOW_S + 1), flat(1, 2, price="n/a"), flat(1, 2, price="inf"),
     flat(1, 2, price="nan")],
)  # fmt: skip
def test_D11_an_answer_that_says_nothing_or_nonsense_is_a_failure(rows: Rows) -> None:
    scene = wanted()
    answer(scene, rows)
    assert scene.all(Candles) == []
    assert scene.core.unreadable
    scene.now_ns += 2 * NS_PER_S
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL


def test_candles_end_when_the_last_subscriber_leaves_and_are_read_anew_for_the_next() -> None:
    scene = wanted()
    answer(scene, flat(NOW_S - 2, NOW_S - 1))
    scene.demand("Candles")  # a second one gets new ones
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL
    scene.demand("Candles", wanted=False)
    assert scene.core.take_forgotten_candles() == []
    scene.demand("Candles", wanted=False)
    assert scene.core.take_forgotten_candles() == [SYMBOL]
    assert scene.core.on_candles(SYMBOL, RawCandles(SYMBOL, 1, flat(1, 2)), scene.now_ns) == []  # too late
    scene.demand("Candles")
    assert scene.core.candle_wish(scene.now_ns) == SYMBOL


@settings(max_examples=30)
@given(
    rows=st.lists(st.tuples(st.integers(-(10**9), 10**12), st.text(), st.text(), st.text()), max_size=6),
    interval_s=st.integers(1, 60),
)
def test_any_answer_is_told_or_a_failure(rows: Rows, interval_s: int) -> None:
    scene = wanted()
    answer(scene, rows, interval_s)
    assert scene.all(Candles) or scene.core.unreadable
