"""`makerd halt` and `makerd resume`: sticky, and a halt is reported done only when the venue agrees."""

from __future__ import annotations

import sys

from services.console.bus.listening import Ear
from shared.config import Config
from shared.errors import EXIT_FAILURE, BadInput, Unknown
from shared.halt import ALL, HaltFlags, check_scope
from shared.messages import Working
from shared.state.store import StateStore


def halt(config: Config, symbol: str | None, reason: str, wait_s: float) -> int:
    """Set the flag, wait until the venue shows none of our orders. Exit code 0 only then.

    wait_s  longest wait: cancel, a confirming read, the signing window of what was in flight, a second read
    The flag is a file and a field in Redis: either halts, so a Redis that is down changes nothing.
    """
    scope = symbol or ALL
    if symbol is not None:
        _check_known(config, symbol)
    HaltFlags(config.run_dir).set(scope, reason)
    try:
        StateStore.of(config).set_halt(scope, reason)
    except Unknown as error:
        print(f"the flag is set in {config.run_dir / 'halt'}, not in Redis: {error}", file=sys.stderr)
    missing = _wait_for_confirmation(config, symbol, wait_s)
    if missing:
        print(f"halt is set, but not confirmed by the venue for: {', '.join(missing)}", file=sys.stderr)
        return EXIT_FAILURE
    print(f"halted {scope}: the venue shows none of our orders")
    return 0


def resume(config: Config, symbol: str | None) -> int:
    """Remove a halt. What a global halt covers stays halted until the global one is removed."""
    scope = symbol or ALL
    if symbol is not None:
        check_scope(symbol)
    StateStore.of(config).clear_halt(scope)  # Redis first: when it is down the halt stays whole
    was_set = HaltFlags(config.run_dir).clear(scope)
    print(
        f"resumed {scope}" if was_set else f"{scope} was not halted by a file; its flag in Redis is cleared"
    )
    left = HaltFlags(config.run_dir).read()
    if left:
        print(f"still halted: {', '.join(sorted(left))}")
    return 0


def _check_known(config: Config, symbol: str) -> None:
    check_scope(symbol)
    if symbol not in config.quoters:
        raise BadInput(f"symbol {symbol!r} has no quoter; known: {', '.join(config.quoters) or 'none'}")


def _wait_for_confirmation(config: Config, symbol: str | None, wait_s: float) -> list[str]:
    ear = Ear(config)
    try:
        ear.inbox.subscribe(Working)
        waiting = {name for name in config.quoters if symbol in (None, name)}

        def is_confirmed() -> bool:
            now_ns = ear.clock.monotonic_ns()
            for account, name in ear.board.symbols():
                working = ear.board.newest(Working, account, name, now_ns)
                if symbol in (None, name):
                    done = working is not None and working.state == "halted" and not working.orders
                    (waiting.discard if done else waiting.add)(name)
            return not waiting

        ear.listen(wait_s, is_confirmed)
        return sorted(waiting)
    finally:
        ear.close()
