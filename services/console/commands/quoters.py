"""`makerd quoter add|remove SYMBOL`: one quoter more or less, without touching the others."""

from __future__ import annotations

import argparse

import msgspec

from services.console.commands.venue_reads import check_listed
from services.console.running.supervisor import Supervisor, quoter_program
from services.quoter.config import parse_quoter
from shared.config import Config
from shared.errors import BadInput
from shared.halt import check_scope


def change(config: Config, options: argparse.Namespace) -> int:
    """Run `makerd quoter add|remove`."""
    if options.quoter_command == "add":
        return add(config, options.symbol, options.like)
    return remove(config, options.symbol)


def add(config: Config, symbol: str, like: str | None) -> int:
    """Write the quoter's table to the run directory and start it.

    like  copy the settings of this quoted symbol; None = the first one of the same account
    """
    check_scope(symbol)
    if symbol in config.quoters:
        raise BadInput(f"symbol {symbol!r} is quoted already")
    template = config.quoters.get(like) if like else next(iter(config.quoters.values()), None)
    if template is None:
        raise BadInput(f"--like {like!r}: no such quoter; known: {', '.join(config.quoters) or 'none'}")
    check_listed(config, symbol, template.account)
    parse_quoter(symbol, template)
    directory = config.run_dir / "quoters"
    directory.mkdir(exist_ok=True)
    (directory / f"{symbol}.json").write_bytes(msgspec.json.encode(template))
    program = quoter_program(symbol)
    (config.run_dir / "programs" / f"{program.name}.conf").write_text(program.text())
    Supervisor(config.run_dir).add(program.name)
    print(f"added {program.name}: {template.strategy}")
    return 0


def remove(config: Config, symbol: str) -> int:
    """Stop and forget a quoter; its empty Quotes cancel what rests."""
    program = quoter_program(symbol)
    path = config.run_dir / "programs" / f"{program.name}.conf"
    if not path.exists():
        raise BadInput(f"symbol {symbol!r} is not quoted; known: {', '.join(config.quoters) or 'none'}")
    path.unlink()
    (config.run_dir / "quoters" / f"{symbol}.json").unlink(missing_ok=True)
    Supervisor(config.run_dir).remove(program.name)
    print(f"removed {program.name}")
    return 0
