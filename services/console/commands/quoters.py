"""`makerd quoter add|remove SYMBOL`: one quoter more or less, without touching the others.

What was added or removed is a file in `run_dir/quoters` that lasts as long as the deployment: every
command reads it, and so does the start after supervisord was killed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from services.console.commands.preflight import check_quotable
from services.console.commands.venue_reads import instruments_of
from services.console.running.supervisor import Supervisor, quoter_program
from shared.config import Config, Quoter
from shared.errors import BadInput, Unknown
from shared.halt import check_scope
from shared.secret import write_private_file


def change(config: Config, options: argparse.Namespace) -> int:
    """Run `makerd quoter add|remove`."""
    if options.quoter_command == "add":
        return add(config, options.symbol, options.like, options.account)
    return remove(config, options.symbol)


def add(config: Config, symbol: str, like: str | None, account: str | None = None) -> int:
    """Write the quoter's table to the run directory and start it. Nothing is left where that fails.

    like     copy the settings of this quoted symbol
    account  copy those of this account's first quoter; None = of the only account there is
    """
    check_scope(symbol)
    if symbol in config.quoters:
        raise BadInput(f"symbol {symbol!r} is quoted already")
    template = _template(config, like, account)
    config.quoters[symbol] = template
    venue = config.accounts[template.account].venue
    check_quotable(config, symbol, venue, instruments_of(config, venue))
    supervisor, program = Supervisor(config.run_dir), quoter_program(symbol)
    supervisor.processes()  # while it does not answer nothing is changed
    table, removed = _files(config, symbol)
    conf = config.run_dir / "programs" / f"{program.name}.conf"
    was_removed = removed.exists()
    try:
        write_private_file(table, msgspec.json.encode(template))  # whole at once: others look at any time
        conf.write_text(program.text())
        removed.unlink(missing_ok=True)  # before the process starts: it reads both
        supervisor.add(program.name)
    except Unknown:
        table.unlink(missing_ok=True)
        conf.unlink(missing_ok=True)
        if was_removed:
            removed.touch()
        raise
    print(f"added {program.name}: {template.strategy}")
    return 0


def remove(config: Config, symbol: str) -> int:
    """Stop and forget a quoter; its empty Quotes cancel what rests."""
    check_scope(symbol)
    if symbol not in config.quoters:
        raise BadInput(f"symbol {symbol!r} is not quoted; known: {', '.join(config.quoters) or 'none'}")
    supervisor, program = Supervisor(config.run_dir), quoter_program(symbol)
    supervisor.stop(program.name)
    table, removed = _files(config, symbol)
    removed.parent.mkdir(exist_ok=True)
    removed.touch()  # from here on it stays removed, whatever dies
    table.unlink(missing_ok=True)
    supervisor.forget(program.name)
    (config.run_dir / "programs" / f"{program.name}.conf").unlink(missing_ok=True)
    supervisor.reload()
    print(f"removed {program.name}")
    return 0


def _template(config: Config, like: str | None, account: str | None) -> Quoter:
    known = ", ".join(config.quoters) or "none"
    if like is not None:
        if like not in config.quoters:
            raise BadInput(f"--like {like!r}: no such quoter; known: {known}")
        return config.quoters[like]
    if account is not None and account not in config.accounts:
        raise BadInput(f"--account {account!r}: no such account; known: {', '.join(config.accounts)}")
    if account is None and len(config.accounts) != 1:
        raise BadInput(f"--like SYMBOL or --account NAME is needed; accounts: {', '.join(config.accounts)}")
    account = account or next(iter(config.accounts))
    for quoter in config.quoters.values():
        if quoter.account == account:
            return quoter
    raise BadInput(f"account {account!r} has no quoter to copy; give --like; known: {known}")


def _files(config: Config, symbol: str) -> tuple[Path, Path]:
    """Return the file of an added quoter, and the mark of a removed one."""
    directory = config.run_dir / "quoters"
    return directory / f"{symbol}.json", directory / f"{symbol}.removed"
