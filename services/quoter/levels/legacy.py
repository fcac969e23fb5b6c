"""The lean of the earlier bots by a share of the price: only where a person asks for it, with a cap (C9)."""

from __future__ import annotations

PPM = 1_000_000


def moved_by_price_share(twice_mid: int, lean: int, lean_unit: int, cap_ppm: int) -> tuple[int, int]:
    """Return the mid moved down by the lean as a share of itself, within the cap, as a fraction.

    Source: the skew of the earlier bots as it was coded (vector G3).
    """
    if abs(lean) * PPM > cap_ppm * lean_unit:
        lean, lean_unit = (cap_ppm if lean > 0 else -cap_ppm), PPM
    return twice_mid * (lean_unit - lean), 2 * lean_unit
