"""`makerd strategies [NAME]`: what a quoter's `strategy` may be, and what its `params` take."""

from __future__ import annotations

import sys

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.quoter.describe import Description, Parameter, describe
from services.quoter.strategies import STRATEGIES
from shared.errors import BadInput

COLUMNS = ("param", "unit", "range", "default", "meaning")
PIPE_WIDTH = 160


def strategies(name: str | None, *, as_json: bool) -> int:
    """Print one strategy or all. Raises: BadInput listing the choices."""
    if name is not None and name not in STRATEGIES:
        raise BadInput(f"strategy {name!r} is unknown; choices: {', '.join(sorted(STRATEGIES))}")
    chosen = [describe(STRATEGIES[key]) for key in sorted(STRATEGIES) if name in (None, key)]
    if as_json:
        sys.stdout.write(orjson.dumps(chosen, option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    for described in chosen:
        _show(console, described)
    return 0


def _show(console: Console, described: Description) -> None:
    console.print(Text(described.name, style="bold") + Text(f"  {described.summary}"))
    table = Table(*COLUMNS, box=None, padding=(0, 1))
    for column in table.columns[:-1]:
        column.no_wrap = True
    for one in described.parameters:
        table.add_row(*map(Text, (one.name, one.unit, one.range, _default(one), one.text)))
    console.print(table)
    console.print()


def _default(one: Parameter) -> str:
    """Return a default as it would be written; – where nothing would be."""
    if one.default is None:
        return "required" if one.is_required else "–"
    return str(one.default).lower() if isinstance(one.default, bool) else str(one.default)
