"""The README keeps its promises: every setting is in its table."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from services.execution.config import ExecutionConfig
from services.marketdata.config import MarketDataConfig
from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import Params
from services.quoter.strategies.optimal.params import Params as OptimalParams
from services.risk.config import Config as RiskConfig
from services.signals.config import Config as SignalsConfig
from shared.config import Account, Deployment, Quoter, Redis, Venue
from shared.recording.settings import RecordingConfig

README = Path(__file__).resolve().parents[1] / "README.md"
#: params that several strategies share are in a table of their own, once
SHARED: dict[str, type[msgspec.Struct]] = {
    "params, every strategy": Params,
    "params, optimal": OptimalParams,
}
TABLES: dict[str, type[msgspec.Struct]] = {
    "[deployment]": Deployment,
    "[redis]": Redis,
    "[venues.NAME]": Venue,
    "[accounts.NAME]": Account,
    "[quoters.SYMBOL]": Quoter,
    "[marketdata]": MarketDataConfig,
    "[signals]": SignalsConfig,
    "[risk]": RiskConfig,
    "[execution]": ExecutionConfig,
    "[recording]": RecordingConfig,
    **SHARED,
    **{f"params, {name}": strategy.params for name, strategy in STRATEGIES.items()},
}


def rows_of(title: str) -> dict[str, str]:
    """Return the lines of a table by the name of the setting."""
    return {
        [cell.strip(" `") for cell in line.strip("|").split("|")][1]: line
        for line in README.read_text().splitlines()
        if line.startswith(f"| `{title}` |")
    }


@pytest.mark.parametrize(("title", "kind"), TABLES.items())
def test_every_setting_is_in_the_readme_with_its_default(title: str, kind: type[msgspec.Struct]) -> None:
    rows: dict[str, str] = {}
    for base in reversed(kind.__mro__):  # what is said of a strategy alone counts more than what is shared
        for other, table in TABLES.items():
            rows |= rows_of(other) if table is base and other != title else {}
    rows |= rows_of(title)
    assert set(rows) == set(kind.__struct_fields__)
    for field in msgspec.structs.fields(kind):
        if isinstance(field.default, int | float | str):
            assert f"| {field.default} |" in rows[field.name]
