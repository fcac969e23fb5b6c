"""All cores on a simulated clock: what a replay of a configuration shows, and that it can be trusted."""

from __future__ import annotations

import gzip
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from services.replay.running import Outcome, Replayed, replay
from services.replay.settings import ReplaySettings
from services.replay.sources.opening import open_data
from services.replay.venue.queue import FillModel
from shared.clock import NS_PER_S
from shared.config import load
from shared.messages import Fill, Quotes, Side, Working
from tests.replay.market import START_NS, SYMBOL, VENUE, config_of, config_text, trade
from tests.replay.stage import Stage, synthetic

INSIDE = 'strategy = "two_sided"\nparams = {half_spread_ticks = 2, quantity = 0.05, refresh_interval_s = 0.1}'
FEES = "maker_fee_bps = 1.37\ntaker_fee_bps = 4.1\n"
BTC = "BTC_USDC_PERP"


def ties_out(done: Replayed) -> bool:
    """True when venue and ledger agree to the last digit, and nothing is left, in every model."""
    return all(outcome.is_clean and not any(outcome.difference.values()) for outcome in done.outcomes)


def comparable(outcome: Outcome) -> Any:
    return outcome.reports, outcome.difference, outcome.alerts, outcome.pauses


def test_two_replays_of_one_configuration_are_identical(tmp_path: Path) -> None:
    config = config_of(tmp_path, replay=FEES)
    first, second = (replay(config, {SYMBOL: synthetic()}) for _ in range(2))
    assert [comparable(outcome) for outcome in first.outcomes] == [
        comparable(outcome) for outcome in second.outcomes
    ]
    assert first.event_count == second.event_count > 100
    assert [outcome.model for outcome in first.outcomes] == list(FillModel)
    assert all(outcome.reports[SYMBOL].activity.fills for outcome in first.outcomes)


@pytest.mark.parametrize(
    ("symbol", "rest", "strategy"),
    [
        (SYMBOL, FEES, ""),
        (
            SYMBOL,
            "maker_fee_bps = -0.5\n",
            'strategy = "two_sided"\nparams = {join_best = true, equity_pct = 5}',
        ),
        ("SOL_USDC", FEES + "held = {SOL_USDC = 12.5}\n", ""),
        ("SOL_USDC", FEES, ""),
    ],
)
def test_venue_and_ledger_agree_to_the_last_digit_and_nothing_is_left(
    tmp_path: Path, symbol: str, rest: str, strategy: str
) -> None:
    done = replay(config_of(tmp_path, (symbol,), rest, strategy), {symbol: synthetic(symbol=symbol)})
    assert ties_out(done)
    for outcome in done.outcomes:
        report = outcome.reports[symbol]
        assert report.activity.fills and report.money.net == report.money.parts.total
        assert not report.unexplained


@pytest.mark.parametrize("wrong", ["0", "0.01"])
def test_the_tie_out_finds_what_the_venue_has_booked_otherwise_and_nothing_else(
    tmp_path: Path, wrong: str
) -> None:
    stage = Stage(tmp_path, FEES, INSIDE, model=FillModel.TOUCH).begin()
    for price in (200_000, 200_007, 200_000):
        side = Side.BUY if price > 200_003 else Side.SELL
        stage.tell(trade(side, price, 30, stage.now_ns)).run(3.0)
    stage.venue.accounts["main"].cash += Decimal(wrong)
    stage.run(150.0, step_ms=200)
    assert len(stage.watch.of(Fill)) == 3
    alerts = [alert.event for _, alert in stage.machine.links["main"].alerts if alert.is_error]
    assert alerts == (["the ledger differs from the venue"] if Decimal(wrong) else [])


@pytest.mark.parametrize("name", ["binance_usdm_2024-08-08", "binance_spot_2024-08-08"])
def test_a_recorded_minute_adds_up(shared_data: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "minute.txt"
    with gzip.open(shared_data / name / "ethusdt_20240808.gz") as lines, path.open("wb") as minute:
        minute.writelines(islice(lines, 8_000))
    config = config_of(tmp_path, replay=FEES + f"held = {{{SYMBOL} = 2}}\n" if "spot" in name else FEES)
    done = replay(config, open_data([str(path)], config, ReplaySettings(), 1.0))
    assert ties_out(done)
    assert done.gaps == {SYMBOL: ()}
    assert all(outcome.reports[SYMBOL].activity.fills for outcome in done.outcomes)


def test_X17_several_symbols_accounts_and_venues_at_once(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    quoter = 'strategy = "two_sided"\nparams = {join_best = true, size_usd = 400, refresh_interval_s = 0.1}\n'
    text = config_text((SYMBOL, BTC), FEES)
    text += '[venues.far]\nprotocol = "backpack"\nready_file = "far.json"\n[accounts.second]\nvenue = "far"\n'
    path.write_text(f'{text}[quoters.SOL_USDC_PERP]\naccount = "second"\n{quoter}')
    sol = "SOL_USDC_PERP"
    sources = {
        SYMBOL: synthetic(), BTC: synthetic(symbol=BTC), sol: synthetic(symbol=sol, scope="far"),
    }  # fmt: skip
    done = replay(load(path, with_changes=False), sources)
    assert ties_out(done)
    for outcome in done.outcomes:
        assert set(outcome.reports) == set(sources) and set(outcome.difference) == {"main", "second"}
        assert all(report.activity.fills for report in outcome.reports.values())


def test_one_symbol_is_replayed_the_same_whatever_else_the_account_could_trade(tmp_path: Path) -> None:
    alone = replay(config_of(tmp_path), {SYMBOL: synthetic()}, (FillModel.QUEUE,))
    among = replay(config_of(tmp_path, (SYMBOL, BTC)), {SYMBOL: synthetic()}, (FillModel.QUEUE,))
    assert comparable(alone.outcomes[0]) == comparable(among.outcomes[0])


# --- item 7 of the issue: the own book removed ----------------------------------------------------


def test_Q32_a_bid_of_ours_that_alone_is_the_best_is_not_in_what_the_strategy_sees(tmp_path: Path) -> None:
    stage = Stage(tmp_path, strategy=INSIDE).begin().run(6.0)
    bid, _, ask, _ = stage.book
    ours = {level.side: level.price for level in stage.quotes.levels}
    assert bid < ours[Side.BUY] < ours[Side.SELL] < ask  # we alone make both best prices
    shown = [top for _, top in stage.views if top is not None and top.bid != bid]
    assert shown and all(top.bid == ours[Side.BUY] for top in shown)
    assert {(view.bid, view.ask) for view, _ in stage.views} == {(bid, ask)}
    assert len({quotes.levels for _, quotes in stage.watch.of(Quotes) if quotes.levels}) == 1


def test_we_do_not_chase_our_own_quotes_when_the_market_moves(tmp_path: Path) -> None:
    stage = Stage(tmp_path, strategy=INSIDE).begin()
    for bid in (200_010, 199_990, 200_000):
        stage.book = (bid, 5_000, bid + 10, 5_000)
        stage.run(3.0)
        assert {level.side: level.price - bid for level in stage.quotes.levels} == {Side.BUY: 3, Side.SELL: 7}


# --- what goes on ----------------------------------------------------------------------------------


def test_a_fill_is_told_to_everybody_and_quoting_goes_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path, strategy=INSIDE).begin()
    (order,) = [order for order in stage.resting if order.side is Side.BUY]
    stage.tell(trade(Side.SELL, order.price - 1, 1_000, stage.now_ns)).run(2.0)
    ((_, fill),) = stage.watch.of(Fill)
    assert (fill.side, fill.price, fill.position_after) == (Side.BUY, order.price, order.size)
    assert len(stage.resting) == 2


def test_stopping_confirms_every_cancel(tmp_path: Path) -> None:
    stage = Stage(tmp_path).begin()
    assert stage.resting
    assert stage.machine.stop(stage.now_ns, 5 * NS_PER_S)
    assert not stage.resting
    assert not stage.watch.of(Working)[-1][1].orders


def test_a_venue_that_is_too_far_to_confirm_in_time_is_not_called_clean(tmp_path: Path) -> None:
    stage = Stage(tmp_path, replay="latency = {order_ms = 2000}\n").begin().run(20.0)
    assert stage.resting
    assert not stage.machine.stop(stage.now_ns, NS_PER_S)


def test_a_market_event_takes_feed_two_hops_and_the_way_to_the_venue(tmp_path: Path) -> None:
    rest = "latency = {feed_ms = 3, hop_ms = 0.5, order_ms = 20, reply_ms = 40}\n"
    stage = Stage(tmp_path, rest, INSIDE).begin()
    stage.arrivals.clear()
    moved_ns = stage.now_ns
    stage.book = (200_020, 5_000, 200_030, 5_000)
    stage.run(1.0)
    quoted_ns = next(
        now_ns
        for now_ns, quotes in stage.watch.of(Quotes)
        if now_ns > moved_ns and quotes.cause_ns == moved_ns
    )
    assert quoted_ns - moved_ns == 3_500_000
    assert stage.arrivals[0] - moved_ns == 24_000_000


def test_latency_costs_time_at_both_sides_and_at_the_best_price(tmp_path: Path) -> None:
    def presence(order_ms: int) -> tuple[float, float]:
        rest = f"latency = {{order_ms = {order_ms}, reply_ms = {order_ms}}}\n"
        found = []
        for seed in (7, 8):
            done = replay(config_of(tmp_path, replay=rest), {SYMBOL: synthetic(seed)}, (FillModel.THROUGH,))
            assert ties_out(done)
            found.append(done.outcomes[0].reports[SYMBOL].presence)
        return sum(one.two_sided for one in found) / 2, sum(one.bid_at_best for one in found) / 2

    near, far = presence(1), presence(150)
    assert far[0] < near[0] - 0.1
    assert far[1] < near[1] - 0.1


@pytest.mark.parametrize("order_ms", [400, 900])
def test_L01_an_order_whose_reply_comes_too_late_is_unknown_and_sent_once(
    tmp_path: Path, order_ms: int
) -> None:
    stage = Stage(
        tmp_path, replay=f"latency = {{order_ms = {order_ms}, reply_ms = {order_ms}}}\n",
        more="[execution]\norder_timeout_s = 0.5\n",
    ).begin().run(15.0)  # fmt: skip
    assert stage.sent and len(set(stage.sent)) == len(stage.sent)
    assert "UNKNOWN" in stage.statuses()
    first_ns = next(now_ns for now_ns, update in stage.watch.of(Working) if update.orders)
    assert first_ns > START_NS
    assert stage.machine.stop(stage.now_ns, 30 * NS_PER_S)
    assert not stage.resting
    assert VENUE in stage.machine.venues
