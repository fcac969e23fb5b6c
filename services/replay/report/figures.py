"""The plots of a replay. Every figure takes bounded paths; an empty one is a figure all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from shared.accounting.report import Report
from shared.accounting.watched.paths import FillMark, Point
from shared.clock import NS_PER_S, NS_PER_US

COLOURS = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2")
BUY, SELL, OWN_BID, OWN_ASK, MID = "#1a7f37", "#cf222e", "#57ab5a", "#e5534b", "#57606a"
_PARTS = {
    "spread captured": "spread_made",
    "inventory": "inventory_made",
    "fees": "fees",
    "rebates": "rebates",
    "funding": "funding",
}
HEIGHT = 380


class TimeAxis:
    """Session times as what the axis shows: wall clock (UTC) where it is known, else seconds."""

    def __init__(self, start_ns: int, epoch_ns: int | None) -> None:
        self._start_ns = start_ns
        self._epoch = (
            None
            if epoch_ns is None
            else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=epoch_ns // NS_PER_US)
        )

    @property
    def title(self) -> str:
        return "seconds since the start" if self._epoch is None else "UTC"

    def at(self, times_ns: Iterable[int]) -> list[Any]:
        if self._epoch is None:
            return [(at_ns - self._start_ns) / NS_PER_S for at_ns in times_ns]
        return [
            self._epoch + timedelta(microseconds=(at_ns - self._start_ns) // NS_PER_US) for at_ns in times_ns
        ]


def price_figure(name: str, report: Report, axis: TimeAxis) -> go.Figure:
    """Return the mid with its range, our quotes as steps, and our fills."""
    tick, points = float(report.tick_size), report.path
    times = axis.at(point.at_ns for point in points)
    figure = go.Figure()
    band = {"line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=times, y=[point.mid_high * tick for point in points], mode="lines", **band)
    figure.add_scatter(
        x=times, y=[point.mid_low * tick for point in points], mode="lines", fill="tonexty",
        fillcolor="rgba(87,96,106,0.18)", **band,
    )  # fmt: skip
    figure.add_scatter(
        x=times, y=[point.mid * tick for point in points], name="mid", line={"color": MID, "width": 1}
    )
    for label, colour, prices in (
        ("our bid", OWN_BID, [_times(point.bid, tick) for point in points]),
        ("our ask", OWN_ASK, [_times(point.ask, tick) for point in points]),
    ):
        line = {"color": colour, "width": 1, "shape": "hv"}
        figure.add_scatter(x=times, y=prices, name=label, mode="lines", line=line, connectgaps=False)
    for label, colour, symbol, sign in (
        ("buys", BUY, "triangle-up", 1),
        ("sells", SELL, "triangle-down", -1),
    ):
        marks = [mark for mark in report.fill_marks if mark.signed * sign > 0]
        figure.add_trace(_fills(label, marks, report, axis, {"color": colour, "symbol": symbol}))
    shown, fills = len(report.fill_marks), report.activity.fills
    thinned = f", {shown:,} of {fills:,} fills shown" if shown < fills else ""
    return _titled(figure, f"price, our quotes and fills ({name}{thinned})", axis, report.quote)


def inventory_figure(runs: Mapping[str, Report], axis: TimeAxis) -> go.Figure:
    """Return the position over time, with its extremes, of every run."""
    figure = go.Figure()
    for colour, (name, report) in zip(COLOURS, runs.items(), strict=False):
        times = axis.at(point.at_ns for point in report.path for _ in range(3))
        values = [
            value
            for point in report.path
            for value in (point.position_low, point.position_high, point.position)
        ]
        line = {"color": colour, "width": 1, "shape": "hv"}
        figure.add_scatter(x=times, y=values, name=name, mode="lines", line=line)
    return _titled(figure, "inventory", axis, "base units")


def equity_figure(runs: Mapping[str, Report], axis: TimeAxis) -> go.Figure:
    """Return the profit by what made it, the runs side by side on one scale."""
    figure = make_subplots(
        cols=max(1, len(runs)), shared_yaxes=True, subplot_titles=list(runs), horizontal_spacing=0.02
    )
    for column, report in enumerate(runs.values(), start=1):
        times = axis.at(point.at_ns for point in report.path)
        lines = {name: [getattr(point, field) for point in report.path] for name, field in _PARTS.items()}
        lines["net"] = [_net(point) for point in report.path]
        for colour, (name, values) in zip((*COLOURS, "#000000"), lines.items(), strict=True):
            figure.add_scatter(
                x=times, y=values, name=name, legendgroup=name, showlegend=column == 1, mode="lines",
                line={"color": colour, "width": 2 if name == "net" else 1}, row=1, col=column,
            )  # fmt: skip
    quote = next((report.quote for report in runs.values()), "")
    return _titled(figure, "profit by part", axis, quote)


def markout_figure(runs: Mapping[str, Report]) -> go.Figure:
    """Return the mean markout of maker fills over the time since the fill."""
    figure = go.Figure()
    for colour, (name, report) in zip(COLOURS, runs.items(), strict=False):
        known = [markout for markout in report.markouts if markout.mean_bps is not None]
        figure.add_scatter(
            x=[markout.horizon_s for markout in known], y=[markout.mean_bps for markout in known], name=name,
            mode="lines+markers", line={"color": colour}, text=[f"{m.fills} fills" for m in known],
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": MID, "width": 1, "dash": "dot"})
    figure.update_xaxes(type="log", title="seconds after the fill", range=[-1.3, 2.1])
    figure.update_yaxes(title="bps, > 0 is ours")
    figure.update_layout(title="markouts of maker fills", height=HEIGHT, template="plotly_white")
    return figure


def market_figure(report: Report, axis: TimeAxis) -> go.Figure:
    """Return the market's spread and the realised volatility of the mid."""
    figure = make_subplots(specs=[[{"secondary_y": True}]])
    times = axis.at(point.at_ns for point in report.path)
    spreads = [point.market_spread_bps for point in report.path]
    figure.add_scatter(
        x=times, y=spreads, name="spread, bps", line={"color": COLOURS[0], "width": 1}, mode="lines"
    )
    stretches = volatility_of(report.path)
    figure.add_scatter(
        x=axis.at(at_ns for at_ns, _ in stretches), y=[value for _, value in stretches], mode="lines",
        name="realised volatility, % a year", line={"color": COLOURS[3], "width": 1}, secondary_y=True,
    )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title="% a year", secondary_y=True, tickmode="auto", showgrid=False)
    return _titled(figure, "the market: spread and volatility", axis, "bps")


def volatility_of(points: tuple[Point, ...], stretches: int = 120) -> list[tuple[int, float]]:
    """Return (end, annualised percent) over at most so many stretches: single looks are too noisy to read."""
    per = max(1, -(-len(points) // stretches))
    found: list[tuple[int, float]] = []
    for first in range(0, len(points), per):
        joined = points[first]
        for point in points[first + 1 : first + per]:
            joined = joined.joined(point)
        value = joined.volatility_pct
        if value is not None:
            found.append((joined.at_ns, value))
    return found


def _fills(
    name: str, marks: list[FillMark], report: Report, axis: TimeAxis, marker: dict[str, Any]
) -> go.Scatter:
    tick, lot = float(report.tick_size), float(report.lot_size)
    return go.Scatter(
        x=axis.at(mark.at_ns for mark in marks),
        y=[mark.price * tick for mark in marks],
        name=name,
        mode="markers",
        marker={
            **marker,
            "size": 9,
            "opacity": [1.0 if mark.is_maker else 0.45 for mark in marks],
            "line": {"width": 1, "color": "#ffffff"},
        },
        text=[f"{abs(mark.signed) * lot:g} {'maker' if mark.is_maker else 'taker'}" for mark in marks],
    )


def _titled(figure: go.Figure, title: str, axis: TimeAxis, unit: str) -> go.Figure:
    figure.update_layout(
        title=title, height=HEIGHT, template="plotly_white", hovermode="x unified",
        margin={"l": 60, "r": 20, "t": 60, "b": 40},
    )  # fmt: skip
    figure.update_xaxes(title=axis.title)
    figure.update_layout(yaxis_title=unit)  # of the first axis alone
    return figure


def _net(point: Point) -> float:
    return point.spread_made + point.inventory_made + point.fees + point.rebates + point.funding


def _times(ticks: int | None, tick: float) -> float | None:
    return None if ticks is None else ticks * tick
