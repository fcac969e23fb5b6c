"""A market that risk has found sound is looked at again as soon as it could be so no longer."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.config import Config
from services.risk.market_state import MarketState
from services.risk.policies.catalogue import band_of, breakers_of
from services.risk.policies.policy import Action
from shared.clock import NS_PER_MS
from shared.messages import Depth, FeedState, FeedStatus, Mark, OrderStatus, Side, Top, WorkingOrder
from tests.risk.desk import MID, SYMBOL, info

VENUE = "v"
pauses = st.sampled_from([0, 1, 20, 300, 999, 1_001, 5_000])
events = st.one_of(
    st.tuples(st.just("top"), st.sampled_from([-200, -1, 0, 1, 2]), st.sampled_from([1, 5, 50])),
    st.tuples(st.just("top"), st.just(0), st.just(5)),
    st.tuples(st.just("no bid"), st.just(0), st.just(0)),
    st.tuples(st.just("mark"), st.sampled_from([0.0, 0.0, 1.0, 30.0, -100.0]), st.just(0)),
    st.tuples(st.just("feed"), st.sampled_from([FeedStatus.LIVE, FeedStatus.STALE]), st.just(0)),
    st.tuples(st.just("feed"), st.just(FeedStatus.LIVE), st.just(0)),
    st.tuples(st.just("ours"), st.sampled_from([-1, 0]), st.sampled_from([0, 5])),
    st.tuples(st.just("depth"), st.just(0), st.just(0)),
    st.tuples(st.just("sample"), st.just(0), st.just(0)),
    st.tuples(st.just("no mark for"), st.sampled_from([9_100, 9_500]), st.just(0)),
    st.tuples(st.just("rules"), st.sampled_from(["0.01", "0.02"]), st.just(0)),
)


def _tell(market: MarketState, kind: str, what: Any, size: int, now_ns: int) -> None:
    if kind == "top":
        top = Top(VENUE, SYMBOL, MID + what - 1, size, MID + what + 1, 5, 1, 0, now_ns, now_ns, 0)
        market.on_top(top, now_ns)
    elif kind == "no bid":
        market.on_top(Top(VENUE, SYMBOL, None, 0, MID + 1, 5, 1, 0, now_ns, now_ns, 0), now_ns)
    elif kind == "mark":
        market.on_mark(Mark(VENUE, SYMBOL, 100.0 + what, None, None, None, 0, now_ns), now_ns)
    elif kind == "feed":
        market.on_feed_state(FeedState(VENUE, SYMBOL, what, "", now_ns, 0), now_ns)
    elif kind == "ours":
        order = WorkingOrder(1, "1", Side.BUY, MID + what, size, 0, OrderStatus.LIVE, 0, False)
        market.on_working("main", (order,) if size else (), now_ns)
    elif kind == "depth":
        levels = ((MID - 1, 5), (MID - 2, 5)), ((MID + 1, 5), (MID + 2, 5))
        market.on_depth(Depth(VENUE, SYMBOL, *levels, 1, 0, now_ns, now_ns, 0), now_ns)
    elif kind == "rules":
        market.on_instrument_info(info(tick_size=what))
    else:
        market.sample(now_ns)


def _sound() -> tuple[MarketState, int]:
    config = Config()
    market, now_ns = MarketState(config, breakers_of(config), band_of(config, SYMBOL)), 0
    market.on_instrument_info(info())
    for _ in range(80):  # longer than a market is watched first
        now_ns += 100 * NS_PER_MS
        for kind, what in (("feed", FeedStatus.LIVE), ("top", 0), ("mark", 0.0), ("sample", 0)):
            _tell(market, kind, what, 5, now_ns)
    return market, now_ns


def test_a_quiet_market_is_sound() -> None:
    market, now_ns = _sound()
    assert market.is_sound(now_ns) and market.is_sound(now_ns + 1)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(pauses, events), max_size=25))
def test_sound_is_what_no_breaker_holds_and_nothing_is_missing_of(
    story: list[tuple[int, tuple[str, Any, int]]],
) -> None:
    market, now_ns = _sound()
    for pause_ms, event in story:
        now_ns += pause_ms * NS_PER_MS
        if event[0] == "no mark for":  # book and feed are repeated meanwhile
            now_ns += event[1] * NS_PER_MS
            _tell(market, "top", 0, 5, now_ns)
            _tell(market, "feed", FeedStatus.LIVE, 0, now_ns)
            market.is_sound(now_ns)
            continue
        for _ in range(2):  # asked after the time alone has passed, and once more after the event
            is_free = market.decide(now_ns).action is Action.ALLOW
            assert market.is_sound(now_ns) == (is_free and market.missing(now_ns) is None)
            _tell(market, *event, now_ns)
