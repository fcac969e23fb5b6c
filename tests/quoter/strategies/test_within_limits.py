"""Through the quoter: whatever comes in, what these strategies want neither crosses nor exceeds a limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.messages import Depth, Level, Message, Side, Top, Volatility
from tests.quoter.builders import SYMBOL, VENUE, Desk, depth, equity, permit, position, top

CHOICES: list[tuple[str, dict[str, Any]]] = [
    ("regime", {"base_order_usd": 400.0, "min_spread_pct": 0.0}),
    ("regime", {"q_max": 1.0, "risk_threshold": 0.5, "min_price_move_ticks": 5}),
    ("ladder", {"skew": 1.0, "spread_pct": 0.02, "refresh_interval_s": 0.01, "size_tolerance_pct": 50}),
    ("ladder", {"quantity": 1.0, "join_best": True, "max_orders": 6, "max_position": 3.0}),
    ("spot", {"min_order": 0.5, "live_orders": 30, "bin_step_bps": 5, "recentre_pct": 0.04}),
    ("curve", {"capital_usd": 5_000, "recentre_pct": 0.3}),
    ("bid_ask", {"initial_inventory": 2.0, "max_order": 0.7}),
    ("auto", {"capital_usd": 2_000, "refresh_interval_s": 0.01, "size_tolerance_pct": 50}),
]


@st.composite
def permits(draw: st.DrawFn) -> Message:
    return permit(
        max_long=draw(st.integers(0, 400)), max_short=draw(st.integers(0, 400)),
        max_order=draw(st.integers(0, 300)), may_buy=draw(st.booleans()), may_sell=draw(st.booleans()),
        reduce_only=draw(st.booleans()), halted=draw(st.integers(0, 9)) == 0,
    )  # fmt: skip


@st.composite
def tops(draw: st.DrawFn) -> Message:
    bid = draw(st.integers(19_800, 20_200))
    return top(bid, bid + draw(st.integers(-1, 60)), bid_size=draw(st.integers(1, 50)))


events = st.lists(
    st.one_of(
        tops(),
        permits(),
        st.integers(-500, 500).map(position),
        st.floats(-1e3, 1e5).map(equity),
        st.floats(0, 200).map(lambda percent: Volatility(VENUE, SYMBOL, percent, 60, 0)),
    ),
    max_size=20,
)


def feed_signals(desk: Desk, volatility_pct: float) -> None:
    """Send a volatility and the depth of the present book: what these strategies need besides."""
    book = desk.quoter._inputs.top
    assert book is not None and book.bid is not None and book.ask is not None
    desk.send(Volatility(VENUE, SYMBOL, volatility_pct, 60, desk.now_ns))
    desk.send(depth_of(book, desk.now_ns))


def depth_of(book: Top, now_ns: int) -> Depth:
    assert book.bid is not None and book.ask is not None
    return depth(
        tuple((book.bid - n, 100) for n in range(4)), tuple((book.ask + n, 100) for n in range(4)), now_ns
    )


def side_total(levels: tuple[Level, ...], side: Side) -> int:
    return sum(level.size for level in levels if level.side is side)


def assert_within_limits(desk: Desk) -> None:
    inputs, levels = desk.quoter._inputs, desk.levels
    book, limits, held = inputs.top, inputs.permit, inputs.position
    assert book is not None and book.bid is not None and book.ask is not None
    assert limits is not None and held is not None
    bids = [level.price for level in levels if level.side is Side.BUY]
    asks = [level.price for level in levels if level.side is Side.SELL]
    assert not levels or book.bid < book.ask
    assert all(price < book.ask for price in bids) and all(price > book.bid for price in asks)
    assert not (bids and asks) or max(bids) < min(asks)
    assert all(0 < level.size <= limits.max_order for level in levels)
    buys, sells = side_total(levels, Side.BUY), side_total(levels, Side.SELL)
    assert not buys or held.quantity + buys <= (0 if limits.reduce_only else limits.max_long)
    assert not sells or held.quantity - sells >= (0 if limits.reduce_only else -limits.max_short)
    own = desk.quoter._settings.params.largest_position()
    assert own is None or not buys or held.quantity + buys <= own * 100
    assert not (limits.halted and levels)
    assert not (buys and not limits.may_buy) and not (sells and not limits.may_sell)


@pytest.mark.parametrize(("name", "params"), CHOICES)
@settings(max_examples=25)
@given(messages=events)
def test_R17_quotes_never_cross_nor_exceed_a_limit(
    name: str, params: dict[str, Any], messages: list[Message]
) -> None:
    desk, volatility_pct = Desk.ready(name, **params), 50.0
    feed_signals(desk, volatility_pct)
    for message in messages:
        desk.now_ns += 20_000_000
        desk.keep_alive()
        if isinstance(message, Volatility):
            volatility_pct = message.annualised_pct or 0.0
        else:
            desk.send(message)
        feed_signals(desk, volatility_pct)
        assert_within_limits(desk)


@pytest.mark.parametrize(("name", "params"), CHOICES)
def test_each_of_them_quotes_in_an_ordinary_market(name: str, params: dict[str, Any]) -> None:
    desk = Desk.ready(name, **params)
    feed_signals(desk, 50.0)
    desk.tick()
    assert {level.side for level in desk.levels} == {Side.BUY, Side.SELL}, desk.reason


@pytest.mark.parametrize(("name", "params"), CHOICES)
def test_unchanged_inputs_keep_every_order(name: str, params: dict[str, Any]) -> None:
    desk = Desk.ready(name, **params)
    feed_signals(desk, 50.0)
    desk.tick()
    wanted = desk.levels
    for _ in range(8):
        desk.now_ns += 30_000_000
        desk.keep_alive()
        feed_signals(desk, 50.0)
        assert desk.levels == wanted
