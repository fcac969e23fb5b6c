"""Whatever happens, in whatever order: a session never fails, and its sums hold."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.accounting.report import Report
from shared.accounting.rows import rows_of
from shared.messages import Mark, OrderStatus, Side
from tests.accounting.scene import PERP, SYMBOL, S, fill, order, stats, top, trade, update, working

PRICES = st.one_of(st.none(), st.integers(1, 60), st.integers(9_950, 10_050))
SIDES, SIZES = st.sampled_from(list(Side)), st.integers(1, 500)
FEES = st.sampled_from(["0", "0.0123", "-0.00045", "1e-12"])
ORDERS = st.lists(
    st.tuples(SIDES, st.integers(9_800, 10_200), SIZES, st.sampled_from(list(OrderStatus))), max_size=4
)
EVENTS = st.one_of(
    st.tuples(st.just("top"), PRICES, PRICES, SIZES),
    st.tuples(st.just("trade"), SIDES, st.integers(9_950, 10_050), SIZES),
    st.tuples(
        st.just("fill"), SIDES, st.integers(9_950, 10_050), SIZES, FEES, st.sampled_from([None, "99.995"]),
        st.booleans(), st.integers(1, 12), st.integers(0, 100 * S),
    ),
    st.tuples(st.just("working"), ORDERS),
    st.tuples(st.just("update"), st.integers(1, 6), st.sampled_from(list(OrderStatus)), SIDES, PRICES),
    st.tuples(st.just("funding"), st.decimals(-5, 5, places=9)),
    st.tuples(st.just("mark"), st.floats(1, 1_000)),
    st.tuples(st.just("blind")),
    st.tuples(st.just("finer")),
    st.tuples(st.just("report")),
)  # fmt: skip
FINER = type(PERP)(
    "backpack", SYMBOL, "SOL", "USDC", True, PERP.tick_size / 2, PERP.lot_size, 1
)  # fmt: skip


def play(events: list[tuple[int, tuple[Any, ...]]], *, is_venue_time: bool) -> Report:
    session, now_ns = stats(is_venue_time=is_venue_time), 0
    for wait_ns, (kind, *rest) in events:
        now_ns += wait_ns
        if kind == "top":
            session.on_top(top(rest[0], rest[1], rest[2], rest[2], venue_ns=now_ns // 2), now_ns)
        elif kind == "trade":
            session.on_trade(trade(*rest), now_ns)
        elif kind == "fill":
            side, price, size, fee, mid, is_maker, trade_id, venue_ns = rest
            told = fill(
                side, price, size, fee=fee, mid=mid, is_maker=is_maker, trade_id=trade_id, venue_ns=venue_ns
            )
            session.on_fill(told, now_ns)
        elif kind == "working":
            resting = [order(side, price, size, status) for side, price, size, status in rest[0]]
            session.on_working(working(*resting), now_ns)
        elif kind == "update":
            session.on_order_update(update(rest[0], rest[1], rest[2], rest[3] or 1), now_ns)
        elif kind == "funding":
            session.on_funding(rest[0], now_ns)
        elif kind == "mark":
            session.on_mark(Mark("backpack", SYMBOL, rest[0], None, None, None, None, now_ns), now_ns)
        elif kind == "blind":
            session.on_blind(now_ns)
        elif kind == "finer":
            session.on_instrument(FINER)
        else:
            session.report()
    return session.report(now_ns)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20 * S), EVENTS), max_size=40), st.booleans())
def test_X12_any_session_is_counted_adds_up_and_is_the_same_when_it_is_played_again(
    events: list[tuple[int, tuple[Any, ...]]], is_venue_time: bool
) -> None:
    report = play(events, is_venue_time=is_venue_time)
    money = report.money
    if money.net is not None:
        assert money.unrealised_long is not None and money.unrealised_short is not None
        assert money.net == money.parts.total
        open_profit = money.unrealised_long + money.unrealised_short
        assert money.net == money.realised + open_profit - money.fees + money.funding
    for share in msgspec.structs.astuple(report.presence):
        assert 0.0 <= share <= 1.0
    assert report.presence.in_band <= report.presence.two_sided
    assert report.activity.fills == len({e[7] for _, e in events if e[0] == "fill"})
    assert all(markout.fills + markout.unknown <= report.activity.fills for markout in report.markouts)
    assert rows_of(report)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    assert play(events, is_venue_time=is_venue_time) == report
