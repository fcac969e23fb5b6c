"""The latent fair price of one asset: a seeded random walk with jumps, known a little ahead.

Values are relative to the price at the start. Only informed takers may look into
the future; it exists so that their knowledge is the truth.
"""

from __future__ import annotations

from collections import deque
from math import sqrt
from random import Random

_STEP_NS = 20_000_000


class FairPath:
    """Relative fair price on a 20 ms grid, grown on demand and forgotten behind the reader."""

    def __init__(
        self, seed: str, start_ns: int, *, volatility_bps: float, jumps_per_s: float, jump_bps: float
    ) -> None:
        self._random = Random(seed)
        self._first_ns = start_ns
        self._values = deque([1.0])
        step_s = _STEP_NS / 1e9
        self._step_deviation = volatility_bps / 1e4 * sqrt(step_s)
        self._jump_chance = jumps_per_s * step_s
        self._jump = jump_bps / 1e4

    def at(self, time_ns: int) -> float:
        """Return the value at `time_ns`, which is not before the last `forget_before`."""
        index = max(0, (time_ns - self._first_ns) // _STEP_NS)
        while len(self._values) <= index:
            self._values.append(self._next())
        return self._values[index]

    def jump(self, factor: float, time_ns: int) -> None:
        """Multiply everything from `time_ns` on, as news would."""
        self.at(time_ns)
        for index in range(max(0, (time_ns - self._first_ns) // _STEP_NS), len(self._values)):
            self._values[index] *= factor

    def forget_before(self, time_ns: int) -> None:
        while len(self._values) > 1 and self._first_ns + _STEP_NS <= time_ns:
            self._values.popleft()
            self._first_ns += _STEP_NS

    def _next(self) -> float:
        change = self._random.gauss(0.0, self._step_deviation)
        if self._random.random() < self._jump_chance:
            change += self._random.choice((-1.0, 1.0)) * self._jump * self._random.uniform(0.5, 1.5)
        return self._values[-1] * (1.0 + change)
