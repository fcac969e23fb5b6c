"""The public stream falls silent, lags or loses frames: no quote rests on what is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.messages import Depth, FeedState, FeedStatus
from tests.fixtures.listener import listening
from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP

GONE_WITHIN_S = 3.0
LAG_S = 4.0
MARKETDATA = "marketdata.backpack"
#: how many books must be compared with the venue's at the very same update
COMPARED = 5


@pytest.mark.parametrize("kind", ["silent_public", "ping_only"])
def test_D06_quotes_are_gone_soon_after_the_last_live_data(stage: Stage, kind: str) -> None:
    stage.watch_quotes_go(stage.venue.fault(kind), GONE_WITHIN_S)
    assert stage.makerd.status().state["symbols"][PERP]["feed"] != "live"


def test_D06_quotes_are_gone_soon_after_the_feed_begins_to_lag(stage: Stage) -> None:
    at = stage.venue.fault("lagging_public", delay_s=LAG_S)
    # the late frames arrive from LAG_S on: they are data, and still no reason to quote
    stage.watch_quotes_go(at, GONE_WITHIN_S, watch_s=LAG_S)


def test_D03_closed_sockets_pull_the_quotes_and_heal_by_themselves(stage: Stage) -> None:
    stage.watch_quotes_go(stage.venue.fault("close_sockets", for_s=6.0), GONE_WITHIN_S)
    stage.makerd.await_quoting(stage.venue)


@pytest.mark.parametrize("kind", ["gap", "duplicate_frame", "reorder_frames"])
def test_D14_never_publishes_a_wrong_book(stage: Stage, kind: str) -> None:
    with listening(stage.makerd.run_dir, MARKETDATA, Depth, FeedState) as heard:
        stage.venue.fault(kind, times=5, symbol=PERP)
        wait_until(lambda: stage.venue.hits(kind) == 5)
        compared: set[int] = set()
        reference: dict[int, tuple[list[list[str]], list[list[str]]]] = {}

        def has_compared_enough() -> bool:
            book = stage.venue.maker.public("/api/v1/depth", symbol=PERP).json()
            reference[int(book["lastUpdateId"])] = (book["bids"][::-1], book["asks"])
            for depth in heard.of(Depth):
                if depth.symbol == PERP and depth.update_id in reference:
                    bids, asks = reference[depth.update_id]
                    assert _decimals(depth.bids, 20) == _levels(bids, len(depth.bids))
                    assert _decimals(depth.asks, 20) == _levels(asks, len(depth.asks))
                    compared.add(depth.update_id)
            return len(compared) >= COMPARED

        wait_until(has_compared_enough, 20)
        if kind != "duplicate_frame":
            assert any(state.status is not FeedStatus.LIVE for state in heard.of(FeedState))


def _decimals(levels: tuple[tuple[int, int], ...], count: int) -> list[tuple[Decimal, Decimal]]:
    """Ticks and lots of the symbol, both a cent."""
    return [(Decimal(price) / 100, Decimal(size) / 100) for price, size in levels[:count]]


def _levels(rows: list[list[str]], count: int) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(size)) for price, size in rows[: min(count, 20)]]
