"""Client order ids: tag, sequence, wrap, lost blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.execution.orders.client_ids import BLOCK, ClientIds


def take(ids: ClientIds, count: int) -> list[int]:
    taken = []
    for _ in range(count):
        identity = ids.next()
        assert identity is not None
        ids.use()
        taken.append(identity)
    return taken


@given(st.integers(1, 255), st.integers(1, (1 << 24) * 3))
def test_ids_are_unique_within_uint32_and_carry_the_tag(tag: int, first: int) -> None:
    ids = ClientIds(tag, 32)
    ids.add(range(first, first + 200))
    taken = take(ids, ids.left - 1)
    assert len(set(taken)) == len(taken)
    assert all(
        0 < identity < 1 << 32 and identity >> 24 == tag and ids.is_ours(identity) for identity in taken
    )


def test_the_sequence_wraps_and_leaves_out_zero() -> None:
    ids = ClientIds(7, 32)
    ids.add(range((1 << 24) - 2, (1 << 24) + 3))
    assert [identity & 0xFFFFFF for identity in take(ids, 4)] == [(1 << 24) - 2, (1 << 24) - 1, 1, 2]


def test_without_a_reserved_block_there_is_no_id() -> None:
    ids = ClientIds(7, 32)
    assert ids.next() is None
    assert ids.needs_block()
    ids.on_reserving()
    assert not ids.needs_block()
    ids.add(range(0))  # Redis did not answer
    assert ids.needs_block()
    assert ids.next() is None


def test_a_block_is_reserved_ahead_of_need() -> None:
    ids = ClientIds(7, 32)
    ids.add(range(1, BLOCK + 1))
    take(ids, BLOCK // 2)
    assert not ids.needs_block()
    take(ids, 1)
    assert ids.needs_block()


def test_L09_after_a_loss_of_redis_the_sequence_goes_on_above_what_the_venue_shows() -> None:
    ids = ClientIds(77, 32)
    ids.saw((77 << 24) | 4_711)
    ids.saw((12 << 24) | 99_999)  # somebody else's
    assert ids.highest == 4_711


def test_after_a_wrap_the_sequence_goes_on_above_the_newest_order_not_the_highest() -> None:
    ids = ClientIds(77, 32)
    ids.saw((77 << 24) | 0xFFFFF0)  # old, and still open
    ids.saw_history((77 << 24) | number for number in (0xFFFFFE, 0xFFFFFF, 1, 2))
    assert ids.highest == 2
    ids.add(range(3, 10))
    assert ids.highest == 9


def test_foreign_ids_are_not_ours() -> None:
    ids = ClientIds(77, 32)
    assert not ids.is_ours(None)
    assert not ids.is_ours(5)
    assert not ids.is_ours((78 << 24) | 5)
    assert not ids.is_ours((77 << 24 | 5) + (1 << 40))
