"""Fixtures of the network tests."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.loop import Loop
from tests.shared.net.servers import make_certificate, running_loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    with running_loop() as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    return make_certificate(tmp_path_factory.mktemp("tls"))
