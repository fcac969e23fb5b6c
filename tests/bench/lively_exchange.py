"""The local venue with a busier market: `python -m tests.bench.lively_exchange` and its own options.

The default market's mid moves about once a second, which would leave tick-to-order with few
samples. Here one in seven participants is a noise taker who may take out a level: about every
seventh update moves the mid, mostly by a tick or less. Everything else is the venue as it ships.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from services.exchange import assembly
from services.exchange.market.synthetic import SyntheticParams, default_params
from services.exchange.model import Market
from services.exchange.options import parse_options
from services.exchange.wire.server import run
from shared.clock import SystemClock

TAKER_SHARE = 0.15
TAKER_NOTIONAL = 1_500.0


def lively(updates_per_s: float, market: Market) -> SyntheticParams:
    """Return a market's flow, a share of the updates being takers."""
    return replace(
        default_params(market), noise_per_s=TAKER_SHARE * updates_per_s, noise_notional=TAKER_NOTIONAL
    )


def main() -> int:
    options = parse_options(sys.argv[1:])
    updates_per_s = options.updates_per_s or 0.0
    assembly.default_params = lambda market: lively(updates_per_s, market)  # type: ignore[attr-defined]
    makers_only = replace(options, updates_per_s=(1 - TAKER_SHARE) * updates_per_s)
    run(assembly.build_server(makers_only, SystemClock()), options.parent_grace_s)
    return 0


if __name__ == "__main__":
    sys.exit(main())
