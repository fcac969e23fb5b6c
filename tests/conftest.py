"""Fixtures of the whole suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.fixtures.redis_server import redis_server, store

__all__ = ["redis_server", "shared_data", "store"]

# the same examples every time: a suite that fails by chance tells nothing
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of recorded market data beside the checkout; tests that need it are skipped without."""
    data = _SHARED / "data"
    if not data.is_dir():
        pytest.skip(f"{data} is not there")
    return data
