"""Our own orders do not make a silent recording look alive, nor move the prices they are judged by."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from services.replay.watching import Ledgers
from shared.clock import NS_PER_S
from shared.messages import Fill, Quotes, Side, Top
from tests.replay.market import START_NS, SYMBOL, VENUE, info_of, top
from tests.replay.stage import Stage


def test_L02_nothing_is_quoted_or_sent_in_a_hole_of_the_recording(tmp_path: Path) -> None:
    stage = Stage(tmp_path).begin()
    assert stage.quotes.levels
    silent_ns, sent = stage.now_ns, len(stage.sent)
    stage.machine.run_until(silent_ns + 30 * NS_PER_S)
    assert not stage.resting, "what rested was cancelled"
    late = [quotes for at_ns, quotes in stage.watch.of(Quotes) if at_ns > silent_ns + 3 * NS_PER_S]
    assert late and not any(quotes.levels for quotes in late)
    assert len(stage.sent) <= sent + 2, "at most what was under way"
    told = [shown for at_ns, shown in stage.watch.shown if at_ns > silent_ns and isinstance(shown, Top)]
    assert all(shown.as_of_ns <= silent_ns for shown in told)


def test_Q32_spread_is_judged_by_the_market_without_our_orders() -> None:
    def captured(shown_bid: int) -> Decimal:
        ledgers = Ledgers({SYMBOL: info_of()}, START_NS, {})
        for second in range(3):
            now_ns = START_NS + second * NS_PER_S
            ledgers.on_market(
                top(200_000, 5_000, 200_010, 5_000, now_ns),
                top(shown_bid, 100, 200_010, 5_000, now_ns),
                now_ns,
            )
        fill = Fill(
            VENUE, SYMBOL, 1, 7, "1", Side.BUY, 200_004, 100, True, "0", "USDT", None, 100, False,
            START_NS + 2 * NS_PER_S, START_NS + 2 * NS_PER_S,
        )  # fmt: skip
        ledgers.on_published(fill, START_NS + 2 * NS_PER_S)
        return ledgers.stats[SYMBOL].report().money.parts.spread

    assert captured(200_004) == captured(200_000) != 0
