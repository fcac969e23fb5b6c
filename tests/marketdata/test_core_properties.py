"""Whatever is lost, doubled, late or swapped: what is published as live is what the venue had."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.book import Book
from shared.clock import NS_PER_MS
from shared.messages import Depth, FeedState, FeedStatus, Top
from shared.venues.market_data import RawSnapshot
from tests.fixtures.damage import damaged, plans
from tests.marketdata.scene import SYMBOL, Scene

FIRST_ID = 100
LOW, HIGH = 15_000, 15_030

changes = st.lists(
    st.tuples(
        st.booleans(), st.integers(1, 20), st.integers(0, 5), st.sampled_from(("depth", "both", "quiet"))
    ),
    min_size=5,
    max_size=60,
)
damages = plans(6, 200)
turns = st.lists(st.integers(1, 6), min_size=1, max_size=10)


class Reference:
    """The venue: its book at every id, and the frames it sends."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._book = Book()
        self._book.bids.replace([(LOW, 1), (LOW - 30, 1)])
        self._book.asks.replace([(HIGH, 1), (HIGH + 30, 1)])
        self._book.update_id = FIRST_ID
        self.books: dict[int, tuple[object, object]] = {}
        self._remember()

    def change(self, is_bid: bool, away: int, size: int, streams: str) -> list[bytes]:
        """Change one level; return the frames that tell of it, best prices first as the venue does."""
        book = self._book
        price = LOW - away if is_bid else HIGH + away
        (book.bids if is_bid else book.asks).set(price, size)
        book.update_id += 1
        self._remember()
        level = [[f"{price / 100:.2f}", f"{size / 100:.2f}"]]
        depth = self._scene.depth(
            book.update_id, bids=level if is_bid else (), asks=() if is_bid else level
        )  # fmt: skip
        return [self._best(), depth] if streams == "both" else [depth]

    def _best(self) -> bytes:
        bid, ask = self._book.best_bid(), self._book.best_ask()
        assert bid is not None
        assert ask is not None
        return self._scene.frame(
            "bookTicker", u=self._book.update_id, b=f"{bid[0] / 100:.2f}", B=f"{bid[1] / 100:.2f}",
            a=f"{ask[0] / 100:.2f}", A=f"{ask[1] / 100:.2f}",
        )  # fmt: skip

    def _remember(self) -> None:
        self.books[self._book.update_id] = self._book.top_bids(20), self._book.top_asks(20)

    def snapshot(self, update_id: int) -> RawSnapshot:
        bids, asks = (
            [(f"{price / 100:.2f}", f"{size / 100:.2f}") for price, size in side]  # type: ignore[attr-defined]
            for side in self.books[update_id]
        )
        return RawSnapshot(SYMBOL, update_id, bids, asks, 0)


@given(changes=changes, plan=damages, turns=turns, snapshot_lag=st.integers(0, 10))
def test_D01_what_is_published_while_live_is_what_the_venue_had_at_that_id(
    changes: list[tuple[bool, int, int, str]],
    plan: list[tuple[str, int]],
    turns: list[int],
    snapshot_lag: int,
) -> None:
    scene = Scene(depth_interval_s=0.01)
    scene.demand()
    scene.demand("Depth")
    reference = Reference(scene)
    frames = [frame for change in changes for frame in reference.change(*change)]
    scene.connect()
    left = damaged(frames, plan)
    newest, number = FIRST_ID, 0
    while left:
        turn, left = left[: turns[number % len(turns)]], left[turns[number % len(turns)] :]
        number += 1
        scene.now_ns += 300 * NS_PER_MS
        scene.frames(*turn)
        newest = max(newest, *(orjson.loads(frame)["data"]["u"] for frame in turn))
        for name in scene.core.snapshot_wishes(scene.now_ns, 1):
            raw = reference.snapshot(max(FIRST_ID, newest - snapshot_lag))
            scene.out += scene.core.on_snapshot(name, raw, scene.now_ns)
        _check(scene, reference)


def _check(scene: Scene, reference: Reference) -> None:
    """Look at what was published, in order: prices count while the last state says live."""
    status = FeedStatus.CONNECTING
    for message in scene.out:
        if isinstance(message, FeedState):
            status = message.status
        elif isinstance(message, Top) and status is FeedStatus.LIVE:
            bids, asks = reference.books[message.update_id]
            assert ((message.bid, message.bid_size), (message.ask, message.ask_size)) == (bids[0], asks[0])  # type: ignore[index]
        elif isinstance(message, Depth):
            assert (message.bids, message.asks) == reference.books[message.update_id]
