"""The signals' core: when it tells, and when it stays silent."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from services.signals.config import Config, parse_signals
from services.signals.core import Signals
from services.signals.demand import Demand
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import BadInput
from shared.messages import (
    Candles,
    FeedStatus,
    Flow,
    Gap,
    Intensity,
    Message,
    Side,
    Trade,
    Volatility,
)
from tests.quoter.builders import INFO, START_NS, SYMBOL, VENUE, feed, top


class Market:
    """A signals core with one watched symbol and a clock that is passed in."""

    def __init__(self, **settings: Any) -> None:
        self.now_ns = START_NS
        self.core = Signals(Config(**settings))
        self.core.watch(VENUE, SYMBOL)
        self.core.on_instrument_info(INFO, self.now_ns)
        self.core.on_feed_state(feed(), self.now_ns)
        self.core.on_top(top(), self.now_ns)

    def trade(self, side: Side, lots: int = 100, price: int = 20_000) -> None:
        trade = Trade(VENUE, SYMBOL, side, price, lots, 1, self.now_ns, self.now_ns)
        assert list(self.core.on_trade(trade, self.now_ns)) == []

    def run(self, seconds: float, *, alive: bool = True) -> list[Message]:
        """Let the timer run; `alive` = the feed says once a second that it is."""
        messages: list[Message] = []
        for _ in range(round(seconds * 10)):
            self.now_ns += 100 * NS_PER_MS
            if alive:
                self.core.on_feed_state(feed(now_ns=self.now_ns), self.now_ns)
            messages += self.core.on_timer(self.now_ns)
        return messages


def flows(messages: list[Message]) -> list[Flow]:
    return [message for message in messages if isinstance(message, Flow)]


def test_F01_no_flow_is_told_before_one_whole_window_has_passed() -> None:
    market = Market()
    assert flows(market.run(2.9)) == []
    assert len(flows(market.run(0.3))) == 3


def test_F02_no_trades_are_neutral_flow() -> None:
    last = flows(Market().run(4))[-1]
    assert (last.log_ratio, last.buy_notional, last.sell_notional) == (0.0, 0.0, 0.0)


def test_F02_notional_is_in_quote_units() -> None:
    market = Market()
    market.run(3)
    market.trade(Side.BUY, lots=150)  # 1.5 SOL at 200.00
    market.trade(Side.SELL, lots=100)
    last = flows(market.run(0.1))[-1]
    assert last.buy_notional == pytest.approx(300.0)
    assert last.sell_notional == pytest.approx(200.0)
    assert last.log_ratio == pytest.approx(0.3 * math.log(1.5))


def test_F04_flow_is_published_on_the_timer_and_not_per_trade() -> None:
    market = Market()
    market.run(3)
    for _ in range(1000):
        market.trade(Side.BUY)
    assert len(flows(market.run(0.1))) == 1


def test_F03_a_buy_only_burst_is_over_when_its_trades_have_left_the_window() -> None:
    market = Market()
    market.run(3)
    market.trade(Side.BUY)
    assert flows(market.run(3.0))[-1].log_ratio > math.log(1.2)
    assert abs(flows(market.run(0.5))[-1].log_ratio) < math.log(1.2)


def test_a_gap_in_the_trades_invalidates_the_window_until_a_whole_one_has_passed() -> None:
    market = Market()
    market.run(3)
    market.trade(Side.BUY)
    market.core.on_gap(Gap(VENUE, SYMBOL, "Trade"), market.now_ns)
    assert flows(market.run(2.9)) == []
    assert flows(market.run(0.2))[-1].buy_notional == 0.0


def test_a_gap_of_another_kind_or_symbol_changes_nothing() -> None:
    market = Market()
    market.run(3)
    market.core.on_gap(Gap(VENUE, SYMBOL, "Fill"), market.now_ns)
    market.core.on_gap(Gap(VENUE, "SOL_USDC", "Trade"), market.now_ns)
    assert len(flows(market.run(0.1))) == 1


@pytest.mark.parametrize("status", [s for s in FeedStatus if s is not FeedStatus.LIVE])
def test_D06_a_feed_that_is_not_live_has_no_flow_and_no_volatility(status: FeedStatus) -> None:
    market = Market()
    market.run(3)
    market.core.on_feed_state(feed(status), market.now_ns)
    assert market.run(1, alive=False) == []


def test_D06_inputs_that_are_no_longer_alive_are_no_inputs() -> None:
    market = Market()
    market.run(4)
    told = flows(market.run(5, alive=False))
    assert len(told) == 20  # two seconds
    assert {flow.as_of_ns for flow in told} == {told[0].as_of_ns}  # and consumers see it age


def test_volatility_is_told_each_second_from_mids_sampled_by_the_clock() -> None:
    market = Market()
    told: list[Volatility] = []
    for second in range(30):
        market.core.on_top(top(19_999 + second % 2, 20_001 + second % 2, market.now_ns), market.now_ns)
        told += [message for message in market.run(1) if isinstance(message, Volatility)]
    assert 29 <= len(told) <= 30
    assert told[5].annualised_pct is None
    step = math.log(20_001 / 20_000)
    assert told[-1].annualised_pct == pytest.approx(100 * step * math.sqrt(365 * 86_400), rel=1e-6)


def volatilities(messages: list[Message]) -> list[Volatility]:
    return [message for message in messages if isinstance(message, Volatility)]


def test_Q12_a_thousand_tops_in_a_second_are_one_sample() -> None:
    market = Market()
    market.run(2)
    for number in range(1000):
        market.now_ns += 2 * NS_PER_MS
        bid = 19_999 + number % 5
        market.core.on_top(top(bid, bid + 2, market.now_ns), market.now_ns)
    assert volatilities(market.run(1))[-1].sample_count == 3  # one before, two with the tops


def test_Q12_the_price_at_the_end_of_a_second_is_the_one_before_it_whenever_that_is_told() -> None:
    """A top stamped before the end arrives after it: batches and timers are late, stamps are not."""
    market = Market()
    market.run(3)
    end_ns = (market.now_ns // NS_PER_S + 1) * NS_PER_S
    market.run(0.9)
    market.now_ns = end_ns + 9 * NS_PER_MS
    market.core.on_timer(market.now_ns)
    market.core.on_top(top(20_199, 20_201, end_ns - 1), market.now_ns)  # one percent up
    market.core.on_top(top(29_999, 30_001, end_ns + 1), market.now_ns)
    market.core.on_feed_state(feed(now_ns=market.now_ns), market.now_ns)
    market.core.on_timer(market.now_ns + 100 * NS_PER_MS)
    gauge = market.core._symbols[VENUE, SYMBOL]._gauge
    assert gauge._own[-1].log_return == pytest.approx(math.log(1.01))


def test_Q12_a_quiet_market_has_a_volatility_of_zero_and_a_dead_feed_has_none() -> None:
    market = Market()
    assert volatilities(market.run(25))[-1].annualised_pct == 0.0
    first, second = volatilities(market.run(5, alive=False))
    # the feed was heard at the end of the first of these seconds, and not at that of the second
    assert second.sample_count == first.sample_count
    again = volatilities(market.run(4))
    assert again[-1].sample_count == first.sample_count + 2  # of the four, from a whole one to the next


def test_Q12_an_outage_is_no_return_even_if_the_price_moved_in_it() -> None:
    market = Market()
    market.run(30)
    market.core.on_feed_state(feed(FeedStatus.STALE, market.now_ns), market.now_ns)
    market.run(40, alive=False)
    market.core.on_top(top(24_999, 25_001, market.now_ns), market.now_ns)
    told = volatilities(market.run(40))
    assert {volatility.annualised_pct for volatility in told} <= {None, 0.0}
    assert told[-1].annualised_pct == 0.0


def test_Q12_other_ticks_are_no_return() -> None:
    market = Market()
    market.run(30)
    market.core.on_instrument_info(msgspec.structs.replace(INFO, tick_size="0.1"), market.now_ns)
    market.core.on_top(top(1_999, 2_001, market.now_ns), market.now_ns)
    assert volatilities(market.run(30))[-1].annualised_pct == 0.0


@pytest.mark.parametrize("name", ["blended", "rolling", "ewma", "parkinson", "kernel"])
def test_Q12_every_estimator_can_be_chosen(name: str) -> None:
    market = Market(volatility=name)
    told: list[Volatility] = []
    for second in range(70):
        bid = 19_999 + second % 2
        market.core.on_top(top(bid, bid + 2, market.now_ns), market.now_ns)
        told += volatilities(market.run(1))
    assert told[-1].annualised_pct is not None and 0 < told[-1].annualised_pct < 60


def test_D11_candles_give_a_volatility_at_the_first_second() -> None:
    market = Market()
    assert market.core.wants_seed(VENUE, SYMBOL)
    rows = tuple(
        (START_NS + (second - 999) * NS_PER_S, 20_002, 19_998, 20_000 + second % 2) for second in range(1000)
    )
    market.core.on_candles(Candles(VENUE, SYMBOL, 1, rows), market.now_ns)
    assert not market.core.wants_seed(VENUE, SYMBOL)
    first = volatilities(market.run(1.1))[0]
    step = math.log(20_001 / 20_000)
    assert first.annualised_pct == pytest.approx(100 * step * math.sqrt(365 * 86_400), rel=0.01)
    assert 598 <= first.sample_count <= 600
    assert not market.core.wants_seed(VENUE, "SOL_USDC")


def test_intensity_is_told_each_second_and_none_until_enough_is_seen() -> None:
    market = Market()
    told: list[Intensity] = []
    for second in range(60):
        side = Side.BUY if second % 2 else Side.SELL
        for ticks in range(second % 3 + 1):
            market.trade(side, price=20_000 + side * (1 + ticks))
        told += [message for message in market.run(1) if isinstance(message, Intensity)]
    assert 59 <= len(told) <= 60
    assert told[10].arrivals_per_s is None and told[10].decay_per_tick is None
    last = told[-1]
    assert last.trade_count >= 50
    assert last.arrivals_per_s is not None and last.decay_per_tick is not None
    at_best = last.arrivals_per_s * math.exp(-last.decay_per_tick)  # one tick from the mid
    assert at_best == pytest.approx(0.5, rel=0.05)  # one a second, half of them on each side


def test_a_gap_in_the_trades_voids_what_is_unfinished_of_the_intensity() -> None:
    market = Market()
    market.run(2)
    for number in range(5):
        market.now_ns += NS_PER_MS
        market.trade(Side.BUY, price=20_001 + number)
    market.core.on_gap(Gap(VENUE, SYMBOL, "Trade"), market.now_ns)
    (told,) = [message for message in market.run(1) if isinstance(message, Intensity)]
    assert told.trade_count == 0


def test_an_order_that_walks_the_book_is_one_arrival_by_the_venues_time() -> None:
    market = Market()
    market.run(2)
    for number, venue_ns in enumerate((7, 7, 8, None, None)):
        at_ns = market.now_ns + number
        trade = Trade(VENUE, SYMBOL, Side.BUY, 20_001 + number, 1, number, venue_ns, at_ns)
        market.core.on_trade(trade, at_ns)
    told = [message for message in market.run(1) if isinstance(message, Intensity)]
    assert told[-1].trade_count == 4  # without a time of the venue, ours


def test_where_a_taker_began_is_read_from_its_trades_and_not_from_a_book_that_is_behind() -> None:
    """The market went on by ten ticks, and the book has not told it yet: nobody walked the book."""
    behind, told = Market(), []
    for second in range(60):
        behind.trade(Side.BUY if second % 2 else Side.SELL, price=20_010 if second % 2 else 19_990)
        told += [message for message in behind.run(1) if isinstance(message, Intensity)]
    assert told[-1].trade_count >= 50 and told[-1].arrivals_per_s is None  # nobody went on


def test_arrivals_counted_in_other_ticks_are_forgotten() -> None:
    market = Market()
    market.run(2)
    market.trade(Side.BUY, price=20_001)
    market.run(20)
    market.core.on_instrument_info(msgspec.structs.replace(INFO, tick_size="0.1"), market.now_ns)
    told = [message for message in market.run(2) if isinstance(message, Intensity)]
    assert told[-1].trade_count == 0


def test_symbols_that_nobody_wants_are_ignored() -> None:
    core = Signals(Config())
    assert list(core.on_top(top(), 0)) == []
    core.watch(VENUE, SYMBOL)
    core.forget(VENUE, SYMBOL)
    assert list(core.on_timer(NS_PER_S)) == []


def test_demand_outlives_a_quoter_that_is_being_restarted() -> None:
    demand = Demand(keep_ns=60)
    assert demand.joined(VENUE, SYMBOL)
    assert not demand.joined(VENUE, SYMBOL)
    demand.left(VENUE, SYMBOL, 0)
    assert demand.expired(1000) == []  # one is still there
    demand.left(VENUE, SYMBOL, 1000)
    assert demand.expired(1059) == []
    assert not demand.joined(VENUE, SYMBOL)  # back in time
    demand.left(VENUE, SYMBOL, 2000)
    assert demand.expired(2060) == [(VENUE, SYMBOL)]
    assert demand.joined(VENUE, SYMBOL)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"flow_alpha": 1.5}, "signals: flow_alpha: Expected `float` <= 0.99, was 1.5"),
        ({"flow_windw_s": 3.0}, "did you mean 'flow_window_s'"),
        ({"volatility": "garch"}, "signals: volatility: Invalid enum value 'garch', was 'garch'"),
        (
            {"volatility_short_s": 700},
            "signals: volatility_short_s: must be at most volatility_long_s (600), was 700",
        ),
        (
            {"volatility_min_samples": 61},
            "signals: volatility_min_samples: must be at most volatility_short_s (60), was 61",
        ),
        (
            {"volatility_bar_s": 121},
            "signals: volatility_bar_s: must be at most volatility_long_s / 5 (120), was 121",
        ),
        (
            {"volatility_long_s": 60, "volatility_kernel_lags": 13},
            "signals: volatility_kernel_lags: must be at most volatility_long_s / 5 (12), was 13",
        ),
    ],
)
def test_X02_a_bad_value_is_named_with_its_rule(raw: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_signals(raw)
    assert text in str(caught.value)


@pytest.mark.parametrize("changes", [{"tick_size": "None"}, {"min_notional": "?"}, {"lot_size": "1e999"}])
def test_a_symbol_whose_rules_cannot_be_read_has_no_flow_and_the_others_go_on(
    changes: dict[str, str],
) -> None:
    market = Market()
    bad = msgspec.structs.replace(INFO, symbol="ODD_USDC", **changes)
    market.core.watch(VENUE, "ODD_USDC")
    market.core.on_instrument_info(bad, market.now_ns)
    market.core.on_feed_state(msgspec.structs.replace(feed(), symbol="ODD_USDC"), market.now_ns)
    flows = [message for message in market.run(5) if isinstance(message, Flow)]
    assert {flow.symbol for flow in flows} == {SYMBOL}
