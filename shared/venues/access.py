"""Where a venue is and who we are there.

A venue has both addresses in the configuration, or a ready file that a local venue
writes: `{"venue","rest","ws","control","accounts":[{"name","api_key","api_secret"}]}`,
mode 600; its first account is the maker's. A relative ready file is relative to the run
directory, so that MAKERD_RUN_DIR moves it along with everything else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared.config import Account, Venue
from shared.errors import BadInput, Unknown
from shared.lifetime import ParentWatch
from shared.secret import Secret, read_json_secret

READY_POLL_S = 0.05
READY_FILE = "ready file"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses without a slash at the end."""

    rest_url: str
    ws_url: str


@dataclass(frozen=True, slots=True)
class Keys:
    """An account's key pair."""

    api_key: str
    api_secret: Secret


def ready_path(venue: Venue, run_dir: Path) -> Path | None:
    """Return where the venue's ready file is, None when it has addresses instead."""
    return None if venue.ready_file is None else run_dir / venue.ready_file


def endpoints_of(venue: Venue, run_dir: Path, wait_s: float = 30.0) -> Endpoints:
    """Return the venue's addresses, waiting for a ready file that is not there yet.

    Blocks: for the start of a process, or a worker. Raises: BadInput naming what is missing;
    Unknown when the ready file does not appear (the venue may still come: exit and be restarted).
    """
    path = ready_path(venue, run_dir)
    if path is None:
        if venue.rest_url is None or venue.ws_url is None:
            raise BadInput(f"venue {venue.protocol}: set rest_url and ws_url, or ready_file")
        return Endpoints(
            _address(venue.rest_url, ("http", "https"), "rest_url"),
            _address(venue.ws_url, ("ws", "wss"), "ws_url"),
        )
    _wait_for(path, wait_s)
    ready = read_json_secret(path, READY_FILE)
    return Endpoints(
        _address(_text(ready, "rest", str(path)), ("http", "https"), f"{path}: rest"),
        _address(_text(ready, "ws", str(path)), ("ws", "wss"), f"{path}: ws"),
    )


def keys_of(account: Account, venue: Venue, run_dir: Path) -> Keys:
    """Return the account's keys: its key file's, else the first account's of the ready file.

    Raises: BadInput naming the file and the rule.
    """
    if account.key_file is not None:
        path = Path(account.key_file).expanduser()
        return _keys(read_json_secret(path), str(path))
    ready = ready_path(venue, run_dir)
    if ready is None:
        raise BadInput(f"account at {account.venue}: set key_file (a JSON file with api_key and api_secret)")
    accounts = read_json_secret(ready, READY_FILE).get("accounts")
    if not isinstance(accounts, list) or not accounts or not isinstance(accounts[0], dict):
        raise BadInput(f"ready file {ready}: accounts is empty")
    return _keys(accounts[0], str(ready))


def _wait_for(path: Path, wait_s: float) -> None:
    parent = ParentWatch()
    for _ in range(round(wait_s / READY_POLL_S)):
        if path.exists():
            return
        if parent.is_orphan():
            raise Unknown(f"the parent is gone while ready file {path} was waited for")
        time.sleep(READY_POLL_S)
    if not path.exists():
        raise Unknown(f"ready file {path} did not appear within {wait_s:g} s; is the venue running?")


def _address(url: str, schemes: tuple[str, str], where: str) -> str:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or too large
        is_good = False
    if not is_good:
        raise BadInput(f"{where} {url!r} must be an address such as {schemes[1]}://host")
    return url.rstrip("/")


def _keys(content: dict[str, object], where: str) -> Keys:
    return Keys(_text(content, "api_key", where), Secret(_text(content, "api_secret", where)))


def _text(content: dict[str, object], key: str, where: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value:
        raise BadInput(f"{where}: {key!r} is missing")
    return value
