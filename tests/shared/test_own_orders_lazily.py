"""`OwnSide` does nothing while nothing was reported anew: it must tell what the plain way tells."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import NS_PER_MS
from shared.messages import Side
from shared.own_orders import OwnSide, _OwnSize
from tests.quoter.builders import START_NS

SETTLE_NS = 400 * NS_PER_MS
PRICES = st.integers(98, 102)
SIZES = st.integers(1, 6)
LEVELS = st.lists(st.tuples(PRICES, SIZES), max_size=4, unique_by=lambda level: level[0])
EVENTS = st.one_of(
    st.tuples(st.just("report"), st.dictionaries(PRICES, SIZES, max_size=3)),
    st.tuples(st.just("again"), st.none()),
    st.tuples(st.just("expect"), st.tuples(PRICES, SIZES)),
    st.tuples(st.just("best"), st.tuples(PRICES, st.integers(1, 9), LEVELS)),
    st.tuples(st.just("depth"), LEVELS),
)


class Plain(OwnSide):
    """Settles every price whenever anything happens."""

    __slots__ = ("newest",)

    def __init__(self, side: Side) -> None:
        super().__init__(side, SETTLE_NS)
        self.newest: dict[int, int] = {}

    def report(self, sizes: dict[int, int], now_ns: int) -> None:
        self.newest = sizes
        for price in {*self._own, *sizes}:
            own = self._own.setdefault(price, _OwnSize(now_ns))
            own.report(sizes.get(price, 0), now_ns, SETTLE_NS)
        for price in [price for price, own in self._own.items() if own.high == 0]:
            del self._own[price]


@given(st.sampled_from(Side), st.lists(st.tuples(st.sampled_from([1, 30, 150, 420]), EVENTS), max_size=30))
@settings(max_examples=200)
def test_what_is_ours_is_told_the_same_however_seldom_it_is_settled(side: Side, run: list[Any]) -> None:
    lazy, plain = OwnSide(side, SETTLE_NS), Plain(side)
    newest: dict[int, int] = {}
    now_ns = START_NS
    for step_ms, (kind, value) in run:
        now_ns += step_ms * NS_PER_MS
        plain.report(dict(newest), now_ns)  # all the time
        if kind == "report":
            newest = value
        if kind in ("report", "again"):
            lazy.report(dict(newest), now_ns)
            plain.report(dict(newest), now_ns)
        elif kind == "expect":
            lazy.expect(*value, now_ns)
            plain.expect(*value, now_ns)
        elif kind == "best":
            price, size, levels = value
            behind = _best_first(levels, side)
            assert lazy.best(price, size, behind, now_ns) == plain.best(price, size, behind, now_ns)
            assert lazy.is_behind is plain.is_behind
        else:
            levels = _best_first(value, side)
            assert lazy.depth(levels, now_ns) == plain.depth(levels, now_ns)


def _best_first(levels: list[tuple[int, int]], side: Side) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(levels, reverse=side is Side.BUY))
