"""The page: tables, then plots, with everything it needs inside it: it works without a network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby

from plotly.io import to_html
from plotly.offline import get_plotlyjs

from services.replay.report.figures import (
    TimeAxis,
    equity_figure,
    inventory_figure,
    market_figure,
    markout_figure,
    price_figure,
)
from services.replay.report.writing import MODELS, ReplayReport
from shared.accounting.report import Report
from shared.accounting.rows import side_by_side

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:24px auto;max-width:1400px;padding:0 16px;color:#1f2328}
h1{font-size:22px} h2{font-size:17px;margin-top:32px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:3px 14px 3px 0;text-align:right;border-bottom:1px solid #eee;white-space:nowrap}
td:first-child,th:first-child{text-align:left;white-space:normal}
th.group{padding-top:14px;color:#57606a;font-weight:600} tr.net td{font-weight:700}
p.note{background:#fff8c5;border:1px solid #d4a72c;padding:6px 10px;border-radius:4px}
.wide{overflow-x:auto} p.legend{color:#57606a;margin:6px 0;max-width:1000px}
"""


#: how to read the figures
_LEGEND = (
    "spread captured: every fill against the mid just before it; inventory: what the mid moved while the "
    "position was held; both with fees, rebates and funding are the net, to the last digit",
    "cost per 10,000: the loss on 10,000 of volume; below 0 it is a gain",
    "markouts: what a maker fill is worth some time later, above 0 to our favour; below 0 it was adverse",
    "queue lost: what an order at the best price had worked off of the queue ahead when it was given up",
    "pessimistic: only trades through our price fill us; model: trades at it do by our place in the queue; "
    "optimistic: every one does. How often we are filled is between the outer two, the cost need not be",
)


def page_of(report: ReplayReport) -> str:
    """Return the whole page as HTML."""
    runs = {MODELS.get(name, name): run for name, run in _in_order(report)}
    body = [
        f"<h1>{escape(report.title)}</h1>",
        *(f'<p class="note">{escape(note)}</p>' for note in report.notes),
        _summary(runs),
        '<div class="wide">',
        _table(runs),
        "</div>",
        *(f'<p class="legend">{escape(line)}.</p>' for line in _LEGEND),
        *_plots(runs, report.epoch_ns),
        _settings(report.settings),
    ]
    return document(report.title, body)


def document(title: str, body: Iterable[str]) -> str:
    """Return a whole page that works without a network."""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body>",
            *body,
            "</body></html>",
        ]
    )


def _in_order(report: ReplayReport) -> list[tuple[str, Report]]:
    known = list(MODELS)
    return sorted(report.runs.items(), key=lambda run: known.index(run[0]) if run[0] in known else len(known))


def _summary(runs: dict[str, Report]) -> str:
    if not runs:
        return "<p>nothing was replayed</p>"
    if not any(run.activity.fills for run in runs.values()):
        return "<p>no fills: under none of these models was a quote of ours traded</p>"
    return ""


def _table(runs: dict[str, Report]) -> str:
    """Return all figures, a column a run."""
    head = "".join(f"<th>{escape(name)}</th>" for name in runs)
    lines = [f"<table><thead><tr><th></th>{head}</tr></thead><tbody>"]
    for group, rows in groupby(side_by_side(runs), key=lambda row: row.group):
        lines.append(f'<tr><th class="group" colspan="{len(runs) + 1}">{escape(group)}</th></tr>')
        for row in rows:
            row_class = ' class="net"' if row.name.startswith(("net,", "cost per")) else ""
            columns = "".join(f"<td>{escape(value)}</td>" for value in row.values)
            lines.append(f"<tr{row_class}><td>{escape(row.name)}</td>{columns}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _plots(runs: dict[str, Report], epoch_ns: int | None) -> list[str]:
    if not runs:
        return []
    first = next(iter(runs.values()))
    axis = TimeAxis(first.start_ns, epoch_ns)
    figures = [
        *(price_figure(name, run, axis) for name, run in runs.items()),
        inventory_figure(runs, axis),
        equity_figure(runs, axis),
        markout_figure(runs),
        market_figure(first, axis),
    ]
    return ["<h2>plots</h2>", *(figure_html(figure, at) for at, figure in enumerate(figures))]


def figure_html(figure: object, at: int) -> str:
    """Return one plot; `at` numbers the plots of a page."""
    return str(
        to_html(
            figure, full_html=False, include_plotlyjs=False, div_id=f"plot{at}",
            config={"responsive": True, "displaylogo": False},
        )
    )  # fmt: skip


def _settings(settings: dict[str, str]) -> str:
    if not settings:
        return ""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in settings.items()
    )
    return f"<h2>run with</h2><table>{rows}</table>"
