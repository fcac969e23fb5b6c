"""The venue's accounts and their API keys: fresh ones for every run, or those of a file."""

from __future__ import annotations

import base64
import binascii
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import orjson
from nacl.signing import SigningKey

from services.exchange.model import AccountSpec
from shared.errors import BadInput

_FEES = ("maker_fee_perp", "taker_fee_perp", "maker_fee_spot", "taker_fee_spot")
_MEMBERS = ("name", "api_secret", "balances", *_FEES)
_DEFAULT_BALANCES = {
    #: little of the base asset, so that the maker's equity hardly moves with its price
    "maker": (("USDC", Decimal(10_000)), ("SOL", Decimal(1))),
    "other": (("USDC", Decimal(10_000)), ("SOL", Decimal(100))),
}


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """One account's key pair, base64: the verifying key and the 32-byte seed."""

    name: str
    api_key: str
    api_secret: str

    @classmethod
    def of(cls, name: str, key: SigningKey) -> Credentials:
        public = base64.b64encode(bytes(key.verify_key)).decode()
        return cls(name, public, base64.b64encode(bytes(key)).decode())

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "api_key": self.api_key, "api_secret": self.api_secret}


def default_accounts() -> list[tuple[AccountSpec, Credentials]]:
    """Return the maker and a second user, with fresh keys."""
    return [
        (AccountSpec(name, balances), Credentials.of(name, SigningKey.generate()))
        for name, balances in _DEFAULT_BALANCES.items()
    ]


def read_accounts(path: Path) -> list[tuple[AccountSpec, Credentials]]:
    """Read `[{"name", "balances": {asset: decimal}, "api_secret"?, "maker_fee_perp"?, ...}]`.

    Raises: BadInput; the text never contains a secret.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"accounts file {path}: {error.strerror}") from error
    except orjson.JSONDecodeError:
        raise BadInput(f"accounts file {path}: is not JSON") from None
    if mode & 0o077:
        raise BadInput(f"accounts file {path}: mode {mode:03o} lets others read it; must be 600")
    if not isinstance(document, list) or not document:
        raise BadInput(f"accounts file {path}: must be a list of at least one account")
    accounts = [_account(path, member) for member in document]
    names = [spec.name for spec, _ in accounts]
    if len(set(names)) != len(names):
        raise BadInput(f"accounts file {path}: a name occurs twice")
    holders: dict[str, str] = {}
    for _, owner in accounts:
        if (other := holders.setdefault(owner.api_key, owner.name)) != owner.name:
            raise BadInput(f"accounts file {path}: {other} and {owner.name} have one api_secret")
    return accounts


def _account(path: Path, member: Any) -> tuple[AccountSpec, Credentials]:
    name = member.get("name") if isinstance(member, dict) else None
    if not isinstance(name, str) or not name:
        raise BadInput(f"accounts file {path}: every account needs a name")
    for field in member:
        if field not in _MEMBERS:
            raise BadInput(
                f"accounts file {path}: {name}: {field!r} is unknown: one of {', '.join(_MEMBERS)}"
            )
    where = f"accounts file {path}: {name}"
    fees = {fee: _decimal(where, fee, member[fee]) for fee in _FEES if fee in member}
    try:
        spec = AccountSpec(name, _balances(where, member.get("balances", {})), **fees)
        return spec, Credentials.of(name, _key(where, member.get("api_secret")))
    except (ValueError, TypeError) as error:
        raise BadInput(f"{where}: {error}") from error


def _balances(where: str, balances: Mapping[str, Any]) -> tuple[tuple[str, Decimal], ...]:
    if not isinstance(balances, dict):
        raise BadInput(f"{where}: balances must be an object of asset: decimal")
    return tuple((asset, _decimal(where, asset, amount)) for asset, amount in balances.items())


def _decimal(where: str, field: str, value: Any) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, str) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise BadInput(f"{where}: {field} {value!r} must be a decimal in a string")
    return number


def _key(where: str, secret: Any) -> SigningKey:
    if secret is None:
        return SigningKey.generate()
    try:
        seed = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError, TypeError):
        seed = b""
    if len(seed) != 32:
        raise BadInput(f"{where}: api_secret must be base64 of 32 bytes")
    return SigningKey(seed)
