"""The plots of a sweep. Trials without a value of the objective are in none; an empty plot is one too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from services.replay.report.figures import COLOURS, HEIGHT, MID
from services.replay.sweep.numbers import Numbers
from services.replay.sweep.plan import Plan
from services.replay.sweep.result.names import ABSENT, short_names, value_text
from services.replay.sweep.space import Choices, Dimension, Range
from services.replay.sweep.trial import State, Trial

_COLUMNS = 3
_LAYOUT = {"template": "plotly_white", "margin": {"l": 60, "r": 20, "t": 70, "b": 40}}


def value_of(plan: Plan, numbers: Numbers | None) -> float | None:
    return None if numbers is None else plan.goal.value(numbers)


def _known(plan: Plan, trials: Sequence[Trial]) -> list[tuple[Trial, float]]:
    return [(trial, value) for trial in trials if (value := value_of(plan, trial.numbers)) is not None]


def parallel_figure(plan: Plan, trials: Sequence[Trial], keys: Sequence[str]) -> go.Figure:
    """Return every trial as a line through its values to its objective."""
    known = _known(plan, trials)
    names = short_names(keys)
    axes = [_axis(names[key], plan.space[key], [trial.values.get(key) for trial, _ in known]) for key in keys]
    values = [value for _, value in known]
    axes.append({"label": plan.goal.name, "values": values})
    line = {
        "color": values,
        "colorscale": "Viridis",
        "reversescale": plan.goal.is_minimized,
        "showscale": True,
    }
    figure = go.Figure(go.Parcoords(dimensions=axes, line=line))
    figure.update_layout(
        title="trials: each a line", height=HEIGHT + 80, **_LAYOUT | {"margin": {"l": 90, "t": 110}}
    )
    return figure


def _axis(name: str, dimension: Dimension, values: Sequence[Any]) -> dict[str, Any]:
    """Return an axis: of a range its numbers, else the places in the list; what is absent lies below."""
    if isinstance(dimension, Range):
        span = dimension.high - dimension.low
        below = dimension.low - span / 10
        lacks = any(value is None for value in values)
        axis = {
            "label": name, "values": [below if value is None else value for value in values],
            "range": [below if lacks else dimension.low, dimension.high],
        }  # fmt: skip
        if lacks:
            ticks = [dimension.low + span * part / 4 for part in range(5)]
            axis |= {"tickvals": [below, *ticks], "ticktext": [ABSENT, *(f"{tick:.4g}" for tick in ticks)]}
        return axis
    texts = [value_text(value) for value in dimension.values]
    shown = [value_text(value) for value in values]
    order = ([ABSENT] if ABSENT in shown else []) + texts
    return {
        "label": name, "values": [order.index(text) for text in shown], "range": [0, max(1, len(order) - 1)],
        "tickvals": list(range(len(order))), "ticktext": order,
    }  # fmt: skip


def slice_figure(plan: Plan, trials: Sequence[Trial], keys: Sequence[str]) -> go.Figure:
    """Return the objective over each key alone."""
    names = short_names(keys)
    rows = max(1, -(-len(keys) // _COLUMNS))
    figure = make_subplots(
        rows=rows, cols=min(_COLUMNS, max(1, len(keys))), shared_yaxes=True,
        subplot_titles=[names[key] for key in keys], vertical_spacing=min(0.3, 0.6 / rows),
    )  # fmt: skip
    for at, key in enumerate(keys):
        for state, colour in ((State.BROKEN, "#c9ced6"), (State.GOOD, COLOURS[0])):
            points = [
                (trial, value)
                for trial, value in _known(plan, trials)
                if trial.state is state and key in trial.values
            ]
            figure.add_scatter(
                x=[_at(plan.space[key], trial.values[key]) for trial, _ in points],
                y=[value for _, value in points], text=[f"trial {trial.number}" for trial, _ in points],
                mode="markers", marker={"color": colour, "size": 7}, name=state.value,
                legendgroup=state.value, showlegend=at == 0, row=at // _COLUMNS + 1, col=at % _COLUMNS + 1,
            )  # fmt: skip
        if isinstance(plan.space[key], Range) and getattr(plan.space[key], "log", False):
            figure.update_xaxes(type="log", row=at // _COLUMNS + 1, col=at % _COLUMNS + 1)
    figure.update_yaxes(title=plan.goal.name, col=1)
    figure.update_layout(title="the objective by each key", height=120 + 240 * rows, **_LAYOUT)
    return figure


def _at(dimension: Dimension, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (
        value
        if is_number and not (isinstance(dimension, Choices) and _is_mixed(dimension))
        else value_text(value)
    )


def _is_mixed(dimension: Choices) -> bool:
    return not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in dimension.values
    )


def history_figure(plan: Plan, trials: Sequence[Trial]) -> go.Figure:
    """Return the objective in the order of the trials, and the best that was known."""
    figure = go.Figure()
    for state, colour in ((State.BROKEN, "#c9ced6"), (State.GOOD, COLOURS[0])):
        points = [(trial.number, value) for trial, value in _known(plan, trials) if trial.state is state]
        figure.add_scatter(
            x=[number for number, _ in points], y=[value for _, value in points], mode="markers",
            marker={"color": colour, "size": 7}, name=state.value,
        )  # fmt: skip
    best: list[tuple[int, float]] = []
    for trial, value in _known(plan, trials):
        if trial.state is State.GOOD and (not best or plan.goal.rank(value) < plan.goal.rank(best[-1][1])):
            best.append((trial.number, value))
    if best:
        best.append((trials[-1].number, best[-1][1]))
    figure.add_scatter(
        x=[number for number, _ in best], y=[value for _, value in best], mode="lines", name="best so far",
        line={"color": COLOURS[3], "shape": "hv"},
    )  # fmt: skip
    figure.update_xaxes(title="trial")
    figure.update_yaxes(title=plan.goal.name)
    figure.update_layout(title="history", height=HEIGHT, **_LAYOUT)
    return figure


def importance_figure(shares: Mapping[str, float]) -> go.Figure:
    """Return how much each key matters."""
    names = short_names(list(shares))
    keys = list(shares)[::-1]
    figure = go.Figure(
        go.Bar(
            x=[shares[key] for key in keys],
            y=[names[key] for key in keys],
            orientation="h",
            marker_color=COLOURS[0],
        )
    )
    figure.update_xaxes(title="share", range=[0, 1])
    figure.update_layout(title="importance of each key (PED-ANOVA)", height=140 + 30 * len(keys), **_LAYOUT)
    return figure


def bounds_figure(plan: Plan, best: Sequence[Trial], models: Mapping[str, str]) -> go.Figure:
    """Return the objective of the best under each fill model."""
    figure = go.Figure()
    for colour, (model, name) in zip(COLOURS, models.items(), strict=False):
        points = [
            (f"trial {trial.number}", value)
            for trial in best
            if (value := value_of(plan, trial.bounds.get(model, trial.numbers if model == "queue" else None)))
            is not None
        ]
        figure.add_scatter(
            x=[name_of for name_of, _ in points], y=[value for _, value in points], mode="markers", name=name,
            marker={"color": colour, "size": 11},
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": MID, "width": 1, "dash": "dot"})
    figure.update_yaxes(title=plan.goal.name)
    figure.update_layout(title="the best under the three fill models", height=HEIGHT, **_LAYOUT)
    return figure
