"""A report as rows that a market maker reads: the same on the replay's page and in `makerd stats`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from shared.accounting.money.values import PART_NAMES
from shared.accounting.report import Report
from shared.instrument import plain

UNKNOWN = "unknown"
NONE = "-"


class Row(msgspec.Struct, frozen=True):
    """One line of a table: its group, what it is, and the value as text."""

    group: str
    name: str
    value: str


def rows_of(report: Report) -> list[Row]:
    """Return every figure of a report, in the order in which it is read."""
    groups = {
        "profit": _money(report),
        "cost": _costs(report),
        "trading": _activity(report),
        "presence": _presence(report),
        "markouts": _markouts(report),
        "queue": _queue(report),
        "program": _program(report),
    }
    return [Row(group, name, value) for group, pairs in groups.items() for name, value in pairs]


class Line(msgspec.Struct, frozen=True):
    """One line of several reports side by side; a report that has no such row shows a dash."""

    group: str
    name: str
    values: tuple[str, ...]


def side_by_side(reports: Mapping[str, Report]) -> list[Line]:
    """Return the rows of all reports, a value a report, group by group."""
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for title, report in reports.items():
        for row in rows_of(report):
            groups.setdefault(row.group, {}).setdefault(row.name, {})[title] = row.value
    return [
        Line(group, name, tuple(values.get(title, NONE) for title in reports))
        for group, names in groups.items()
        for name, values in names.items()
    ]


def _money(report: Report) -> Iterator[tuple[str, str]]:
    money, quote = report.money, report.quote
    names = {"spread": "spread captured"}
    for name in PART_NAMES:
        yield f"{names.get(name, name)}, {quote}", amount(getattr(money.parts, name))
    yield f"net, {quote}", amount(money.net)
    yield f"realised (FIFO), {quote}", amount(money.realised)
    yield f"unrealised long, {quote}", amount(money.unrealised_long)
    yield f"unrealised short, {quote}", amount(money.unrealised_short)
    yield f"fees paid less rebates, {quote}", amount(money.fees)
    for asset, owed in money.unvalued_fees.items():
        yield f"fees without a price, {asset}", plain(owed)


def _costs(report: Report) -> Iterator[tuple[str, str]]:
    costs, volumes, quote = report.costs, report.money.volumes, report.quote
    yield f"volume, {quote}", amount(costs.volume)
    yield "maker buys / sells", f"{amount(volumes.maker_buy)} / {amount(volumes.maker_sell)}"
    yield "taker buys / sells", f"{amount(volumes.taker_buy)} / {amount(volumes.taker_sell)}"
    if costs.volume_done_pct is not None and costs.volume_goal is not None:
        yield "volume goal", f"{costs.volume_done_pct:.1f} % of {amount(costs.volume_goal)}"
    yield f"cost per 10,000, {quote}", number(costs.cost_per_10k, 4)
    yield "goal per 10,000", f"{costs.goal_per_10k:g}: {yes_no(costs.meets_goal, 'met', 'missed')}"
    yield "wear rate, %", number(costs.wear_rate_pct, 5)


def _activity(report: Report) -> Iterator[tuple[str, str]]:
    activity = report.activity
    yield "fills (buy / sell)", f"{activity.fills} ({activity.fills_buy} / {activity.fills_sell})"
    yield "maker share of volume", percent(activity.maker_share)
    yield "orders placed / rejected", f"{activity.orders_placed} / {activity.orders_rejected}"
    yield "cancels", str(activity.cancels)
    yield "cancels per fill", number(activity.cancels_per_fill, 2)
    yield "reductions and hedges", str(activity.hedges)
    yield "position at the end", plain(report.position)
    if report.unexplained:
        yield "moves of the position without a fill", str(report.unexplained)


def _presence(report: Report) -> Iterator[tuple[str, str]]:
    presence = report.presence
    yield "duration", f"{report.duration_s:,.1f} s"
    yield "two-sided", percent(presence.two_sided)
    yield "bid at best", percent(presence.bid_at_best)
    yield "ask at best", percent(presence.ask_at_best)
    yield "both within 100 bps", percent(presence.in_band)


def _markouts(report: Report) -> Iterator[tuple[str, str]]:
    for markout in report.markouts:
        text = NONE if markout.mean_bps is None else f"{markout.mean_bps:+.3f} bps of {markout.fills} fills"
        unknown = f", {markout.unknown} unknown" if markout.unknown else ""
        yield f"after {markout.horizon_s:g} s", text + unknown


def _queue(report: Report) -> Iterator[tuple[str, str]]:
    lost = report.queue_lost
    yield "orders given up with progress", str(lost.orders)
    yield f"worked off and lost, {report.quote}", f"{lost.notional:,.2f}"
    yield "mean share of the queue lost", percent(lost.mean_share)


def _program(report: Report) -> Iterator[tuple[str, str]]:
    program = report.program
    yield "volume share", f"{percent(program.volume_share)} (1.5 %: {yes_no(program.meets_volume)})"
    yield (
        "average size in the band, USD",
        f"{number(program.average_size_usd, 0)} (2,000: {yes_no(program.meets_size)})",
    )
    yield "average own spread in the band, bps", number(program.average_spread_bps, 3)
    yield "uptime in the band", f"{percent(program.uptime)} (80 %: {yes_no(program.meets_uptime)})"
    yield "liquidity (size / spread x uptime)", number(program.liquidity, 1)
    yield "score (0.8 volume + 0.2 liquidity)", number(program.score, 4)


def amount(value: Decimal | None) -> str:
    """Return money, exact to the last digit."""
    if value is None:
        return UNKNOWN
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"


def percent(share: float | None) -> str:
    """Return a share (0..1) as percent."""
    return NONE if share is None else f"{share * 100:.2f} %"


def yes_no(value: bool | None, yes: str = "yes", no: str = "no") -> str:
    return UNKNOWN if value is None else yes if value else no
