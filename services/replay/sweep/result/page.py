"""The page of a sweep: its best, what is unusual, then plots; it works without a network."""

from __future__ import annotations

from html import escape

from services.replay.report.page import document, figure_html
from services.replay.sweep.plan import Plan
from services.replay.sweep.result.figures import (
    bounds_figure,
    history_figure,
    importance_figure,
    parallel_figure,
    slice_figure,
)
from services.replay.sweep.result.importance import importance_of, varied
from services.replay.sweep.result.rows import MODELS, heads, notes, rows
from services.replay.sweep.trial import Trial, winners

_MOST_ROWS, _MOST_NOTES = 200, 20


def page_of(plan: Plan, trials: list[Trial]) -> str:
    """Return the whole page as HTML."""
    title = f"sweep {plan.path.name}: {plan.method}, {len(trials)} trials on {len(plan.data)} sets of data"
    keys = varied(plan)
    shares = importance_of(plan, trials)
    figures = [
        bounds_figure(plan, winners(trials, plan.goal, plan.bounds), MODELS),
        parallel_figure(plan, trials, keys),
        slice_figure(plan, trials, keys),
        history_figure(plan, trials),
        *([importance_figure(shares)] if shares else []),
    ]
    body = [
        f"<h1>{escape(title)}</h1>",
        *(f'<p class="note">{escape(note)}</p>' for note in notes(trials, _MOST_NOTES)),
        f'<div class="wide">{_table(plan, trials)}</div>',
        "<h2>plots</h2>",
        *(figure_html(figure, at) for at, figure in enumerate(figures)),
        _written(plan),
    ]
    return document(title, body)


def _table(plan: Plan, trials: list[Trial]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads(plan))
    lines = [
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows(plan, trials, _MOST_ROWS)
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _written(plan: Plan) -> str:
    names = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(', '.join(texts))}</td></tr>"
        for name, texts in plan.data.items()
    )
    rules = "; ".join(f"{bound.name}: {bound.low} to {bound.high}" for bound in plan.goal.bounds)
    way = "smallest" if plan.goal.is_minimized else "largest"
    return (
        f"<h2>run with</h2><table><tr><td>base</td><td>{escape(str(plan.base_path))}</td></tr>"
        f"<tr><td>objective</td><td>{way} {escape(plan.goal.name)}</td></tr>"
        f"<tr><td>constraints</td><td>{escape(rules) or '–'}</td></tr>"
        f"<tr><td>seed</td><td>{plan.seed}</td></tr>{names}</table>"
    )
