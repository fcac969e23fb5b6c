"""Client order ids: tag and sequence in one number, decided before the first byte leaves.

An id is an 8-bit deployment tag above an account-wide sequence (24 bits where the venue
takes 32). Blocks of the sequence are reserved in Redis ahead of need; what is left of a
lost block is skipped. The sequence wraps: an id comes back only after all others were used.
After a loss of Redis the sequence goes on above what the venue shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

TAG_BITS = 8
BLOCK = 2_000


class ClientIds:
    """Hands out ids of one deployment.

    bits  size of the venue's client order id
    """

    def __init__(self, tag: int, bits: int) -> None:
        self._sequence_bits = min(bits, 64) - TAG_BITS
        self._mask = (1 << self._sequence_bits) - 1
        self._prefix = tag << self._sequence_bits
        self._blocks: deque[range] = deque()
        self._left = 0
        self._is_reserving = False
        self._highest = 0
        self._newest: int | None = None

    @property
    def left(self) -> int:
        return self._left

    @property
    def highest(self) -> int:
        """The highest sequence number known to be used: reserve above it."""
        if self._newest is not None and self._highest - self._newest > self._mask // 2:
            return self._newest  # the sequence has wrapped since
        return self._highest

    def is_ours(self, client_order_id: int | None) -> bool:
        """True for an id with our tag; every other order is never touched."""
        return (
            client_order_id is not None
            and client_order_id >> self._sequence_bits == self._prefix >> self._sequence_bits
        )

    def saw(self, client_order_id: int) -> None:
        """The venue shows an own order: after a loss of Redis the sequence goes on above it."""
        if self.is_ours(client_order_id) and not self._blocks:
            self._highest = max(self._highest, client_order_id & self._mask)

    def saw_history(self, client_order_ids: Iterable[int | None]) -> None:
        """The venue shows the ids of its newest orders, the oldest first."""
        for client_order_id in client_order_ids:
            if client_order_id is not None and self.is_ours(client_order_id):
                self.saw(client_order_id)
                self._newest = client_order_id & self._mask

    def needs_block(self) -> bool:
        return not self._is_reserving and self._left < BLOCK // 2

    def on_reserving(self) -> None:
        self._is_reserving = True

    def on_failed(self) -> None:
        self._is_reserving = False

    def add(self, block: range) -> None:
        """Take up sequence numbers that nobody else has."""
        self._is_reserving = False
        if not block:
            return
        self._blocks.append(block)
        self._left += len(block)
        self._highest = max(self.highest, block.stop - 1)
        self._newest = None

    def next(self) -> int | None:
        """Return the id that comes next, None when no reserved one is left; `use` it before the next."""
        while self._blocks:
            block = self._blocks[0]
            if block and block[0] & self._mask:  # 0 means "none" at some venues
                return self._prefix | block[0] & self._mask
            self.use()
        return None

    def use(self) -> None:
        """The id that came next is taken."""
        block = self._blocks[0]
        if len(block) > 1:
            self._blocks[0] = block[1:]
        else:
            self._blocks.popleft()
        self._left -= 1
