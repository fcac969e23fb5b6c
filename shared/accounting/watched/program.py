"""KPIs of a market-maker program (row E13): 0.8 volume + 0.2 liquidity, and what qualifies.

Source: spec/lineage.md 4.1, the Backpack program: liquidity = average size / average spread x
uptime, of orders within 100 bps of the mid; average size at least 2,000 USD and a volume score
of at least 1.5 % for rewards; 30 % more from 80 % uptime on.
"""

from __future__ import annotations

import msgspec

VOLUME_WEIGHT = 0.8
LIQUIDITY_WEIGHT = 0.2
LEAST_SIZE_USD = 2_000.0
LEAST_VOLUME_SHARE = 0.015
LEAST_UPTIME = 0.8


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What a program scores, and whether it is met. None = not known.

    volume_share      our maker volume in all that was traded while we watched, 0..1
    uptime            share of the time with both sides within 100 bps of the mid
    average_size_usd  of a side within the band; average_spread_bps our own, both while in the band
    liquidity         average size (USD) / average spread (bps) x uptime
    score             0.8 x volume share + 0.2 x liquidity share; needs the liquidity of all makers
    """

    volume_share: float | None
    uptime: float
    average_size_usd: float | None
    average_spread_bps: float | None
    liquidity: float | None
    score: float | None
    meets_size: bool | None
    meets_volume: bool | None
    meets_uptime: bool


def score(volume_share: float, liquidity_share: float) -> float:
    """Return the score of two shares, each 0..1."""
    return VOLUME_WEIGHT * volume_share + LIQUIDITY_WEIGHT * liquidity_share


def liquidity_of(size_usd: float | None, spread_bps: float | None, uptime: float) -> float | None:
    """Return size / spread x uptime; None where nothing was in the band, or at no spread at all."""
    if size_usd is None or spread_bps is None or spread_bps <= 0:
        return None
    return size_usd / spread_bps * uptime


def program_of(
    volume_share: float | None, uptime: float, size_usd: float | None, spread_bps: float | None, *,
    all_liquidity: float | None = None,
) -> Program:  # fmt: skip
    """Return the KPIs; `all_liquidity`: of every maker in the program, ours included, where that is known."""
    liquidity = liquidity_of(size_usd, spread_bps, uptime)
    total = None
    if volume_share is not None and liquidity is not None and all_liquidity:
        total = score(volume_share, min(1.0, liquidity / all_liquidity))
    return Program(
        volume_share=volume_share,
        uptime=uptime,
        average_size_usd=size_usd,
        average_spread_bps=spread_bps,
        liquidity=liquidity,
        score=total,
        meets_size=None if size_usd is None else size_usd >= LEAST_SIZE_USD,
        meets_volume=None if volume_share is None else volume_share >= LEAST_VOLUME_SHARE,
        meets_uptime=uptime >= LEAST_UPTIME,
    )
