"""How the capital of a side is spread over its bins: whole-number weights, nearest bin first."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import msgspec

Weights = tuple[int, ...]
#: weights are whole numbers of at most so many bits: what is lost of a share of the capital is less
#: than a part in 10^28, and a thousand powers of 0.123 are not numbers of a thousand digits
WEIGHT_BITS = 96


class Shape(msgspec.Struct, frozen=True):
    """The weights of both sides.

    bids_at_own_price  a bid costs its own price; otherwise the money is counted at the anchor, so
                       that both sides get the same sizes and the bids use a little less than all
    """

    name: str
    bids: Weights
    asks: Weights
    bids_at_own_price: bool = False


def shape(
    name: str, weights: Callable[[int], Weights], counts: tuple[int, int], *, bids_at_own_price: bool = False
) -> Shape:
    """Return a shape for a number of bids and of asks."""
    return Shape(name, weights(counts[0]), weights(counts[1]), bids_at_own_price)


def powers(ratio: Fraction, count: int) -> Weights:
    """Return weights in proportion to 1, r, r^2, ... (r in (0, 1]), exactly as far as `WEIGHT_BITS` go."""
    numerator, denominator = ratio.as_integer_ratio()
    excess = (denominator ** (count - 1)).bit_length() - WEIGHT_BITS
    exact = (numerator**index * denominator ** (count - 1 - index) for index in range(count))
    return tuple(exact) if excess <= 0 else tuple(weight >> excess for weight in exact)
