"""The quoter is quiet: it answers changes, not repetitions, not noise, and not itself."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import NS_PER_MS
from shared.messages import Level, Message, Side
from tests.quoter.builders import Desk, depth, order, top, working

STRATEGIES: list[tuple[str, dict[str, Any]]] = [
    ("one_sided", {}),
    ("two_sided", {"quantity": 0.05, "spread_pct": 0.02}),
    ("perp_grid", {"quantity": 0.05}),
    ("maker_hedge", {"quantity": 0.05}),
    ("two_sided", {"size_usd": 50, "join_best": True, "skew": 0.5}),
    ("two_sided", {"size_usd": 50, "join_best": True, "skew": 0.5, "volatility_spread": 1.0}),
    ("avellaneda_stoikov", {"quantity": 0.05, "gamma": 20.0}),
    ("glft", {"quantity": 0.05, "gamma": 20.0}),
]


@settings(max_examples=40)
@given(choice=st.sampled_from(STRATEGIES), repeats=st.lists(st.integers(0, 8), max_size=30))
def test_unchanged_inputs_cause_no_new_message(
    choice: tuple[str, dict[str, Any]], repeats: list[int]
) -> None:
    desk = Desk.ready(choice[0], **choice[1])
    inputs = desk.quoter._inputs
    known = [
        inputs.top,
        inputs.feed,
        inputs.permit,
        inputs.position,
        inputs.working,
        inputs.equity,
        inputs.flow,
        inputs.volatility,
        inputs.intensity,
    ]
    for index in repeats:
        message = known[index]
        assert message is not None
        desk.now_ns += NS_PER_MS
        assert desk.send(message) == []


@settings(max_examples=60)
@given(
    tolerance=st.integers(2, 10),
    noise=st.lists(st.integers(-9, 9), max_size=20),
)
def test_Q19_noise_within_the_tolerance_causes_no_message(tolerance: int, noise: list[int]) -> None:
    desk = Desk.ready("two_sided", quantity=0.1, half_spread_ticks=20, refresh_interval_s=0.01,
                      min_price_move_ticks=tolerance + 1)  # fmt: skip
    for shift in noise:
        shift = max(-tolerance, min(tolerance, shift))
        desk.now_ns += 11 * NS_PER_MS
        assert desk.send(top(19_999 + shift, 20_001 + shift)) == []


class Exchange:
    """A market whose others never move, and whose every report is late: book and Working disagree."""

    def __init__(self, desk: Desk, bids: dict[int, int], asks: dict[int, int]) -> None:
        self._desk = desk
        self._others = {Side.BUY: bids, Side.SELL: asks}
        self._in_book: tuple[Level, ...] = ()
        self._in_working: tuple[Level, ...] = ()
        self._due: list[tuple[int, str, tuple[Level, ...]]] = []
        self._seen: tuple[Level, ...] = ()

    def run(self, steps: int, book_ms: list[int], working_ms: list[int]) -> None:
        for step in range(steps):
            self._desk.now_ns += 10 * NS_PER_MS
            wanted = self._desk.levels
            if wanted != self._seen:
                self._seen = wanted
                self._due.append((self._late(book_ms[step % len(book_ms)]), "book", wanted))
                self._due.append((self._late(working_ms[step % len(working_ms)]), "working", wanted))
            self._deliver()
            self._desk.keep_alive()
            self._send(top_of(self._levels(Side.BUY), self._levels(Side.SELL), self._desk.now_ns))
            self._desk.tick()

    def _late(self, milliseconds: int) -> int:
        return self._desk.now_ns + milliseconds * NS_PER_MS

    def _deliver(self) -> None:
        due = [entry for entry in self._due if entry[0] <= self._desk.now_ns]
        self._due = [entry for entry in self._due if entry[0] > self._desk.now_ns]
        for _, where, levels in sorted(due, key=lambda entry: entry[0]):
            if where == "book":
                self._in_book = levels
                bids, asks = self._levels(Side.BUY), self._levels(Side.SELL)
                self._send(depth(bids, asks, self._desk.now_ns))
            else:
                orders = [order(lv.side, lv.price, lv.size, order_id=n) for n, lv in enumerate(levels)]
                self._send(working(*orders))

    def _levels(self, side: Side) -> tuple[tuple[int, int], ...]:
        sizes = dict(self._others[side])
        for level in self._in_book:
            if level.side is side:
                sizes[level.price] = sizes.get(level.price, 0) + level.size
        return tuple(sorted(sizes.items(), reverse=side is Side.BUY))

    def _send(self, message: Message) -> None:
        self._desk.send(message)


def top_of(bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...], now_ns: int) -> Message:
    (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
    return top(bid, ask, now_ns, bid_size=bid_size, ask_size=ask_size)


latencies = st.lists(st.integers(0, 200), min_size=1, max_size=8)
#: as late as market data may be and still count as live
book_latencies = st.lists(st.integers(0, 1_000), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    params=st.sampled_from(
        [
            {"quantity": 0.05, "half_spread_ticks": 2.0, "refresh_interval_s": 0.01},
            {"quantity": 0.05, "join_best": True, "refresh_interval_s": 0.01},
            {"quantity": 0.05, "spread_pct": 0.01, "refresh_interval_s": 0.01, "min_price_move_ticks": 2},
        ]
    ),
    others=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    book_ms=book_latencies,
    working_ms=latencies,
)
def test_we_never_chase_ourselves_however_late_book_and_working_are(
    params: dict[str, Any], others: tuple[int, int], book_ms: list[int], working_ms: list[int]
) -> None:
    bids, asks = {19_990: others[0], 19_985: 100}, {20_010: others[1], 20_015: 100}
    desk = Desk.ready("two_sided", **params)
    desk.send(depth(tuple(bids.items()), tuple(asks.items())))
    desk.now_ns += 20 * NS_PER_MS
    desk.send(top(19_990, 20_010, desk.now_ns, bid_size=others[0], ask_size=others[1]))
    bid, ask = desk.price(Side.BUY), desk.price(Side.SELL)
    assert bid is not None and ask is not None
    since = len(desk.sent)
    Exchange(desk, bids, asks).run(600, book_ms, working_ms)
    for quotes in desk.sent[since:]:
        assert all(level.price <= bid for level in quotes.levels if level.side is Side.BUY)
        assert all(level.price >= ask for level in quotes.levels if level.side is Side.SELL)
    assert {quotes.levels for quotes in desk.sent[since:]} == {desk.levels}  # nor do we flutter
    assert (desk.price(Side.BUY), desk.price(Side.SELL)) == (bid, ask)


@settings(max_examples=25, deadline=None)
@given(others=st.integers(1, 20), book_ms=book_latencies, working_ms=latencies)
def test_one_sided_never_chases_itself_through_moves_of_others(
    others: int, book_ms: list[int], working_ms: list[int]
) -> None:
    bids, asks = {19_990: others, 19_985: 100}, {20_010: 50}
    desk = Desk.ready("one_sided", cap_usd=1e6)
    desk.send(depth(tuple(bids.items()), tuple(asks.items())))
    desk.send(top(19_990, 20_010, desk.now_ns, bid_size=others))
    exchange = Exchange(desk, bids, asks)
    exchange.run(120, book_ms, working_ms)
    assert desk.price(Side.BUY) == 19_990
    del bids[19_990]  # the others leave; what is displayed there is ours
    exchange.run(120, book_ms, working_ms)
    desk.send(depth(((19_990, 2), (19_985, 100)), ((20_010, 50),), desk.now_ns))
    exchange.run(60, book_ms, working_ms)
    assert desk.price(Side.BUY) == 19_985
