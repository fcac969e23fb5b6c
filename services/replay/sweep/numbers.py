"""A report as plain numbers, and how those of several symbols and days become one.

A number is named by its path in the report, such as `costs.cost_per_10k`. Sums add up, ratios are
made of the sums, shares are weighted by time, markouts by fills, the drawdown is the largest.
None = not known; a sum with an unknown part is unknown.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum
from operator import attrgetter, itemgetter

from shared.accounting.money.values import PART_NAMES, VOLUME_NAMES
from shared.accounting.report import PER_10K, Report, ratio
from shared.accounting.watched.markouts import HORIZONS_NS
from shared.accounting.watched.paths import Point
from shared.clock import NS_PER_MS

Numbers = dict[str, float | None]

NET, VOLUME, COST, FILLS, DRAWDOWN = (
    "money.net", "costs.volume", "costs.cost_per_10k", "activity.fills", "drawdown",
)  # fmt: skip
DURATION = "duration_s"
#: short names of what is asked for most
ALIASES = {"net": NET, "volume": VOLUME, "cost_per_10k": COST, "fills": FILLS}
_MAKER_VOLUME = ("money.volumes.maker_buy", "money.volumes.maker_sell")


def _markout(horizon_ns: int, what: str) -> str:
    horizon_ms = horizon_ns // NS_PER_MS
    return f"markout_{horizon_ms // 1000}s_{what}" if horizon_ms >= 1000 else f"markout_{horizon_ms}ms_{what}"


_MARKOUTS = {_markout(horizon_ns, "bps"): _markout(horizon_ns, "fills") for horizon_ns in HORIZONS_NS}
_SUMS = (
    NET, "money.realised", "money.fees", "money.funding", VOLUME,
    *(f"money.parts.{name}" for name in PART_NAMES),
    *(f"money.volumes.{name}" for name in VOLUME_NAMES),
    *(f"activity.{name}" for name in (
        "quotes", "orders_placed", "orders_rejected", "cancels", "hedges", "fills", "fills_buy",
        "fills_sell", "maker_fills",
    )),
    "queue_lost.orders", "queue_lost.notional", "unexplained", DURATION,
)  # fmt: skip
_BY_TIME = (
    *(f"presence.{name}" for name in ("two_sided", "bid_at_best", "ask_at_best", "in_band")),
    *(f"program.{name}" for name in ("volume_share", "uptime", "liquidity")),
)
_RATIOS: dict[str, Callable[[Numbers], float | None]] = {
    COST: lambda sums: _over(sums, (NET,), (VOLUME,), -PER_10K),
    "costs.wear_rate_pct": lambda sums: _over(sums, (NET,), (VOLUME,), 100),
    "activity.maker_share": lambda sums: _over(sums, _MAKER_VOLUME, (VOLUME,), 1),
    "activity.cancels_per_fill": lambda sums: _over(sums, ("activity.cancels",), (FILLS,), 1),
}
#: every number there is
KNOWN = (*_SUMS, *_RATIOS, *_BY_TIME, *_MARKOUTS, *_MARKOUTS.values(), DRAWDOWN)


def numbers_of(report: Report) -> Numbers:
    """Return the numbers of one symbol."""
    found: Numbers = {name: _number(attrgetter(name)(report)) for name in (*_SUMS, *_BY_TIME)}
    for horizon_ns, markout in zip(HORIZONS_NS, report.markouts, strict=True):
        found[_markout(horizon_ns, "bps")] = markout.mean_bps
        found[_markout(horizon_ns, "fills")] = float(markout.fills)
    found[DRAWDOWN] = drawdown((report.path,))
    return found | {name: of(found) for name, of in _RATIOS.items()}


def numbers_of_all(reports: Iterable[Report]) -> Numbers:
    """Return the numbers of symbols that were replayed together; their drawdown is that of their sum."""
    reports = tuple(reports)
    return combined([numbers_of(report) for report in reports]) | {
        DRAWDOWN: drawdown([report.path for report in reports])
    }


def combined(parts: Sequence[Numbers]) -> Numbers:
    """Return the numbers of everything together; of one part: its own."""
    found: Numbers = {name: _sum(parts, name) for name in (*_SUMS, *_MARKOUTS.values())}
    found |= {name: _mean(parts, name, DURATION) for name in _BY_TIME}
    found |= {name: _mean(parts, name, weight) for name, weight in _MARKOUTS.items()}
    falls = [part[DRAWDOWN] for part in parts]
    found[DRAWDOWN] = max((fall for fall in falls if fall is not None), default=None)
    return found | {name: of(found) for name, of in _RATIOS.items()}


def drawdown(paths: Iterable[Sequence[Point]]) -> float:
    """Return by how much the sum of the nets was below its own best at most, quote units, >= 0.

    As fine as the paths are: of long sessions a point is a stretch, and its last value counts.
    """
    steps = heapq.merge(
        *([(point.at_ns, at, _net(point)) for point in path] for at, path in enumerate(paths)),
        key=itemgetter(0),
    )
    nets: dict[int, float] = {}
    best = worst = 0.0
    for _, at, net in steps:
        nets[at] = net
        now = fsum(nets.values())
        best = max(best, now)
        worst = max(worst, best - now)
    return worst


def _net(point: Point) -> float:
    return point.spread_made + point.inventory_made + point.fees + point.rebates + point.funding


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _sum(parts: Sequence[Numbers], name: str) -> float | None:
    values = [part[name] for part in parts]
    known = [value for value in values if value is not None]
    return fsum(known) if len(known) == len(values) else None


def _mean(parts: Sequence[Numbers], name: str, weight: str) -> float | None:
    """Return the weighted mean of the parts that have a weight; an unknown one of them: unknown."""
    weighed = [(part[name], part[weight] or 0.0) for part in parts]
    counted = [(value, share) for value, share in weighed if share > 0]
    known = [(value, share) for value, share in counted if value is not None]
    if not known or len(known) < len(counted):
        return None
    return fsum(value * share for value, share in known) / fsum(share for _, share in known)


def _over(
    sums: Mapping[str, float | None], parts: Sequence[str], wholes: Sequence[str], factor: float
) -> float | None:
    part, whole = _total(sums, parts), _total(sums, wholes)
    if part is None or whole is None:
        return None
    share = ratio(part, whole)
    return None if share is None else share * factor


def _total(sums: Mapping[str, float | None], names: Sequence[str]) -> float | None:
    values = [sums[name] for name in names]
    known = [value for value in values if value is not None]
    return fsum(known) if len(known) == len(values) else None
