"""The signals' core on the recorded ETHUSDT perpetual: what it tells is what the recording holds."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from services.signals.config import Config
from services.signals.core import Signals
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedState, FeedStatus, Intensity, Message, Side, Top, Trade, Volatility
from shared.venues.market_data import BestPrices, PublicTrade
from tests.marketdata.binance_recording import Recording
from tests.quoter.builders import INFO, SYMBOL, VENUE

FILE = "binance_usdm_2024-08-08/ethusdt_20240808.gz"


@cache
def events(path: Path) -> tuple[BestPrices | PublicTrade, ...]:
    found = Recording(path, SYMBOL, 100, 1000).events()
    return tuple(event for event in found if isinstance(event, BestPrices | PublicTrade))


@cache
def told(path: Path) -> tuple[Message, ...]:
    """Run the recording through the core, on the venue's clock."""
    core = Signals(Config(volatility="rolling"))
    core.watch(VENUE, SYMBOL)
    core.on_instrument_info(INFO, 0)
    out: list[Message] = []
    timer_ns = 0
    for event in events(path):
        now_ns = event.venue_ns or 0
        if not timer_ns:
            timer_ns = now_ns
            core.on_feed_state(FeedState(VENUE, SYMBOL, FeedStatus.LIVE, "", now_ns, 0), now_ns)
        while timer_ns <= now_ns:
            out += core.on_timer(timer_ns)
            timer_ns += 100 * NS_PER_MS
        if isinstance(event, BestPrices):
            core.on_top(
                Top(VENUE, SYMBOL, event.bid, event.bid_size, event.ask, event.ask_size, event.update_id,
                    now_ns, now_ns, now_ns, now_ns),
                now_ns,
            )  # fmt: skip
        else:
            trade = Trade(VENUE, SYMBOL, event.side, event.price, event.size, event.trade_id, now_ns, now_ns)
            core.on_trade(trade, now_ns)
    return tuple(out)


@pytest.fixture
def path(shared_data: Path) -> Path:
    found = shared_data / FILE
    if not found.exists():
        pytest.skip(f"{found} is not there")
    return found


def test_Q12_volatility_of_a_recorded_market_is_that_of_its_mids_second_by_second(path: Path) -> None:
    mids: dict[int, float] = {}  # second -> the last mid that is stamped before its end
    for event in events(path):
        if isinstance(event, BestPrices) and event.bid and event.ask:
            mids[(event.venue_ns or 0) // NS_PER_S + 1] = (event.bid + event.ask) / 2
    last = [message for message in told(path) if isinstance(message, Volatility)][-1]
    end_s = last.as_of_ns // NS_PER_S
    closes, newest = [], 0.0
    for second in range(min(mids), end_s + 1):
        newest = mids.get(second, newest)
        closes.append(newest)
    returns = [math.log(now / before) for before, now in pairwise(closes)][-60:]
    expected = 100 * statistics.pstdev(returns) * math.sqrt(365 * 86_400)
    assert last.annualised_pct == pytest.approx(expected, rel=1e-6)
    assert 50 < expected < 120  # a wild day


def test_intensity_of_a_recorded_market_agrees_with_its_counts(path: Path) -> None:
    last = [message for message in told(path) if isinstance(message, Intensity)][-1]
    assert last.arrivals_per_s is not None and last.decay_per_tick is not None
    arrivals: Counter[tuple[Side, int | None]] = Counter()
    for event in events(path):
        if isinstance(event, PublicTrade):
            arrivals[event.side, event.venue_ns] += 1
    assert last.trade_count == pytest.approx(len(arrivals), rel=0.03)  # without the first second
    at_best = last.arrivals_per_s * math.exp(-last.decay_per_tick / 2)  # the spread is one tick
    assert at_best == pytest.approx(len(arrivals) / 2 / 344, rel=0.03)
    assert 0.1 < last.decay_per_tick < 3
