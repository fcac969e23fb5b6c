"""What holds for every grid, market and position (E01, E02)."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.quoter.levels.limits import within
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from services.quoter.strategies.grid import STRATEGY as GRID
from services.quoter.strategies.grids.rungs import Grid, sides_at
from services.quoter.strategies.perp_grid import STRATEGY as PERP_GRID
from shared.clock import NS_PER_MS
from shared.errors import BadInput
from shared.messages import Level, OrderStatus, Side, WorkingOrder
from tests.quoter.builders import START_NS, instrument, permit
from tests.quoter.grids.trader import Trader

FEW = settings(max_examples=60)
prices = st.integers(50, 40_000)
lots = st.integers(-300, 300)


@st.composite
def configured(draw: st.DrawFn, *, is_fixed: bool = False) -> tuple[Any, dict[str, Any], Any]:
    """A strategy, its params and a market's rules. is_fixed: a restart must find the same grid."""
    strategy = draw(st.sampled_from((GRID, PERP_GRID)))
    rules = instrument(
        is_perp=strategy is PERP_GRID or draw(st.booleans()),
        min_quantity=draw(st.sampled_from(("0.01", "0.04"))),
        min_notional=draw(st.sampled_from((None, "5"))),
        price_rule=draw(st.sampled_from(("fixed", "significant_5"))),
    )
    params: dict[str, Any] = {
        "grid_num": draw(st.integers(2, 12)),
        "join_passed": draw(st.booleans()),
        draw(st.sampled_from(("quantity", "size_usd", "equity_pct")[: 2 if is_fixed else 3])): draw(
            st.sampled_from((0.1, 1, 20))
        ),
    }
    spacings = ["arithmetic", "geometric"]
    if strategy is PERP_GRID:
        params["direction"] = draw(st.sampled_from(("neutral", "long", "short")))
        spacings += ["martingale"] if params["direction"] != "neutral" and not is_fixed else []
    params["spacing"] = draw(st.sampled_from(spacings))
    if params["spacing"] == "martingale":
        params["grid_num"] = draw(st.integers(2, 9))
    elif is_fixed or draw(st.booleans()):
        low = draw(prices)
        params |= {"lower": low / 100, "upper": (low + draw(st.integers(1, 20_000))) / 100}
    else:
        params["range_pct"] = draw(st.sampled_from((0.05, 5, 60)))
    return strategy, params, rules


def trader_of(setup: tuple[Any, dict[str, Any], Any], price: int, position: int) -> Trader:
    strategy, params, rules = setup
    try:
        return Trader(price, strategy=strategy, rules=rules, position=position, **params)
    except BadInput:
        assume(False)
        raise


STEP = st.tuples(prices, lots, st.sampled_from((0, 400, 1_100)), st.booleans())


@FEW
@given(configured(), prices, lots, st.lists(STEP, max_size=8), st.integers(0, 400), st.integers(0, 400))
def test_total_passive_ordered_and_within_the_permit(
    setup: Any, price: int, position: int, steps: list[Any], longest: int, largest: int
) -> None:
    trader = trader_of(setup, price, position)
    limits = permit(max_long=longest, max_short=longest, max_order=largest)
    grids, sizes = PriceGrid(trader.rules), LotSizes(trader.rules)
    for at, held, wait_ms, is_restart in [(price, position, 0, False), *steps]:
        trader.position = held
        if is_restart:
            trader.restart()
        trader.move(at, settle_ms=wait_ms)
        _check_levels(trader, grids, sizes)
        admitted = within(trader.levels, held, limits, grids, sizes)
        bought = sum(level.size for level in admitted if level.side is Side.BUY)
        sold = sum(level.size for level in admitted if level.side is Side.SELL)
        assert bought <= max(0, longest - held) and sold <= max(0, longest + held)


def _check_levels(trader: Trader, grids: PriceGrid, sizes: LotSizes) -> None:
    bids, asks = trader.bids, trader.asks
    assert all(price < trader.price + 1 for price, _ in bids)
    assert all(price > trader.price - 1 for price, _ in asks)
    assert [price for price, _ in bids] == sorted({price for price, _ in bids}, reverse=True)
    assert [price for price, _ in asks] == sorted({price for price, _ in asks})
    assert not bids or not asks or bids[0][0] < asks[0][0]
    for price, size in bids + asks:
        assert size >= sizes.minimum(price)
        assert grids.bid(price) == price, "a legal price"
    if trader.strategy is GRID:
        assert sum(size for _, size in asks) <= max(0, trader.position), "nothing is borrowed"
    for level in trader.levels:
        if level.reduce_only:
            of_side = [one for one in trader.levels if one.side is level.side]
            assert all(one.reduce_only for one in of_side)
            assert sum(one.size for one in of_side) <= -level.side.sign * trader.position


@FEW
@given(configured(), prices, lots)
def test_position_and_orders_add_up_to_the_grid(setup: Any, price: int, position: int) -> None:
    trader = trader_of(setup, price, position)
    grid: Grid | None = trader.memory.grid
    assume(grid is not None)
    assert grid is not None
    bids, asks = sides_at(grid, position)
    held = grid.held(position)
    below, above = (sum(rung.lots for rung in rungs) for rungs in (grid.down, grid.up))
    closes = bids.closes if held < 0 else asks.closes
    assert sum(size for _, size in closes) == abs(held), "what is held has its closes"
    is_foreign = grid.is_one_way and ((held > 0 and not grid.down) or (held < 0 and not grid.up))
    if -above <= held <= below and not is_foreign:
        assert sum(size for _, size in bids.closes + bids.opens) == below - held
        assert sum(size for _, size in asks.closes + asks.opens) == above + held
    assert all(grid.lower <= price <= grid.upper for price, _ in bids.opens + asks.opens)


@FEW
@given(configured(), prices, lots, st.sampled_from((0, 1_100)))
def test_asking_again_changes_nothing(setup: Any, price: int, position: int, wait_ms: int) -> None:
    trader = trader_of(setup, price, position)
    first = trader.move(price, settle_ms=wait_ms)
    again = trader.ask_again()
    assert (again.levels, again.reason) == (first.levels, first.reason)
    assert again.memory == first.memory


@FEW
@given(configured(), prices, lots, lots)
def test_more_inventory_never_means_more_to_buy_or_less_to_sell(
    setup: Any, price: int, one: int, other: int
) -> None:
    trader = trader_of(setup, price, 0)
    grid: Grid | None = trader.memory.grid
    assume(grid is not None)
    assert grid is not None
    grid = Grid(grid.home, grid.lower, grid.upper, grid.at_home, grid.down, grid.up, False)
    less, more = (sides_at(grid, position) for position in sorted((one, other)))
    for is_ask, sign in ((0, 1), (1, -1)):
        sums = [sum(size for _, size in sides[is_ask].closes + sides[is_ask].opens) for sides in (less, more)]
        assert sign * sums[0] >= sign * sums[1]
        nearest = [sides[is_ask].nearest for sides in (less, more)]
        if None not in nearest:
            assert nearest[0] >= nearest[1]  # type: ignore[operator]


@FEW
@given(configured(), prices, st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=30))
def test_a_grid_that_comes_home_has_earned_a_level_on_every_lot(
    setup: Any, price: int, fills: list[tuple[bool, int]]
) -> None:
    """Whatever is filled of the best orders, in whatever parts: bought below, sold above."""
    strategy, params, rules = setup
    trader = trader_of((strategy, params, instrument(is_perp=rules.is_perp)), price, 20)
    grid: Grid | None = trader.memory.grid
    assume(grid is not None)
    assert grid is not None
    position, cash, bought = grid.at_home, 0, 0
    for is_buy, most in fills:
        bids, asks = sides_at(grid, position)
        side = bids if is_buy else asks
        orders = side.closes + side.opens
        if orders:
            at, size = orders[0]
            traded = min(size, most) if is_buy else -min(size, most)
            position, cash, bought = position + traded, cash - traded * at, bought + max(0, traded)
    while position != grid.at_home:
        at, size = sides_at(grid, position)[position > grid.at_home].closes[0]
        traded = size if position < grid.at_home else -size
        position, cash, bought = position + traded, cash - traded * at, bought + max(0, traded)
    gap = min(abs(rung.open - rung.close) for rung in grid.down + grid.up)
    assert gap >= 1
    assert cash >= bought * gap


@FEW
@given(configured(is_fixed=True), prices, lots, lots)
def test_a_fixed_range_finds_the_same_orders_after_a_restart(
    setup: Any, price: int, position: int, before: int
) -> None:
    trader = trader_of(setup, price, before)
    trader.position = position
    trader.move(price, settle_ms=1_100)
    lasting = trader.levels
    trader.restart()
    assert trader.move(price, settle_ms=1_100).levels == lasting


@FEW
@given(configured(), prices, lots, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60)), max_size=6))
def test_an_order_is_replaced_only_where_it_rests_with_less_than_wanted(
    setup: Any, price: int, position: int, found: list[tuple[int, int]]
) -> None:
    trader = trader_of(setup, price, position)
    assume(not trader.memory.passed)
    calm = trader.levels
    trader.working = tuple(
        _order(number, level, size)
        for number, (level, (_, size)) in enumerate(zip(calm, found, strict=False))
    )
    trader.ask_again()
    trader.now_ns += 1_100 * NS_PER_MS
    trader.ask_again()
    leaves = {(order.side, order.price): order.leaves for order in trader.working}
    left = {(level.side, level.price) for level in trader.levels}
    for level in calm:
        if (level.side, level.price) not in left:
            assert leaves[level.side, level.price] < level.size


def _order(number: int, level: Level, size: int) -> WorkingOrder:
    return WorkingOrder(
        number, None, level.side, level.price, size, 0, OrderStatus.LIVE, START_NS, level.reduce_only
    )
