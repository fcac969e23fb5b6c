"""`makerd`: parse, dispatch, exit with a code. 78 = what a person wrote is wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from services.console import early  # noqa: F401 - before everything that takes time to import
from services.console.commands import (
    checking,
    halting,
    keys,
    looking,
    quoters,
    records,
    replaying,
    statistics,
    strategies,
    sweeping,
)
from services.console.options import parse
from services.console.running import run
from shared.config import EFFECTIVE, Config, load
from shared.errors import EXIT_FAILURE, MakerdError
from shared.lifetime import lock_holder


def main() -> int:
    """Run one command; one clear line on standard error when it fails."""
    try:
        return _dispatch(parse())
    except MakerdError as error:
        print(f"makerd: {error}", file=sys.stderr)
        return getattr(error, "exit_code", EXIT_FAILURE)
    except BrokenPipeError:  # `makerd tap | head`
        return 0


def _dispatch(options: argparse.Namespace) -> int:
    def config() -> Config:
        return running_config(load(options.config))

    dispatch: dict[str, Callable[[], int]] = {
        "run": lambda: run.run(options),
        "status": lambda: looking.status(config(), as_json=options.json),
        "stats": lambda: statistics.stats(config(), as_json=options.json),
        "orders": lambda: looking.orders(config()),
        "positions": lambda: looking.positions(config()),
        "fills": lambda: looking.fills(config(), options.count),
        "halt": lambda: halting.halt(config(), options.symbol, options.reason, options.timeout),
        "resume": lambda: halting.resume(config(), options.symbol),
        "quoter": lambda: quoters.change(config(), options),
        "record": lambda: records.change(config(), options),
        "replay": lambda: replaying.command(options),
        "sweep": lambda: sweeping.command(options),
        "tap": lambda: looking.tap(config(), options.topic),
        "check": lambda: checking.check(options.checked, options.mid, options.symbol, options.equity),
        "strategies": lambda: strategies.strategies(options.strategy, as_json=options.json),
        "keys": lambda: keys.add(options.venue, options.file),
    }
    return dispatch[options.command]()


def running_config(config: Config) -> Config:
    """Return what the deployment in this run directory really uses, if one runs."""
    effective = config.run_dir / EFFECTIVE
    if effective.exists() and lock_holder(config.run_dir, "deployment") is not None:
        for name in ("REDIS_URL", "MAKERD_VENUE_FILE"):  # of this shell; what the deployment uses is in there
            os.environ.pop(name, None)
        return load(effective)
    return config


if __name__ == "__main__":
    sys.exit(main())
