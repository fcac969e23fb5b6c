"""Which venues there are, where they are and who we are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.config import Account, Venue
from shared.errors import BadInput, Unknown
from shared.venues.access import Endpoints, endpoints_of, keys_of
from shared.venues.registry import ADAPTERS, adapter_of

READY = {
    "venue": "backpack", "rest": "http://127.0.0.1:1/", "ws": "ws://127.0.0.1:2", "control": "http://x",
    "accounts": [{"name": "maker", "api_key": "key", "api_secret": "s3cret"}, {"name": "other"}],
}  # fmt: skip


def write(path: Path, content: object, mode: int = 0o600) -> Path:
    path.write_text(json.dumps(content))
    path.chmod(mode)
    return path


def test_X15_an_unknown_protocol_is_answered_with_the_choices() -> None:
    with pytest.raises(BadInput, match=r"'kraken' is not supported; choose one of: .*backpack"):
        adapter_of("kraken")
    assert adapter_of("backpack") is ADAPTERS["backpack"]


def test_a_venue_has_both_addresses_or_a_ready_file(tmp_path: Path) -> None:
    given = Venue("backpack", rest_url="https://api.example/", ws_url="wss://ws.example")
    assert endpoints_of(given, tmp_path) == Endpoints("https://api.example", "wss://ws.example")
    with pytest.raises(BadInput, match="set rest_url and ws_url, or ready_file"):
        endpoints_of(Venue("backpack", rest_url="https://api.example"), tmp_path)
    write(tmp_path / "venue.json", READY)
    local = Venue("backpack", ready_file="venue.json")
    assert endpoints_of(local, tmp_path) == Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:2")
    absolute = Venue("backpack", ready_file=str(tmp_path / "venue.json"))
    assert endpoints_of(absolute, Path("/elsewhere")) == endpoints_of(local, tmp_path)


@pytest.mark.parametrize(
    "url", ["api.example", "ftp://api.example", "https://", "https://x:port", "https://x:99999"]
)
def test_X06_an_address_that_is_none_is_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInput, match=r"rest_url .* must be an address such as https://host"):
        endpoints_of(Venue("backpack", rest_url=url, ws_url="wss://ws.example"), tmp_path)


def test_a_ready_file_that_does_not_appear_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match=r"venue\.json did not appear within 0\.1 s"):
        endpoints_of(Venue("backpack", ready_file="venue.json"), tmp_path, wait_s=0.1)


def test_X05_keys_come_from_a_private_file_and_are_never_told(tmp_path: Path) -> None:
    path = write(tmp_path / "keys.json", {"api_key": "key", "api_secret": "s3cret"})
    keys = keys_of(Account("backpack", key_file=str(path)), Venue("backpack"), tmp_path)
    assert (keys.api_key, keys.api_secret.reveal()) == ("key", "s3cret")
    assert "s3cret" not in repr(keys)


def test_the_first_account_of_the_ready_file_is_the_makers(tmp_path: Path) -> None:
    write(tmp_path / "venue.json", READY)
    keys = keys_of(Account("backpack"), Venue("backpack", ready_file="venue.json"), tmp_path)
    assert keys.api_key == "key"


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_X05_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "keys.json", {"api_key": "key", "api_secret": "s3cret"}, mode)
    with pytest.raises(BadInput, match="chmod 600"):
        keys_of(Account("backpack", key_file=str(path)), Venue("backpack"), tmp_path)


@pytest.mark.parametrize("content", [{}, {"api_key": "key"}, {"api_key": 5, "api_secret": "s"}, []])
def test_X06_a_key_file_without_keys_is_refused_by_name(tmp_path: Path, content: object) -> None:
    path = write(tmp_path / "keys.json", content)
    with pytest.raises(BadInput, match=r"keys\.json"):
        keys_of(Account("backpack", key_file=str(path)), Venue("backpack"), tmp_path)


def test_X06_no_keys_at_all_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="set key_file"):
        keys_of(Account("backpack"), Venue("backpack", rest_url="http://x", ws_url="ws://y"), tmp_path)
    write(tmp_path / "venue.json", {**READY, "accounts": []})
    with pytest.raises(BadInput, match="accounts is empty"):
        keys_of(Account("backpack"), Venue("backpack", ready_file="venue.json"), tmp_path)
