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
from shared.accounting.rows import NONE, rows_of

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:24px auto;max-width:1400px;padding:0 16px;color:#1f2328}
h1{font-size:22px} h2{font-size:17px;margin-top:32px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:3px 14px 3px 0;text-align:right;border-bottom:1px solid #eee;white-space:nowrap}
td:first-child,th:first-child{text-align:left;white-space:normal}
th.group{padding-top:14px;color:#57606a;font-weight:600} tr.net td{font-weight:700}
p.note{background:#fff8c5;border:1px solid #d4a72c;padding:6px 10px;border-radius:4px}
.wide{overflow-x:auto}
"""


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
    """Return all figures, a column a run; a row that a run does not have is a dash."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for name, run in runs.items():
        for row in rows_of(run):
            cells.setdefault((row.group, row.name), {})[name] = row.value
    head = "".join(f"<th>{escape(name)}</th>" for name in runs)
    lines = [f"<table><thead><tr><th></th>{head}</tr></thead><tbody>"]
    grouped = sorted(
        cells.items(), key=lambda cell: list(dict.fromkeys(g for g, _ in cells)).index(cell[0][0])
    )
    for group, rows in groupby(grouped, key=lambda cell: cell[0][0]):
        lines.append(f'<tr><th class="group" colspan="{len(runs) + 1}">{escape(group)}</th></tr>')
        for (_, name), values in rows:
            row_class = ' class="net"' if name.startswith(("net,", "cost per")) else ""
            columns = "".join(f"<td>{escape(values.get(run, NONE))}</td>" for run in runs)
            lines.append(f"<tr{row_class}><td>{escape(name)}</td>{columns}</tr>")
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
