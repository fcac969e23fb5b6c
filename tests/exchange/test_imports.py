"""Who may import whom: read from the source, so that no import hides in a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "__init__.py").exists())
#: the only ones that may use the cores of other services
USERS_OF_CORES = ("replay", "console")


def imports(package: Path) -> Iterator[tuple[Path, str]]:
    """Yield every module that any file of a package imports, with `from a import b` also as `a.b`."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                yield path, node.module or ""
                yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_the_local_venue_never_imports_the_adapters_that_it_proves() -> None:
    venue = ROOT / "services" / "exchange"
    assert [found for found in imports(venue) if is_within(found[1], "shared.venues")] == []


@pytest.mark.parametrize("service", [name for name in SERVICES if name not in USERS_OF_CORES])
def test_a_service_imports_no_other_service(service: str) -> None:
    others = [f"services.{name}" for name in SERVICES if name != service]
    found = [
        (path, name)
        for path, name in imports(ROOT / "services" / service)
        if any(is_within(name, other) for other in others)
    ]
    assert found == []


def test_what_is_shared_imports_no_service() -> None:
    assert [found for found in imports(ROOT / "shared") if is_within(found[1], "services")] == []


def test_all_services_are_looked_at() -> None:
    assert {"exchange", "execution", "marketdata", "quoter", "risk", "signals"} <= set(SERVICES)
