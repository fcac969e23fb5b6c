"""Secrets: text is `***`; files are private or refused."""

from __future__ import annotations

import pickle
import stat
from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.secret import Secret, read_json_secret, write_private_file

PLANTED = "planted-secret-value"


def test_X05_a_secret_has_no_text() -> None:
    secret = Secret(PLANTED)
    assert PLANTED not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == PLANTED


def test_X05_a_key_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "backpack.json"
    write_private_file(path, b'{"api_key": "k"}')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_json_secret(path) == {"api_key": "k"}


def test_X06_a_missing_or_readable_key_file_is_refused_and_named(tmp_path: Path) -> None:
    path = tmp_path / "backpack.json"
    with pytest.raises(BadInput, match=str(path)):
        read_json_secret(path)
    path.write_text(f'{{"api_secret": "{PLANTED}"')
    path.chmod(0o644)
    with pytest.raises(BadInput, match="mode 644"):
        read_json_secret(path)
    path.chmod(0o600)
    with pytest.raises(BadInput, match="not JSON") as caught:
        read_json_secret(path)
    assert PLANTED not in str(caught.value)
