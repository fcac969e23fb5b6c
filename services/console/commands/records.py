"""`makerd record on|off|status`: what every process is told and says, kept so that it can be made again.

A core is recorded from its construction on, so switching on counts for processes that start after
it. A running deployment is recorded from then on with `--restart`: its programs one after the other,
those that trade last.
"""

from __future__ import annotations

import argparse
import time

from services.console.running.supervisor import Supervisor
from shared.config import Config
from shared.errors import EXIT_FAILURE, Unknown
from shared.lifetime import lock_holder
from shared.recording.settings import (
    directory_of,
    is_being_written,
    is_on,
    recordings_in,
    switch,
    total_size,
)

#: programs with a core, in the order in which they are restarted
_WITH_CORES = ("marketdata", "signals", "risk", "execution", "quoter")
MB = 1 << 20
#: longest wait until a program that was started is recorded
RECORDED_S = 15.0
LOOK_S = 0.05


def change(config: Config, options: argparse.Namespace) -> int:
    """Run `makerd record on|off|status`. Raises: BadInput; Unknown when supervisord does not answer."""
    if options.record_command == "on":
        return on(config, restart=options.restart)
    if options.record_command == "off":
        switch(config.run_dir, False)
        print("recording is off; what is being recorded ends within a second or two")
        return 0
    return status(config)


def on(config: Config, *, restart: bool) -> int:
    """Switch recording on; with `restart` for what runs already, too."""
    switch(config.run_dir, True)
    running = _running(config)
    if not running:
        print(f"recording is on: the next run is recorded in {directory_of(config.run_dir)}")
        return 0
    missing = [name for name in running if name not in _recorded_now(config)]
    if restart:
        missing = [name for name in missing if not _restart(config, name)]
        if missing:
            print(f"restarted, but not recorded: {', '.join(missing)}; see {config.run_dir / 'logs'}")
            return EXIT_FAILURE
    print(f"recording is on in {directory_of(config.run_dir)}")
    if missing:
        print(f"not recorded until they start again: {', '.join(missing)}")
        print("`makerd record on --restart` restarts them, one after the other, quoters last")
    return 0


def _restart(config: Config, name: str) -> bool:
    """Restart a program; True once it is recorded, so that no two of them are away at a time."""
    supervisor = Supervisor(config.run_dir)
    supervisor.stop(name)
    supervisor.start(name)
    deadline_s = time.monotonic() + RECORDED_S
    while not (is_recorded := name in _recorded_now(config)) and time.monotonic() < deadline_s:
        time.sleep(LOOK_S)
    print(f"restarted {name}")
    return is_recorded


def status(config: Config) -> int:
    """Tell whether recording is on, what is recorded now, and how much there is."""
    recorded, running = _recorded_now(config), _running(config)
    print(f"recording is {'on' if is_on(config.run_dir) else 'off'}")
    for name in running:
        print(f"  {name}: {'recorded' if name in recorded else 'not recorded'}")
    count, size = len(recordings_in(config.run_dir)), total_size(config.run_dir)
    limit = config.recording.max_total_mb
    print(f"{count} recordings, {size / MB:.1f} of at most {limit} MB, in {directory_of(config.run_dir)}")
    return 0


def _running(config: Config) -> list[str]:
    """Return the programs with a core that run now, in the order of a restart."""
    if lock_holder(config.run_dir, "deployment") is None:
        return []
    try:
        processes = Supervisor(config.run_dir).processes()
    except Unknown:
        return []
    running = [name for name, info in processes.items() if info.pid is not None]
    kinds = {name: name.partition(".")[0] for name in running}
    return sorted(
        (name for name in running if kinds[name] in _WITH_CORES),
        key=lambda name: (_WITH_CORES.index(kinds[name]), name),
    )


def _recorded_now(config: Config) -> set[str]:
    return {path.parent.name for path in recordings_in(config.run_dir) if is_being_written(path)}
