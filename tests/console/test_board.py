"""What the console takes from the bus: facts counted once, states forgotten, latencies bounded."""

from __future__ import annotations

from services.console.bus.board import MAX_SYMBOL_SAMPLES, Samples
from shared.bus import STATE_TTL_NS
from shared.messages import OrderStatus, Working
from tests.console.board_scene import ACCOUNT, NOW_NS, SYMBOL, board_of, update, working


def test_a_percentile_is_the_nearest_rank_as_in_the_benchmarks() -> None:
    samples = Samples(1_000)
    assert samples.percentile(0.5) is None
    for value in range(100, 0, -1):
        samples.add(float(value))
    assert [samples.percentile(share) for share in (0.5, 0.99, 0.999)] == [50.0, 99.0, 100.0]
    samples.add(1_000.0)
    assert samples.percentile(1.0) == 1_000.0, "what was sorted once is not kept after a new sample"


def test_samples_are_bounded_and_their_number_is_not() -> None:
    samples = Samples(10)
    for value in range(100):
        samples.add(float(value))
    assert (samples.n, samples.percentile(0.0)) == (100, 90.0)


def test_only_the_first_request_of_a_frame_is_a_latency_and_timers_are_none() -> None:
    board = board_of(
        update(OrderStatus.PENDING_NEW, 1, cause_ns=1_000_000, sent_ns=1_250_000),
        update(OrderStatus.PENDING_NEW, 2, cause_ns=1_000_000, sent_ns=1_400_000),
        update(OrderStatus.PENDING_NEW, 3, cause_ns=0, sent_ns=1_500_000),
    )
    assert (board.tick_to_order_us.n, board.tick_to_order_us.percentile(0.5)) == (1, 250.0)
    assert board.samples_of(ACCOUNT, SYMBOL).n == 1
    assert board.samples_of(ACCOUNT, "ETH_USDC_PERP").percentile(0.5) is None
    assert board.samples_of(ACCOUNT, SYMBOL)._values.maxlen == MAX_SYMBOL_SAMPLES


def test_a_state_that_is_not_heard_any_more_is_unknown() -> None:
    board = board_of(working())
    assert board.newest(Working, ACCOUNT, SYMBOL, NOW_NS + STATE_TTL_NS) is not None
    assert board.newest(Working, ACCOUNT, SYMBOL, NOW_NS + STATE_TTL_NS + 1) is None
    assert board.heard_ns(Working, ACCOUNT, SYMBOL) == NOW_NS
    assert board.heard_ns(Working, ACCOUNT, "ETH_USDC_PERP") == 0
