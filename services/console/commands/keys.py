"""`makerd keys add backpack`: asks for a key without echo and writes it to a file only its owner may read."""

from __future__ import annotations

import base64
import getpass
import os
import sys
from pathlib import Path

import orjson

from shared.errors import BadInput
from shared.secret import write_private_file

VENUES = ("backpack",)
DEFAULT_DIRECTORY = Path("~/.config/makerd")


def add(venue: str, path: Path | None) -> int:
    """Read key and secret from the terminal (or two lines of standard input) and store them, mode 600."""
    if venue not in VENUES:
        raise BadInput(f"venue {venue!r} is not supported; choose one of: {', '.join(VENUES)}")
    target = (path or DEFAULT_DIRECTORY / f"{venue}.json").expanduser()
    if os.path.lexists(target):
        raise BadInput(f"key file {target} exists; remove it first")
    key, secret = _read("API key (public, base64): "), _read("API secret (base64, not shown): ")
    for name, value in (("API key", key), ("API secret", secret)):
        _check_32_bytes(name, value)
    write_private_file(target, orjson.dumps({"api_key": key, "api_secret": secret}))
    print(f"wrote {target} (mode 600); name it as key_file of an account")
    return 0


def _read(prompt: str) -> str:
    return getpass.getpass(prompt).strip() if sys.stdin.isatty() else sys.stdin.readline().strip()


def _check_32_bytes(name: str, value: str) -> None:
    """Check the form of an Ed25519 key; the value itself is never shown."""
    try:
        length = len(base64.b64decode(value, validate=True))
    except ValueError:  # binascii.Error is one; so is what is not even ASCII
        raise BadInput(f"{name} is not base64") from None
    if length != 32:
        raise BadInput(f"{name} must be 32 bytes in base64, was {length}")
