"""The synthetic market: the same seed is the same day."""

from __future__ import annotations

import pytest

from services.replay.sources.synthetic import START_NS, SyntheticSource
from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.messages import Depth, FeedState, InstrumentInfo, Mark, Message, Side, Top, Trade
from tests.replay.market import SYMBOL, VENUE


def market(seed: int, duration_s: float = 20.0, symbol: str = SYMBOL) -> list[tuple[int, Message]]:
    return list(SyntheticSource(VENUE, symbol, seed, duration_s).messages())


def test_the_same_seed_tells_the_same_and_another_seed_something_else() -> None:
    assert market(7) == market(7)
    assert market(7) != market(8)


def test_it_has_two_sides_trades_of_both_and_marks_and_lasts_as_long_as_asked() -> None:
    messages = market(7)
    assert isinstance(messages[0][1], InstrumentInfo)
    assert {type(message) for _, message in messages} == {InstrumentInfo, Top, Depth, Trade, Mark, FeedState}
    tops = [message for _, message in messages if isinstance(message, Top)]
    assert all(top.bid is not None and top.ask is not None and top.bid < top.ask for top in tops)
    assert {message.side for _, message in messages if isinstance(message, Trade)} == set(Side)
    times = [now_ns for now_ns, _ in messages]
    assert times == sorted(times)
    assert times[0] == START_NS and 19 * NS_PER_S < times[-1] - START_NS <= 20 * NS_PER_S


def test_best_prices_and_depth_agree() -> None:
    top: Top | None = None
    for _, message in market(3):
        if isinstance(message, Top):
            top = message
        elif isinstance(message, Depth):
            assert top is not None
            assert (message.bids[0], message.asks[0]) == ((top.bid, top.bid_size), (top.ask, top.ask_size))


def test_a_symbol_that_the_local_venue_does_not_list_is_answered_with_the_choices() -> None:
    with pytest.raises(BadInput, match=r"synthetic market 'MOON' is not known; choices: .*SOL_USDC"):
        SyntheticSource(VENUE, "MOON", 7, 1.0)


def test_progress_is_told_in_simulated_milliseconds() -> None:
    source = SyntheticSource(VENUE, SYMBOL, 7, 3.0)
    assert (source.size, source.position()) == (3_000, 0)
    positions = [source.position() for _ in source.messages()]
    assert positions == sorted(positions) and 0 < positions[len(positions) // 2] < 3_000
    assert source.position() == source.size
