"""One stage for the whole directory; each test begins without faults, quoting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.stage import Stage, running_stage


@pytest.fixture(scope="package")
def shared_stage() -> Iterator[Stage]:
    with running_stage() as running:
        yield running


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    """The stage, quoting; whatever a test ordered at the venue is over after it."""
    shared_stage.calm()
    yield shared_stage
    shared_stage.venue.clear_faults()
