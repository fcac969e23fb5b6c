"""`makerd halt` and `makerd resume`: sticky, and a halt is reported done only when the venue agrees."""

from __future__ import annotations

import sys

from services.console.bus.board import Board
from services.console.bus.listening import Ear
from shared.clock import NS_PER_MS
from shared.config import Config
from shared.errors import EXIT_FAILURE, BadInput, Unknown
from shared.halt import ALL, HaltFlags, check_scope
from shared.messages import Equity, Working
from shared.state.store import StateStore

#: execution looks for flags every 250 ms and repeats itself as often: what is heard this much later
#: was judged under the flag, and whoever is alive has been heard
CONFIRMS_AFTER_NS = 750 * NS_PER_MS


def halt(config: Config, symbol: str | None, reason: str, wait_s: float) -> int:
    """Set the flag, wait until the venue shows none of our orders. Exit code 0 only then.

    wait_s  longest wait: cancel, a confirming read, the signing window of what was in flight, a second read
    The flag is a file and a field in Redis: either halts, so a Redis that is down changes nothing.
    """
    scope = symbol or ALL
    if symbol is not None:
        _check_known(config, symbol)
    HaltFlags(config.run_dir).set(scope, reason)
    store = StateStore.of(config)
    try:
        store.set_halt(scope, reason)
    except Unknown as error:
        print(f"the flag is set in {config.run_dir / 'halt'}, not in Redis: {error}", file=sys.stderr)
    finally:
        store.close()
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


def unconfirmed(config: Config, board: Board, symbol: str | None, since_ns: int, now_ns: int) -> list[str]:
    """Return what has not been heard to be halted and without orders since a moment; empty = all is.

    symbol  None = everything
    An account whose execution is not heard at all is not confirmed either, whatever it quotes.
    """
    waiting = []
    pairs = board.symbols()
    for account in config.accounts:
        own = [name for owner, name in pairs if owner == account]
        heard = [board.heard_ns(Working, account, name) for name in own]
        heard.append(board.heard_ns(Equity, account, "-"))
        if max(heard) < since_ns:
            waiting.append(f"account {account} (nothing is heard of its execution)")
        waiting += [
            f"{name} of {account}"
            for name in own
            if symbol in (None, name) and not _is_halted(board, account, name, since_ns, now_ns)
        ]
    return waiting or ([] if config.accounts else ["any account: none is configured"])


def _is_halted(board: Board, account: str, name: str, since_ns: int, now_ns: int) -> bool:
    """`halted` is told only when a read begun after the last cancel has shown that nothing rests."""
    working = board.newest(Working, account, name, now_ns)
    if working is None or board.heard_ns(Working, account, name) < since_ns:
        return False
    return working.state == "halted" and not working.orders


def _check_known(config: Config, symbol: str) -> None:
    check_scope(symbol)
    if symbol not in config.quoters:
        raise BadInput(f"symbol {symbol!r} has no quoter; known: {', '.join(config.quoters) or 'none'}")


def _wait_for_confirmation(config: Config, symbol: str | None, wait_s: float) -> list[str]:
    ear = Ear(config)
    try:
        since_ns = ear.clock.monotonic_ns() + CONFIRMS_AFTER_NS
        ear.inbox.subscribe(Working)
        ear.inbox.subscribe(Equity)

        def waiting() -> list[str]:
            return unconfirmed(config, ear.board, symbol, since_ns, ear.clock.monotonic_ns())

        ear.listen(wait_s, lambda: not waiting())
        return waiting()
    finally:
        ear.close()
