"""Settings of a replay: the table `[replay]` of a deployment's configuration."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from services.replay.latency import LatencySettings
from shared.config import parse

_Bps = Annotated[float, Meta(ge=-100, le=1_000)]
_NUMBER = r"[0-9]{1,18}(\.[0-9]{1,18})?$"
_Decimal = Annotated[str, Meta(pattern=f"^{_NUMBER}")]
#: not 0
_Step = Annotated[str, Meta(pattern=f"^(?=.*[1-9]){_NUMBER}")]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trading rules of a recorded symbol, decimal strings; what is missing is read from the data.

    is_perp  None = by the symbol: ..._PERP is, and so is what its file says it is
    """

    tick_size: _Step | None = None
    lot_size: _Step | None = None
    min_quantity: _Decimal | None = None
    min_notional: _Decimal | None = None
    base: str | None = None
    quote: str | None = None
    is_perp: bool | None = None


class ReplaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a replay assumes.

    equity          quote units that each account begins with
    maker_fee_bps   basis points of the notional, < 0 = a rebate
    taker_fee_bps   the same of orders that take
    held            symbol -> base units that are held at the start, beside the equity (spot)
    rules           trading rules by symbol
    max_gap_s       a recording of best prices alone is silent while nothing changes: longer is a gap
    """

    equity: Annotated[float, Meta(gt=0, le=1e12)] = 10_000.0
    maker_fee_bps: _Bps = 0.0
    taker_fee_bps: _Bps = 0.0
    held: dict[str, Annotated[float, Meta(ge=0, le=1e12)]] = {}
    rules: dict[str, Rules] = {}
    latency: LatencySettings = LatencySettings()
    max_gap_s: Annotated[float, Meta(ge=1, le=3_600)] = 60.0


def parse_replay(raw: dict[str, Any]) -> ReplaySettings:
    """Read the table `[replay]`. Raises: BadInput naming the key, the value and the rule."""
    return parse(raw, ReplaySettings, "replay")
