"""The README keeps its promises: every setting is in its table."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest

from services.execution.config import ExecutionConfig
from services.marketdata.config import MarketDataConfig
from services.quoter.strategies.base import Params
from services.replay.latency import LatencySettings
from services.replay.settings import ReplaySettings
from services.risk.config import Config as RiskConfig
from services.risk.config import PolicyTables
from services.risk.policies.hedging.active_hedge import ActiveTable
from services.risk.policies.hedging.hedge_leg import HedgeTable
from services.risk.policies.hedging.passive_hedge import PassiveTable
from services.signals.config import Config as SignalsConfig
from shared.config import Account, Deployment, Quoter, Redis, Venue
from shared.recording.settings import RecordingConfig

README = Path(__file__).resolve().parents[1] / "README.md"
#: each is `Table | None`: off until it is configured
POLICY_TABLES: dict[str, type[msgspec.Struct]] = {
    name: hint.__args__[0] for name, hint in get_type_hints(PolicyTables).items()
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
    **{f"[risk.{name}]": table for name, table in POLICY_TABLES.items()},
    "[risk.hedges.SYMBOL]": HedgeTable,
    "[risk.hedges.SYMBOL.active]": ActiveTable,
    "[risk.hedges.SYMBOL.passive]": PassiveTable,
    "[execution]": ExecutionConfig,
    "[recording]": RecordingConfig,
    "[replay]": ReplaySettings,
    "[replay.latency]": LatencySettings,
    "params, every strategy": Params,  # the others: `makerd strategies`
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
    rows = rows_of(title)
    assert set(rows) == set(kind.__struct_fields__)
    for field in msgspec.structs.fields(kind):
        if field.name in rows and isinstance(field.default, int | float | str):
            assert f"| {field.default} |" in rows[field.name]
