"""Configuration: TOML parsed into frozen structs; whatever is wrong is one clear line.

The file has the tables below. The tables `marketdata`, `signals`, `risk`, `execution`, `replay` and a
quoter's `params` belong to the service of that name, which parses its own with `parse`;
`makerd check` parses them all.

Secrets are never in the file: an account names a key file (mode 600).
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta

from shared.errors import BadInput
from shared.recording.settings import RecordingConfig
from shared.secret import write_private_file

T = TypeVar("T")
#: in the run directory: the configuration of the deployment that runs there
EFFECTIVE = "deployment.json"
_LOCAL_ADDRESS = re.compile(r"tcp://(127\.0\.0\.1|localhost):[1-9][0-9]{0,4}")
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One set of processes.

    name     prefixes every key in Redis
    tag      8-bit mark in client order ids: orders with it are ours, all others are never touched;
             another deployment on the same account needs another one
    run_dir  sockets, locks, logs, the embedded Redis, summaries; MAKERD_RUN_DIR overrides it
    """

    name: Name = "paper"
    tag: Annotated[int, Meta(ge=1, le=255)] = 77
    run_dir: str = "run"


class Redis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """url: None = the embedded server of the run directory; REDIS_URL overrides both."""

    url: str | None = None


class Venue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a venue is. Either both addresses, or a ready file (a local venue writes it).

    protocol    names the adapter in shared/venues
    ready_file  relative to the run directory; MAKERD_VENUE_FILE overrides it
    """

    protocol: Name
    rest_url: str | None = None
    ws_url: str | None = None
    ready_file: str | None = None


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account at a venue.

    key_file  JSON with api_key and api_secret, mode 600; None = the first account of the ready file
    """

    venue: Name
    key_file: str | None = None


class Quoter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One symbol that is quoted. `params` belong to the strategy."""

    account: Name
    strategy: Name
    params: dict[str, Any] = {}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    addresses  bus name -> tcp://127.0.0.1:port instead of a unix socket; other hosts are refused,
               because ages and expiries on the bus are times of this host's monotonic clock
    """

    deployment: Deployment = Deployment()
    redis: Redis = Redis()
    venues: dict[Name, Venue] = {}
    accounts: dict[Name, Account] = {}
    quoters: dict[Name, Quoter] = {}
    marketdata: dict[str, Any] = {}
    signals: dict[str, Any] = {}
    risk: dict[str, Any] = {}
    execution: dict[str, Any] = {}
    replay: dict[str, Any] = {}
    recording: RecordingConfig = RecordingConfig()
    addresses: dict[str, str] = {}

    @property
    def run_dir(self) -> Path:
        return Path(os.environ.get("MAKERD_RUN_DIR") or self.deployment.run_dir)

    def venue_of(self, account: str) -> Venue:
        """Return the venue an account trades at. Raises: BadInput naming what is missing."""
        if account not in self.accounts:
            raise BadInput(f"account {account!r} is not configured; known: {', '.join(self.accounts)}")
        name = self.accounts[account].venue
        if name not in self.venues:
            raise BadInput(
                f"accounts.{account}.venue {name!r} is not configured; known: {', '.join(self.venues)}"
            )
        return self.venues[name]


def load(path: Path, *, with_changes: bool = True) -> Config:
    """Read and check a configuration file.

    with_changes  take `makerd quoter add|remove` into account, which last as long as a deployment
    Raises: BadInput naming the key, the value and the rule.
    """
    config = parse(read_file(path), Config, str(path))
    config.venues.update({name: _located(venue, config) for name, venue in config.venues.items()})
    for account in config.accounts:
        config.venue_of(account)
    if with_changes:
        apply_changes(config)
    for symbol, quoter in config.quoters.items():
        if quoter.account not in config.accounts:
            raise BadInput(f"{path}: quoters.{symbol}.account {quoter.account!r} is not configured")
    for name, address in config.addresses.items():
        if not _LOCAL_ADDRESS.fullmatch(address):
            raise BadInput(
                f"{path}: addresses.{name}: must be tcp://127.0.0.1:port (all services of a deployment "
                f"run on one host), was {address!r}"
            )
    return config


def read_file(path: Path) -> object:
    """Return the tables of a TOML or JSON file as they were written. Raises: BadInput."""
    try:
        text = path.read_text(encoding="utf-8")
        return msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise BadInput(f"config {path} does not exist") from None
    except OSError as error:
        raise BadInput(f"config {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"config {path}: {error}") from None


def save_effective(config: Config) -> Path:
    """Write what a running deployment really uses, and return where; it may hold a Redis password.

    REDIS_URL goes into it: who asks from another shell must find the same Redis.
    """
    url = os.environ.get("REDIS_URL") or config.redis.url
    config = msgspec.structs.replace(config, redis=Redis(url))
    path = config.run_dir / EFFECTIVE
    write_private_file(path, msgspec.json.encode(config))
    return path


def _located(venue: Venue, config: Config) -> Venue:
    """Return a venue with its ready file's absolute path."""
    if venue.ready_file is None:
        return venue
    path = Path(os.environ.get("MAKERD_VENUE_FILE") or config.run_dir / venue.ready_file)
    return msgspec.structs.replace(venue, ready_file=str(path.resolve()))


def apply_changes(config: Config) -> None:
    """Bring `config.quoters` up to date with what `makerd quoter add|remove` did since the start."""
    config.quoters.update(_added_quoters(config.run_dir))
    for removed in (config.run_dir / "quoters").glob("*.removed"):
        config.quoters.pop(removed.stem, None)


def _added_quoters(run_dir: Path) -> dict[str, Quoter]:
    """Return the quoters that `makerd quoter add` wrote to `run_dir/quoters/<symbol>.json`."""
    paths = sorted((run_dir / "quoters").glob("*.json"))
    return {path.stem: parse(read_file(path), Quoter, str(path)) for path in paths}


def parse(raw: object, kind: type[T], where: str) -> T:
    """Convert a TOML table into a frozen struct.

    where  what the message starts with: a file, or a table such as "risk"
    Raises: BadInput; an unknown key is answered with the nearest known one.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{where}: {_explain(str(error), raw, kind)}") from None


def _explain(text: str, raw: object, kind: Any) -> str:
    rule, _, path = text.partition(" - at `$")
    steps = [key or index for key, index in re.findall(r"\.([\w-]+)|\[([^\]]+)\]", path.rstrip("`"))]
    keys, value, kind = _follow(steps, raw, kind)
    kind = _table_in(kind)
    unknown = re.match(r"Object contains unknown field `(.+)`", rule)
    if unknown:
        known = list(getattr(kind, "__struct_fields__", ()))
        near = difflib.get_close_matches(unknown.group(1), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        return f"unknown key {'.'.join([*keys, unknown.group(1)])!r}; {hint}"
    return f"{'.'.join(keys) or 'value'}: {rule}, was {value!r}"


def _follow(steps: list[str], raw: Any, kind: Any) -> tuple[list[str], Any, Any]:
    """Walk a path of msgspec's; return the real keys, the value and the type found there.

    msgspec writes the keys of a dict as `[...]`: the entry that does not convert is meant.
    """
    keys: list[str] = []
    for step in steps:
        kind = _hint_of(kind, step)
        if step == "..." and isinstance(raw, dict):
            step = next((key for key, value in raw.items() if not _converts(value, kind)), step)
        keys.append(step)
        if isinstance(raw, dict):
            raw = raw.get(step)
        elif isinstance(raw, list) and step.isdigit():
            raw = raw[int(step)]
    return keys, raw, kind


def _table_in(kind: Any) -> Any:
    """Return the table of `table | None`: one that may be left out."""
    parts = get_args(kind) if isinstance(kind, UnionType) else ()
    return next((part for part in parts if hasattr(part, "__struct_fields__")), kind)


def _hint_of(kind: Any, step: str) -> Any:
    kind = _table_in(kind)
    if hasattr(kind, "__struct_fields__"):
        return _given(get_type_hints(kind).get(step))
    arguments = getattr(kind, "__args__", ())
    return _given(arguments[-1]) if arguments else None


def _given(hint: Any) -> Any:
    """Return what is meant by a table that may be left out (`Table | None`)."""
    tables = [one for one in getattr(hint, "__args__", ()) if hasattr(one, "__struct_fields__")]
    return tables[0] if tables and type(None) in hint.__args__ else hint


def _converts(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
