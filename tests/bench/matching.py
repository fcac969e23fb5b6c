"""Matching-engine operations a second: the local venue's engine, without a wire or listeners.

The mix, per hundred operations: 48 placements of a post-only order within 20 ticks of the
mid, 44 cancels of a random open order, 8 orders that take up to three lots' worth of levels.
Each is one complete operation of an account: admission, margin, matching, fees, positions.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from decimal import Decimal

from services.exchange.engine.venue import LocalVenue
from services.exchange.markets import SOL_USDC_PERP
from services.exchange.model import AccountSpec, Order, OrderRequest, OrderType, Refused, Side, TimeInForce
from tests.bench.results import Result

PLACES, CANCELS = 48, 44
REACH_TICKS = 20
MAX_OPEN = 400
START_NS = 1_700_000_000 * 10**9
MID_TICKS = 15_000
NOTE = "48 % place, 44 % cancel, 8 % take; two accounts, one perpetual, no wire"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation, drawn beforehand so that drawing costs nothing while it is measured.

    pick  of a cancel: which of the open orders, as a share of them
    """

    kind: str
    account: str
    request: OrderRequest | None
    pick: float


def measure(operations: int) -> list[Result]:
    """Return how many operations a second the engine does."""
    venue = _open_venue()
    steps = _draw(operations, random.Random(7))
    open_orders: list[Order] = []
    done = 0
    started = time.perf_counter()
    for number, step in enumerate(steps):
        done += _do(venue, step, open_orders, START_NS + number * 100_000)
    elapsed_s = time.perf_counter() - started
    return [Result("matching_engine", "operations/s", done, value=round(done / elapsed_s), note=NOTE)]


def _open_venue() -> LocalVenue:
    balances = (("USDC", Decimal(900_000_000)),)
    venue = LocalVenue((SOL_USDC_PERP,), [AccountSpec(name, balances) for name in ("ann", "bob")], id_base=1)
    venue.set_index(SOL_USDC_PERP.symbol, float(MID_TICKS), START_NS)
    venue.on_time(START_NS)
    return venue


def _draw(count: int, rng: random.Random) -> list[Step]:
    steps = []
    for _ in range(count):
        kind = rng.randrange(100)
        side = rng.choice((Side.BUY, Side.SELL))
        account = "ann" if side is Side.BUY else "bob"
        if kind < PLACES:
            steps.append(Step("place", account, _request(side, rng.randint(1, REACH_TICKS), True, rng), 0.0))
        elif kind < PLACES + CANCELS:
            steps.append(Step("cancel", account, None, rng.random()))
        else:
            steps.append(Step("take", account, _request(side, -3, False, rng), 0.0))
    return steps


def _request(side: Side, behind_ticks: int, post_only: bool, rng: random.Random) -> OrderRequest:
    """Return an order `behind_ticks` away from the mid (negative: beyond it)."""
    ticks = MID_TICKS - behind_ticks if side is Side.BUY else MID_TICKS + behind_ticks
    return OrderRequest(
        symbol=SOL_USDC_PERP.symbol,
        side=side,
        type=OrderType.LIMIT,
        quantity=Decimal(rng.randint(1, 30)) / 10,
        price=ticks * SOL_USDC_PERP.tick_size,
        post_only=post_only,
        time_in_force=TimeInForce.GTC if post_only else TimeInForce.IOC,
    )


def _do(venue: LocalVenue, step: Step, open_orders: list[Order], now_ns: int) -> int:
    """Do one step; return 1, or 0 where it was refused or there was nothing to cancel."""
    if step.request is None or len(open_orders) >= MAX_OPEN:
        return _cancel(venue, step.pick, open_orders, now_ns)
    try:
        order = venue.place(step.account, step.request, now_ns)
    except Refused:
        return 0
    if step.kind == "place":
        open_orders.append(order)
    return 1


def _cancel(venue: LocalVenue, pick: float, open_orders: list[Order], now_ns: int) -> int:
    while open_orders:
        index = int(pick * len(open_orders))
        order, open_orders[index] = open_orders[index], open_orders[-1]
        open_orders.pop()
        if order.is_live:
            venue.cancel(order.account, order.symbol, now_ns, order_id=order.id)
            return 1
    return 0
