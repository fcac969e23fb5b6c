"""Whatever comes in, what goes out neither crosses nor exceeds a limit."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.messages import Level, Message, Side
from tests.quoter.builders import (
    Desk,
    equity,
    flow,
    intensity,
    permit,
    position,
    top,
    volatility,
    working,
)

STRATEGIES: list[tuple[str, dict[str, Any]]] = [
    ("one_sided", {}),
    ("one_sided", {"offset_ticks": 2, "inventory_veto": 1.0, "cap_usd": 1e6, "equity_pct": 50}),
    ("two_sided", {"quantity": 5.0, "skew": 1.0, "spread_pct": 0.02, "refresh_interval_s": 0.01}),
    ("two_sided", {"size_usd": 500, "join_best": True, "skew": 0.5, "min_price_move_ticks": 4}),
    ("two_sided", {"equity_pct": 5, "half_spread_ticks": 1, "min_size": "raise", "max_position": 3.0}),
    ("two_sided", {"quantity": 2.0, "half_spread_ticks": 5, "max_position": 3.0, "size_tolerance_pct": 50}),
    ("two_sided", {"quantity": 2.0, "half_spread_ticks": 5, "skew": 1.0, "volatility_spread": 1.0}),
    ("one_sided", {"volatility_spread": 0.5, "cap_usd": 1e6, "equity_pct": 50}),
    ("avellaneda_stoikov", {"quantity": 2.0, "gamma": 20.0, "max_position": 3.0}),
    ("glft", {"size_usd": 400.0, "gamma": 20.0, "max_skew": 3.0, "volatility_spread": 0.5}),
    ("grid", {"quantity": 1.0, "range_pct": 0.5, "settle_s": 0.1}),
    ("perp_grid", {"quantity": 1.0, "lower": 199.5, "upper": 200.5, "join_passed": True, "settle_s": 0.1}),
    ("perp_grid", {"size_usd": 300, "range_pct": 0.5, "direction": "short", "settle_s": 0.1}),
    ("maker_hedge", {"quantity": 1.0}),
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
    bid = draw(st.integers(19_900, 20_100))
    width = draw(st.integers(-1, 30))
    return top(bid, bid + width, bid_size=draw(st.integers(1, 50)), ask_size=draw(st.integers(1, 50)))


events = st.lists(
    st.one_of(
        tops(),
        permits(),
        st.integers(-500, 500).map(position),
        st.floats(0, 1e6).map(equity),
        st.floats(-1, 1).map(flow),
        st.floats(0, 1e4).map(volatility),
        st.floats(1e-3, 10).map(lambda decay: intensity(1.0, decay)),
        st.just(working()),
    ),
    max_size=25,
)


def side_total(levels: tuple[Level, ...], side: Side) -> int:
    return sum(level.size for level in levels if level.side is side)


@settings(max_examples=150)
@given(choice=st.sampled_from(STRATEGIES), messages=events)
def test_R17_quotes_never_cross_nor_exceed_a_limit(
    choice: tuple[str, dict[str, Any]], messages: list[Message]
) -> None:
    desk = Desk.ready(choice[0], **choice[1])
    for message in messages:
        desk.now_ns += 20_000_000
        desk.keep_alive()
        desk.send(message)
        levels = desk.levels
        inputs = desk.quoter._inputs
        book, limits, held = inputs.top, inputs.permit, inputs.position
        assert book is not None and limits is not None and held is not None
        bids = [level.price for level in levels if level.side is Side.BUY]
        asks = [level.price for level in levels if level.side is Side.SELL]
        assert all(level.post_only and level.size > 0 for level in levels)
        assert not levels or (book.bid is not None and book.ask is not None and book.bid < book.ask)
        assert all(price < (book.ask or 0) for price in bids)
        assert all(price > (book.bid or 0) for price in asks)
        assert not (bids and asks) or max(bids) < min(asks)
        assert all(level.size <= limits.max_order for level in levels)
        buys, sells = side_total(levels, Side.BUY), side_total(levels, Side.SELL)
        assert not buys or held.quantity + buys <= (0 if limits.reduce_only else limits.max_long)
        assert not sells or held.quantity - sells >= (0 if limits.reduce_only else -limits.max_short)
        own = desk.quoter._settings.params.largest_position()
        assert own is None or not buys or held.quantity + buys <= own * 100
        assert own is None or not sells or held.quantity - sells >= -own * 100
        assert not (limits.halted and levels)
        assert not (buys and not limits.may_buy) and not (sells and not limits.may_sell)
        assert choice[0] != "one_sided" or len(levels) <= 1  # Q15
