"""Market data, quoters and execution in one process: `python -m tests.bench.one_process_main`.

Their shells and cores are the real ones, and so are the sockets to the venue, the signatures
and the journal. Permits come from a timer: risk is not on the way from a tick to an order.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import services.execution.live.process as execution
import services.marketdata.process as marketdata
import services.quoter.process as quoter
from shared.bus import HEARTBEAT_NS
from shared.clock import NS_PER_S
from shared.config import Config, load
from shared.lifetime import on_stop_signal
from shared.messages import OrderUpdate, Permit, Top
from shared.service import run_service
from tests.bench.deployment import ACCOUNT, VENUE
from tests.bench.in_process_bus import Hub
from tests.bench.listener import write_kept

UNLIMITED_LOTS, UNLIMITED_USD = 1_000_000, 1e9


def serve(config: Config, out: Path) -> None:
    """Run until stopped, then write what was kept of Top and OrderUpdate."""
    hub = Hub(f"execution.{ACCOUNT}", keeps=(Top, OrderUpdate))
    for shell in (marketdata, execution, quoter):
        shell.Service = hub.service  # type: ignore[attr-defined]
    for symbol in config.quoters:
        quoter.serve(config, symbol)
    marketdata.serve(config, VENUE)
    hub.loop.every(HEARTBEAT_NS, lambda: _permit(hub, config))
    on_stop_signal(lambda reason: hub.loop.call_soon(lambda: _stop(hub, reason)))
    execution.serve(config, ACCOUNT)
    write_kept(out, hub.kept)


def _permit(hub: Hub, config: Config) -> None:
    expires_ns = hub.clock.monotonic_ns() + NS_PER_S
    for symbol in config.quoters:
        hub.publish(
            Permit(
                ACCOUNT, symbol, UNLIMITED_LOTS, UNLIMITED_LOTS, UNLIMITED_LOTS, UNLIMITED_USD,
                True, True, False, False, "", expires_ns,
            )
        )  # fmt: skip


def _stop(hub: Hub, reason: str) -> None:
    hub.services[hub.runner].request_stop(reason)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.one_process_main")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    return run_service("one_process", lambda: serve(load(given.config), given.out))


if __name__ == "__main__":
    sys.exit(main())
