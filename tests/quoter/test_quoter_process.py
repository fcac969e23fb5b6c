"""Signals and quoter as processes on a real bus."""

from __future__ import annotations

import signal
from pathlib import Path

from shared.errors import EXIT_BAD_INPUT
from shared.messages import Flow, Quotes, Side
from tests.quoter.builders import SYMBOL, VENUE, order
from tests.quoter.bus_stand import BusStand

CONFIG = """
[venues.backpack]
protocol = "backpack"
ready_file = "run/venue.json"
[accounts.main]
venue = "backpack"
[signals]
flow_window_s = 0.3
[quoters.SOL_USDC_PERP]
account = "main"
strategy = "one_sided"
params = { min_hold_s = 0.1 }
"""


def test_F05_signals_and_quoter_processes_follow_the_takers_and_cancel_at_the_end(tmp_path: Path) -> None:
    with BusStand(tmp_path, CONFIG) as stand:
        stand.inbox.subscribe(Quotes)
        signals, quoter = stand.start("signals"), stand.start("quoter", "--symbol", SYMBOL)

        def is_quoting(side: Side) -> bool:
            quotes = stand.newest_quotes()
            return quotes is not None and [level.side for level in quotes.levels] == [side]

        def reason() -> str:
            quotes = stand.newest_quotes()
            return quotes.reason if quotes else ""

        stand.run_until(lambda: is_quoting(Side.SELL))  # takers buy
        stand.taker = Side.SELL
        stand.run_until(lambda: is_quoting(Side.BUY))
        assert ("Trade", VENUE, SYMBOL, True) in stand.demand  # asked for because the quoter asked

        quoter.send_signal(signal.SIGTERM)
        stand.run_until(lambda: reason() == "quoter stopped")
        assert quoter.wait(10) == 0

        signals.kill()
        signals.wait()
        quoter = stand.start("quoter", "--symbol", SYMBOL)
        stand.heard.clear()
        stand.run_until(lambda: reason() == "missing: Flow")


def test_X02_a_bad_configuration_ends_with_78_and_one_line(tmp_path: Path) -> None:
    with BusStand(tmp_path, CONFIG.replace("min_hold_s = 0.1", "min_hold_s = -1")) as stand:
        quoter = stand.start("quoter", "--symbol", SYMBOL)
        assert quoter.wait(20) == EXIT_BAD_INPUT
        assert quoter.stderr is not None
        text = f"quoter.{SYMBOL}: quoters.{SYMBOL}.params: min_hold_s: Expected `float` >= 0.0, was -1"
        assert text in quoter.stderr.read()


def test_signals_begin_when_somebody_listens(tmp_path: Path) -> None:
    with BusStand(tmp_path, CONFIG) as stand:
        stand.start("signals")
        stand.inbox.subscribe(Flow, VENUE, SYMBOL)
        stand.run_until(lambda: any(isinstance(message, Flow) for message in stand.heard))
        flow = next(message for message in stand.heard if isinstance(message, Flow))
        assert flow.log_ratio > 0 and flow.sell_notional == 0.0


JOINING = CONFIG.replace("one_sided", "two_sided").replace(
    "min_hold_s = 0.1",
    "quantity = 1, join_best = true, refresh_interval_s = 0.05, own_order_settle_s = 0.1",
)


def test_Q32_a_bid_of_ours_that_alone_is_the_best_is_neither_joined_nor_improved(tmp_path: Path) -> None:
    """The process that runs live and on paper alike; the replay's is `test_machine.py`."""
    with BusStand(tmp_path, JOINING) as stand:
        stand.inbox.subscribe(Quotes)
        stand.start("quoter", "--symbol", SYMBOL)

        def bid() -> int | None:
            quotes = stand.newest_quotes()
            bids = [level.price for level in quotes.levels if level.side is Side.BUY] if quotes else []
            return bids[0] if bids else None

        stand.run_until(lambda: bid() == 19_999)  # with the others
        stand.bid, stand.bid_size, stand.behind = 20_000, 100, (19_997, 500)
        stand.resting = (order(Side.BUY, 20_000, 100),)  # the others have gone down, ours is alone
        stand.run_until(lambda: bid() == 19_997)
        stand.heard.clear()
        stand.run_until(lambda: len(stand.heard) > 3)
        wanted = [level.price for m in stand.heard if isinstance(m, Quotes) for level in m.levels]
        assert max(price for price in wanted if price < 20_001) == 19_997
