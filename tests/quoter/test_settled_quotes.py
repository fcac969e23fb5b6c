"""What is settled is not decided again: whoever takes that shortcut must want the very same.

Two quoters hear the same; the strategy of one never says how long its answer holds, so that it
decides anew at every message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.config import Settings
from services.quoter.core import Quoter
from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import Wanted
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import (
    FeedStatus,
    Message,
    Quotes,
    Side,
    Volatility,
    Working,
    WorkingOrder,
)
from tests.quoter.builders import (
    INFO,
    START_NS,
    SYMBOL,
    VENUE,
    depth,
    equity,
    feed,
    flow,
    intensity,
    order,
    permit,
    position,
    top,
    working,
)
from tests.quoter.builders import settings as settings_of

#: every strategy, at the prices of the runs
STRATEGY_PARAMS: dict[str, dict[str, Any]] = {
    "auto": {"bin_step_bps": 4, "recentre_pct": 0.01, "up_pct": 0.4, "down_pct": 0.4},
    "avellaneda_stoikov": {"size_usd": 8, "volatility_spread": 0.3},
    "bid_ask": {"bin_step_bps": 4, "recentre_pct": 0.01, "up_pct": 0.4, "down_pct": 0.4},
    "curve": {"bin_step_bps": 4, "recentre_pct": 0.01, "up_pct": 0.4, "down_pct": 0.4},
    "glft": {"quantity": 0.03, "price_tolerance_pct": 0},
    "grid": {"lower": 199, "upper": 201, "home": 200, "grid_num": 11, "quantity": 0.01},
    "ladder": {"half_spread_ticks": 1, "quantity": 0.01, "refresh_interval_s": 0.2},
    "maker_hedge": {"quantity": 0.05},
    "one_sided": {"equity_pct": 2, "cap_usd": 10, "min_hold_s": 0.2},
    "perp_grid": {"lower": 199, "upper": 201, "grid_num": 11, "quantity": 0.01},
    "regime": {"base_order_usd": 5, "own_order_settle_s": 0.1, "update_interval_s": 0.05},
    "spot": {"bin_step_bps": 4, "recentre_pct": 0.01, "up_pct": 0.4, "down_pct": 0.4},
    "two_sided": {"quantity": 0.05, "spread_pct": 0.01},
}
#: ways to be told to quote that lead to different shortcuts
PARAMS: dict[str, dict[str, Any]] = {
    "join": {"join_best": True, "quantity": 0.05, "refresh_interval_s": 0.3, "own_order_settle_s": 0.05},
    "wide": {"half_spread_ticks": 1, "size_usd": 10, "min_price_move_ticks": 2, "refresh_interval_s": 0.2},
    "share": {"join_best": True, "equity_pct": 1.0, "refresh_interval_s": 1.0, "position_threshold": 0.03},
    "volatile": {
        "join_best": True, "quantity": 0.05, "volatility_spread": 0.5, "refresh_interval_s": 0.1,
        "own_order_settle_s": 0.4,
    },
}  # fmt: skip

PRICES = st.sampled_from([19_997, 19_999, 20_000, 20_000, 20_001, 20_003])
SIZES = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 9])
ORDERS = st.lists(st.tuples(st.sampled_from(Side), PRICES, st.integers(1, 7)), max_size=3)
LEVELS = st.lists(st.tuples(st.integers(19_990, 20_010), st.integers(1, 9)), max_size=3)
Event = tuple[str, Any]

_AGES_MS = st.sampled_from([0, 0, 0, 1_600, 1_700, 2_500])
_tops = st.tuples(PRICES, st.sampled_from([0, 1, 1, 1, 2, 3]), SIZES, SIZES, _AGES_MS)
_EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.tuples(st.just("top"), _tops),
    st.tuples(st.just("sizes"), st.tuples(SIZES, SIZES)),
    st.tuples(st.just("sizes"), st.tuples(st.integers(1, 9), st.integers(1, 9))),
    st.tuples(st.just("depth"), st.tuples(LEVELS, LEVELS)),
    st.tuples(st.just("feed"), st.sampled_from(FeedStatus)),
    st.tuples(st.just("feed"), st.just(FeedStatus.LIVE)),
    st.tuples(st.just("position"), st.integers(-6, 6)),
    st.tuples(st.just("same position"), st.none()),
    st.tuples(st.just("working"), ORDERS),
    st.tuples(st.just("ours rest"), st.none()),
    st.tuples(st.just("equity"), st.one_of(st.none(), st.floats(10, 5_000))),
    st.tuples(st.just("volatility"), st.floats(1, 400)),
    st.tuples(st.just("flow"), st.floats(-2, 2)),
    st.tuples(st.just("permit"), st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 2_000))),
    st.tuples(st.just("rules"), st.sampled_from(["0.01", "0.02", "x"])),
    st.tuples(st.just("timer"), st.none()),
    st.tuples(st.just("alive"), st.none()),
)  # fmt: skip
#: mostly the market alone moves, in small steps: that is where the shortcut is taken
STEPS = st.sampled_from([0, 1, 2, 5, 5, 10, 20, 20, 50, 90, 130, 260, 500, 1_100])
_OFTEN: st.SearchStrategy[Event] = st.one_of(
    st.tuples(st.just("alive"), st.none()),
    st.tuples(st.just("ours rest"), st.none()),
    st.tuples(st.just("sizes"), st.tuples(st.integers(1, 9), st.integers(1, 9))),
    st.tuples(st.just("top"), st.tuples(PRICES, st.just(1), st.just(5), st.just(5), _AGES_MS)),
)
RUNS = st.lists(st.tuples(STEPS, st.one_of(_EVENTS, _OFTEN)), min_size=5, max_size=40)


def never_settled(found: Settings) -> Settings:
    quote = found.strategy.quote

    def forgetful(view: Any, plan: Any, memory: Any) -> Wanted:
        return msgspec.structs.replace(quote(view, plan, memory), holds_ns=0)

    return replace(found, strategy=replace(found.strategy, quote=forgetful))


class Stand:
    """One quoter, and what it was told and said."""

    def __init__(self, found: Settings) -> None:
        self.quoter = Quoter(found)
        self.said: list[tuple[int, Message]] = []
        self.last_top = top()
        self.feed = feed()
        self.position = position()
        self.permit = permit()
        self.info = INFO
        self.orders: list[tuple[Side, int, int]] = []

    def hear(self, now_ns: int, kind: str, value: Any) -> None:
        for handler, message in self._messages(now_ns, kind, value):
            self._said(now_ns, getattr(self.quoter, f"on_{handler}")(message, now_ns))
        if kind == "timer":
            self._said(now_ns, self.quoter.on_timer(now_ns))

    def _said(self, now_ns: int, answers: Iterable[Message]) -> None:
        self.said += [(now_ns, answer) for answer in answers]

    def _messages(self, now_ns: int, kind: str, value: Any) -> list[tuple[str, Any]]:
        if kind in ("top", "sizes"):
            self.last_top = self._top(now_ns, kind, value)
            return [("top", self.last_top)]
        if kind == "feed":
            self.feed = feed(value, now_ns)
            return [("feed_state", self.feed)]
        if kind in ("position", "same position"):
            self.position = position(value) if kind == "position" else self.position
            return [("position", self.position)]
        if kind in ("working", "ours rest"):
            return [("working", self._working(kind, value))]
        if kind == "permit":
            largest, may_buy, life_ms = value
            expires_ns = now_ns + life_ms * NS_PER_MS
            self.permit = permit(max_long=largest, max_short=largest, may_buy=may_buy, expires_ns=expires_ns)
            return [("permit", self.permit)]
        if kind == "rules":
            self.info = msgspec.structs.replace(INFO, tick_size=value)
            return [("instrument_info", self.info)]
        if kind == "alive":
            return self.alive(now_ns)
        return {
            "depth": lambda: [("depth", _depth(value, now_ns))],
            "equity": lambda: [("equity", equity(value, now_ns))],
            "volatility": lambda: [("volatility", Volatility(VENUE, SYMBOL, value, 9, now_ns))],
            "flow": lambda: [("flow", flow(value, now_ns))],
            "timer": list,
        }[kind]()  # fmt: skip

    def alive(self, now_ns: int) -> list[tuple[str, Any]]:
        """Everything is repeated, as on a heartbeat."""
        self.feed = feed(FeedStatus.LIVE, now_ns)
        self.permit = permit(now_ns)
        self.last_top = self._top(now_ns, "sizes", (self.last_top.bid_size or 3, self.last_top.ask_size or 3))
        return [
            ("feed_state", self.feed), ("permit", self.permit), ("position", self.position),
            ("working", self._working("working", self.orders)), ("equity", equity(1_000.0, now_ns)),
            ("volatility", Volatility(VENUE, SYMBOL, 60.0, 9, now_ns)), ("flow", flow(0.3, now_ns)),
            ("intensity", intensity(now_ns=now_ns)), ("top", self.last_top),
        ]  # fmt: skip

    def _top(self, now_ns: int, kind: str, value: Any) -> Any:
        if kind == "sizes":
            last = self.last_top
            return top(last.bid, last.ask, now_ns, bid_size=value[0], ask_size=value[1])
        bid, spread, bid_size, ask_size, old_ms = value
        as_of_ns = now_ns - old_ms * NS_PER_MS
        return top(bid, bid + spread, now_ns, bid_size=bid_size, ask_size=ask_size, as_of_ns=as_of_ns)

    def _working(self, kind: str, value: Any) -> Working:
        if kind == "ours rest":  # what was asked for last
            asked = self.quoter._asked
            value = [(level.side, level.price, level.size) for level in asked.levels] if asked else []
        self.orders = list(value)
        orders: list[WorkingOrder] = [
            order(side, price, size, order_id=number) for number, (side, price, size) in enumerate(value, 1)
        ]
        return working(*orders)


def _depth(levels: Any, now_ns: int) -> Any:
    bids, asks = levels
    return depth(tuple(sorted(bids, reverse=True)), tuple(sorted(asks)), now_ns)


def begin(stand: Stand) -> None:
    stand.hear(START_NS, "rules", "0.01")
    for handler, message in stand.alive(START_NS):
        stand._said(START_NS, getattr(stand.quoter, f"on_{handler}")(message, START_NS))


@pytest.mark.parametrize("name", PARAMS)
@given(run=RUNS)
@settings(max_examples=150)
def test_a_quoter_that_skips_what_is_settled_says_exactly_the_same(
    name: str, run: list[tuple[int, Event]]
) -> None:
    assert_the_same_is_said(settings_of("two_sided", **PARAMS[name]), run)


@pytest.mark.parametrize("name", STRATEGIES)
@given(run=RUNS)
@settings(max_examples=60)
def test_with_every_strategy_what_is_settled_is_what_would_be_said(
    name: str, run: list[tuple[int, Event]]
) -> None:
    assert_the_same_is_said(settings_of(name, **STRATEGY_PARAMS[name]), run)


#: the depth of others, which regime weighs, changes with what execution tells of us, and when that settles
OURS_IN_THE_DEPTH: dict[str, list[tuple[int, Event]]] = {
    "told": [(1, ("depth", ([(19_999, 40), (19_998, 9)], [(20_001, 40), (20_002, 9)]))),
             (200, ("sizes", (40, 40))), (1, ("sizes", (40, 40))),
             (1, ("working", [(Side.BUY, 19_998, 7)])), (1, ("sizes", (40, 40)))],
    "forgotten": [(1, ("depth", ([(19_999, 40), (19_998, 9)], [(20_001, 40), (20_002, 9)]))),
                  (1, ("working", [(Side.BUY, 19_998, 7)])), (200, ("alive", None)), (1, ("working", [])),
                  (60, ("sizes", (40, 40))), (45, ("sizes", (40, 40))), (1, ("sizes", (40, 40)))],
}  # fmt: skip


@pytest.mark.parametrize("name", OURS_IN_THE_DEPTH)
def test_a_change_of_our_own_orders_unsettles_a_strategy_that_weighs_the_depth(name: str) -> None:
    params = STRATEGY_PARAMS["regime"] | {"base_order_usd": 50, "size_tolerance_pct": 0}
    assert_the_same_is_said(settings_of("regime", **params), OURS_IN_THE_DEPTH[name])


def assert_the_same_is_said(found: Settings, run: list[tuple[int, Event]]) -> None:
    quick, slow = Stand(found), Stand(never_settled(found))
    begin(quick)
    begin(slow)
    now_ns = START_NS
    for step_ms, (kind, value) in run:
        now_ns += step_ms * NS_PER_MS
        for stand in (quick, slow):
            stand.hear(now_ns, kind, value)
        assert quick.said == slow.said


@pytest.mark.parametrize("name", PARAMS)
def test_what_is_settled_is_not_decided_again_while_only_sizes_change(name: str) -> None:
    found = settings_of("two_sided", **PARAMS[name])
    calls = []
    quote = found.strategy.quote

    def counted(view: Any, plan: Any, memory: Any) -> Wanted:
        calls.append(view)
        return quote(view, plan, memory)

    stand = Stand(replace(found, strategy=replace(found.strategy, quote=counted)))
    begin(stand)
    stand.hear(START_NS + NS_PER_MS, "sizes", (5, 5))
    calls.clear()
    for number in range(2, 60):
        stand.hear(START_NS + number * NS_PER_MS, "sizes", (1 + number % 9, 9))
    assert len(calls) < 5
    assert not [at for at, _ in stand.said if START_NS + NS_PER_MS < at < START_NS + NS_PER_S // 5]


def test_an_order_of_ours_that_turns_out_to_be_the_best_alone_unsettles_at_once() -> None:
    stand = Stand(settings_of("two_sided", **PARAMS["join"]))
    begin(stand)
    now_ns = START_NS + 400 * NS_PER_MS
    stand.hear(now_ns, "depth", ([(19_999, 5), (19_990, 9)], [(20_001, 5)]))
    stand.hear(now_ns, "sizes", (5, 5))
    stand.hear(now_ns + NS_PER_MS, "sizes", (5, 5))
    assert stand.quoter._settled_until_ns > now_ns + 70 * NS_PER_MS  # nothing is decided anew until then
    stand.hear(now_ns + 2 * NS_PER_MS, "working", [(Side.BUY, 19_999, 5)])
    stand.hear(now_ns + 60 * NS_PER_MS, "working", [(Side.BUY, 19_999, 5)])
    at_ns, quotes = stand.said[-1]
    assert at_ns == now_ns + 60 * NS_PER_MS and isinstance(quotes, Quotes)
    assert quotes.levels[0].price == 19_990


def test_a_permit_that_is_said_again_with_a_shorter_life_counts_at_once() -> None:
    run: list[tuple[int, Event]] = [
        (0, ("permit", (9, True, 200))), (1, ("sizes", (5, 5))), (1, ("permit", (9, True, 3))),
        (1, ("sizes", (6, 5))), (5, ("sizes", (5, 5))),
    ]  # fmt: skip
    assert_the_same_is_said(settings_of("glft", **STRATEGY_PARAMS["glft"]), run)
