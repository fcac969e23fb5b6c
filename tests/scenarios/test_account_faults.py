"""The private stream is silent, a position read is wrong: one bad answer changes nothing."""

from __future__ import annotations

import time
from decimal import Decimal
from itertools import pairwise
from typing import Any

from shared.messages import Position
from tests.chaos.recovery import check_journal
from tests.fixtures.listener import listening
from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP
from tests.scenarios.test_order_faults import NO_RISK_AFTER_S

EXECUTION = "execution.main"
#: a repeatedly wrong position must have stopped new risk after this
DOUBTED_WITHIN_S = 10.0
#: the first probe of a silent stream goes out 5 s after the doubt, the second 10 s later
PROBED_S = 9.0
#: it rests 3 % from the quote that it stands for; the market moves meanwhile
PROBE_AWAY = Decimal("0.025")


def hold_a_position(stage: Stage) -> Decimal:
    """Let outsiders trade until we hold something; return how much."""

    def is_held() -> bool:
        if stage.venue.positions().get(PERP):
            return True
        stage.venue.take("sell", "1.5")
        return False

    wait_until(is_held, 20)
    return stage.venue.positions()[PERP]


def test_D08_a_silent_private_stream_stops_new_risk(stage: Stage) -> None:
    count, at = len(stage.venue.placements()), stage.venue.fault("silent_private")
    stage.watch_quotes_go(at, NO_RISK_AFTER_S)
    late = placed_since(stage, count, at + NO_RISK_AFTER_S)
    assert not late, late
    stage.venue.clear_faults()
    stage.heal()


def test_D08_a_silent_private_stream_is_asked_by_one_smallest_order_far_from_the_market(stage: Stage) -> None:
    """The bound of what goes out meanwhile: one order in the first seconds, as small and far as it can be."""
    count, at = len(stage.venue.placements()), stage.venue.fault("silent_private")
    wait_until(lambda: time.monotonic() - at > PROBED_S, PROBED_S + 5)
    depth = stage.venue.maker.public("/api/v1/depth", symbol=PERP).json()
    stage.venue.clear_faults()
    probes = placed_since(stage, count, at + NO_RISK_AFTER_S)
    assert len(probes) == 1
    order = next(row for row in shown(stage) if str(row["clientId"]) == str(probes[0]["client_id"]))
    markets = stage.venue.maker.public("/api/v1/markets").json()
    (rules,) = [row["filters"]["quantity"] for row in markets if row["symbol"] == PERP]
    assert Decimal(order["quantity"]) == Decimal(rules["minQuantity"])
    middle = (Decimal(depth["bids"][-1][0]) + Decimal(depth["asks"][0][0])) / 2
    assert abs(Decimal(order["price"]) / middle - 1) > PROBE_AWAY
    assert Decimal(order["executedQuantity"]) == 0
    stage.heal()


def placed_since(stage: Stage, count: int, moment: float) -> list[dict[str, Any]]:
    """Return the placements from number `count` on that came after a moment (monotonic seconds)."""
    return [one for one in stage.venue.placements()[count:] if one["recv_ns"] > moment * 1e9]


def shown(stage: Stage) -> list[dict[str, Any]]:
    """Return the maker's open orders and its newest dead ones."""
    dead: list[dict[str, Any]] = stage.venue.maker.get(
        "/wapi/v1/history/orders", "orderHistoryQueryAll", limit=1000, sortDirection="Desc"
    ).json()
    return [*stage.venue.maker.open_orders(), *dead]


def test_D08_fills_behind_closed_sockets_are_back_filled_once(stage: Stage) -> None:
    stage.venue.fault("close_sockets", for_s=2.0)
    for side in ("buy", "sell"):
        stage.venue.take(side, "1.5")
    stage.heal()
    check_journal(stage)


def test_O07_duplicated_and_reordered_private_frames_count_once(stage: Stage) -> None:
    for kind in ("duplicate_private", "reorder_private"):
        stage.venue.fault(kind, times=10)
    wait_until(lambda: stage.venue.hits("duplicate_private") == 10, 30)
    stage.venue.clear_faults()
    stage.heal()
    check_journal(stage)


def test_L03_one_wrong_position_read_changes_nothing(stage: Stage) -> None:
    hold_a_position(stage)
    with listening(stage.makerd.run_dir, EXECUTION, Position) as heard:
        stage.venue.fault("wrong_position_once", quantity="0")
        wait_until(lambda: stage.venue.hits("wrong_position_once") == 1, 10)
        hit_at = time.monotonic()
        wait_until(lambda: time.monotonic() - hit_at > 2)
        stage.venue.clear_faults()
        told = [position for position in heard.of(Position) if position.symbol == PERP]
    assert told
    assert all(position.is_known for position in told)
    jumps = [abs(b.quantity - a.quantity) for a, b in pairwise(told)]
    orders = [fill_size for fill_size in jumps if fill_size > 400]
    assert not orders, f"the position jumped by {orders} lots"
    stage.heal()


def test_L02_a_position_that_stays_wrong_is_doubted_until_it_is_right(stage: Stage) -> None:
    hold_a_position(stage)
    with listening(stage.makerd.run_dir, EXECUTION, Position) as heard:
        stage.venue.fault("wrong_position", quantity="0")
        wait_until(lambda: any(not position.is_known for position in heard.of(Position)), DOUBTED_WITHIN_S)
    stage.venue.clear_faults()
    stage.heal()


def test_L02_a_position_that_stays_wrong_adds_no_risk(stage: Stage) -> None:
    hold_a_position(stage)
    at = stage.venue.fault("wrong_position", quantity="0")
    with listening(stage.makerd.run_dir, EXECUTION, Position) as heard:
        wait_until(lambda: any(not position.is_known for position in heard.of(Position)), DOUBTED_WITHIN_S)
        count = len(stage.venue.placements())
        wait_until(lambda: time.monotonic() - at > DOUBTED_WITHIN_S)
        told = [position.quantity for position in heard.of(Position) if position.symbol == PERP]
    assert told[-1] != 0, "the position that was wrong in every read was believed"
    held = 1 if told[-1] > 0 else -1
    orders = [
        stage.venue.history_of(one["order_id"]) for one in stage.venue.placements()[count:] if one["order_id"]
    ]
    assert all((order["side"] == "Bid") is (held < 0) for order in orders), orders
