"""The book: sorted whatever the venue sends, absolute sizes, best levels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.book import Book

changes = st.lists(st.tuples(st.booleans(), st.integers(1, 60), st.integers(0, 5)), max_size=200)


@given(changes)
def test_D14_best_levels_are_right_in_any_order_of_changes(changes: list[tuple[bool, int, int]]) -> None:
    book, bids, asks = Book(), {}, {}
    for is_bid, price, size in changes:
        (book.bids if is_bid else book.asks).set(price, size)
        (bids if is_bid else asks)[price] = size
    bids = {price: size for price, size in bids.items() if size}
    asks = {price: size for price, size in asks.items() if size}
    assert book.best_bid() == max(bids.items(), default=None)
    assert book.best_ask() == min(asks.items(), default=None)
    assert book.top_bids(5) == tuple(sorted(bids.items(), reverse=True)[:5])
    assert book.top_asks(5) == tuple(sorted(asks.items())[:5])
    assert book.is_crossed() == bool(bids and asks and max(bids) >= min(asks))


def test_replace_forgets_what_was_there_and_drops_empty_levels() -> None:
    book = Book()
    book.bids.set(10, 1)
    book.bids.replace([(8, 2), (9, 0), (7, 1)])
    assert book.top_bids(9) == ((8, 2), (7, 1))
