"""The README keeps its promises: every setting is in its table."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from services.execution.config import ExecutionConfig
from services.marketdata.config import MarketDataConfig
from services.quoter.strategies import STRATEGIES, curve, two_sided
from services.quoter.strategies.bins.params import Params as BinsParams
from services.risk.config import Config as RiskConfig
from services.signals.config import Config as SignalsConfig
from shared.config import Account, Deployment, Quoter, Redis, Venue
from shared.recording.settings import RecordingConfig

README = Path(__file__).resolve().parents[1] / "README.md"
TABLES = {
    "[deployment]": Deployment,
    "[redis]": Redis,
    "[venues.NAME]": Venue,
    "[accounts.NAME]": Account,
    "[quoters.SYMBOL]": Quoter,
    "[marketdata]": MarketDataConfig,
    "[signals]": SignalsConfig,
    "[risk]": RiskConfig,
    "[execution]": ExecutionConfig,
    "params, bins": BinsParams,
    "[recording]": RecordingConfig,
} | {f"params, {name}": strategy.params for name, strategy in STRATEGIES.items()}

#: tables that hold only what a strategy adds to the params that it shares
SHARED: dict[str, type[msgspec.Struct]] = {
    "params, ladder": two_sided.Params,
    "params, spot": BinsParams,
    "params, curve": BinsParams,
    "params, bid_ask": BinsParams,
    "params, auto": curve.Params,
}


@pytest.mark.parametrize(("title", "kind"), TABLES.items())
def test_every_setting_is_in_the_readme_with_its_default(title: str, kind: type[msgspec.Struct]) -> None:
    rows = {
        tuple(cell.strip(" `") for cell in line.strip("|").split("|"))[1]: line
        for line in README.read_text().splitlines()
        if line.startswith(f"| `{title}` |")
    }
    shared = SHARED[title].__struct_fields__ if title in SHARED else ()
    assert title not in SHARED or issubclass(kind, SHARED[title])
    assert set(rows) == set(kind.__struct_fields__) - set(shared)
    for field in msgspec.structs.fields(kind):
        if field.name in rows and isinstance(field.default, int | float | str):
            assert f"| {field.default} |" in rows[field.name]
