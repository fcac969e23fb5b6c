"""The volatility of one symbol: an estimator, what it is protected from, and what it begins with.

A move beyond `CLIP` standard deviations counts as that many: one absurd price must not own
the estimate. A standard deviation is at least one tick here, so that a market that stood
still can move again, and as long as none is known nothing is clipped.

The seed is what the venue remembers of the time before we looked. It may come late, after
failed reads: then what was seen meanwhile is added to it again, in the order of time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from services.signals.volatility.block import Block, Estimator, annualised_pct
from services.signals.volatility.ewma import Ewma

CLIP = 6.0
#: a bound on the range of a block that goes with one on its return: the ratio of their deviations
RANGE_CLIP = 1.67
CLIP_DECAY, CLIP_MIN_SAMPLES = 0.94, 10


class VolatilityGauge:
    """memory_s: how far back the estimator looks; with so much of our own no seed is needed."""

    def __init__(self, build: Callable[[], Estimator], memory_s: int) -> None:
        self._build = build
        self._memory_s = memory_s
        self._own: deque[Block] = deque()
        self.wants_seed = True
        self._reset()

    def _reset(self) -> None:
        self._estimator = self._build()
        self._usual = Ewma(CLIP_DECAY, CLIP_MIN_SAMPLES)
        self._at_s: int | None = None

    @property
    def needs_range(self) -> bool:
        return self._estimator.needs_range

    @property
    def sample_count(self) -> int:
        """Return the seconds that the estimate stands on."""
        return self._estimator.count

    def take(self, block: Block) -> None:
        """Take what was seen of one second."""
        if self.wants_seed:
            self._own.append(block)
            if block.at_s - self._own[0].at_s >= self._memory_s:
                self._end_seeding()
        self._add(block)

    def seed(self, blocks: Iterable[Block]) -> None:
        """Take, once, the time before the first second that was seen."""
        if not self.wants_seed:
            return
        own = list(self._own)
        self._end_seeding()
        self._reset()
        for block in blocks:
            if not own or block.at_s <= own[0].at_s - own[0].span_s:
                self._add(block)
        for block in own:
            self._add(block)

    def annualised_pct(self, now_s: int) -> float | None:
        """Return percent a year, None while not enough is seen."""
        deviation = self._estimator.deviation(now_s if self._at_s is None else max(now_s, self._at_s))
        return None if deviation is None else annualised_pct(deviation)

    def _end_seeding(self) -> None:
        self.wants_seed = False
        self._own.clear()

    def _add(self, block: Block) -> None:
        if self._at_s is not None and block.at_s - block.span_s < self._at_s:
            return  # time does not go back
        usual = self._usual.deviation(block.at_s - 1)
        if usual is not None:
            block = _clipped(block, CLIP * max(usual, block.one_tick) * block.span_s**0.5)
        self._at_s = block.at_s
        self._usual.add(block)
        self._estimator.add(block)


def _clipped(block: Block, bound: float) -> Block:
    """Return the block with a return within +-bound and a range to match."""
    if abs(block.log_return) <= bound and block.log_high - block.log_low <= RANGE_CLIP * bound:
        return block
    moved = max(-bound, min(bound, block.log_return))
    high = max(moved, 0.0, min(block.log_high, RANGE_CLIP * bound / 2))
    low = min(moved, 0.0, max(block.log_low, -RANGE_CLIP * bound / 2))
    return Block(block.at_s, block.span_s, moved, high, low, block.one_tick)
