"""Nothing reaches a core past its recording: what shells do with cores, and what cores take and return."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import services
from services.execution.account.statements import Statement
from services.execution.requests import ReadKind
from services.replay.verify import CORES
from shared.messages import KINDS, Gap, Message
from shared.recording.codec import COMMON_TYPES
from shared.recording.core import TIME_NAMES, CoreKind
from shared.service import handlers_of
from shared.venues.base import AccountClient, PublicClient

SERVICES = Path(services.__path__[0])
SHELLS = {
    "marketdata": ["marketdata/process.py"],
    "signals": ["signals/process.py"],
    "risk": ["risk/process.py"],
    "quoter": ["quoter/process.py"],
    "execution": [
        f"execution/live/{path.name}" for path in sorted((SERVICES / "execution/live").glob("*.py"))
    ],
}
#: what shells read of a core beside its methods; nothing of it may change the core
READS = {
    "marketdata": {"ping", "timer_ns", "unreadable"},
    "signals": set(),
    "risk": {"markets", "memory"},
    "quoter": set(),
    "execution": {
        "desk.config.stop_timeout_s", "desk.ledger", "desk.instruments", "desk.symbols", "desk.orders.find",
        "desk.budget.may_request", "desk.ids.is_ours",
    },
}  # fmt: skip
_PLAIN = {None, type(None), bool, int, float, str, bytes, dict, range}


class _Uses(ast.NodeVisitor):
    """Collects what is done with `core` and `self._core`: dotted names, and those that are set."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.changed: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        steps: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute) and not _is_core(root):
            steps.insert(0, root.attr)
            root = root.value
        if steps and _is_core(root):
            (self.read if isinstance(node.ctx, ast.Load) else self.changed).add(".".join(steps))
        else:
            self.generic_visit(node)


def _is_core(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "_core" and isinstance(node.value, ast.Name) and node.value.id == "self"
    return isinstance(node, ast.Name) and node.id == "core"


def uses_of(service: str) -> _Uses:
    uses = _Uses()
    for name in SHELLS[service]:
        uses.visit(ast.parse((SERVICES / name).read_text()))
    return uses


@pytest.mark.parametrize("service", SHELLS)
def test_a_shell_changes_its_core_by_recorded_methods_alone(service: str) -> None:
    uses, recorded = uses_of(service), set(CORES[service].methods())
    assert not uses.changed
    beside = {name for name in uses.read if name.partition(".")[0] not in recorded}
    assert beside == READS[service], "a core is used past its recording, or READS names what is gone"


@pytest.mark.parametrize("service", [name for name in SHELLS if name != "quoter"])
def test_the_look_at_the_shells_sees_their_calls(service: str) -> None:
    called = {name for name in uses_of(service).read if name.startswith(("on_", "watch", "set_quoted"))}
    assert called, "the shell calls nothing: this test looks at the wrong names"


@pytest.mark.parametrize("kind", CORES.values(), ids=CORES)
def test_every_message_handler_is_recorded(kind: CoreKind[Any]) -> None:
    names = {handler.__name__ for handler in handlers_of(kind.core).values()}
    assert names <= set(kind.methods())
    assert {"on_timer", "on_stop"} <= set(kind.methods())


def _leaves(hint: Any) -> Iterator[Any]:
    arguments = [one for one in get_args(hint) if one is not Ellipsis]
    if not arguments:
        yield hint
    elif get_origin(hint) is not None:
        for one in arguments:
            yield from _leaves(one)


def unregistered(kind: CoreKind[Any], hint: Any) -> list[Any]:
    known = {*COMMON_TYPES, *kind.types, *_PLAIN}
    messages = {*KINDS.values(), Gap} <= known
    return [leaf for leaf in _leaves(hint) if leaf not in known and not (leaf is Message and messages)]


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        pytest.param(kind, method, id=f"{kind.name}.{method.__name__}")
        for kind in CORES.values()
        for method in kind.methods().values()
    ],
)
def test_all_that_a_call_takes_and_returns_is_registered(kind: CoreKind[Any], method: Any) -> None:
    hints = get_type_hints(method)
    names = list(inspect.signature(method).parameters)[1:]
    assert {*names, "return"} <= set(hints), "a call must say what it takes and returns"
    if (kind.name, method.__name__) == ("execution", "on_read"):
        assert hints.pop("answer") is Any  # below
    for name, hint in hints.items():
        assert not unregistered(kind, hint), name


def test_all_that_reads_of_the_venue_answer_is_registered() -> None:
    execution = CORES["execution"]
    answers = [get_type_hints(PublicClient.instruments)["return"], Statement | None]
    for name in (
        "open_orders",
        "find_order",
        "recent_orders",
        "fills",
        "funding",
        "positions",
        "balances",
        "equity",
    ):
        answers.append(get_type_hints(getattr(AccountClient, name))["return"])
    assert len(answers) == len(ReadKind), "a read whose answer nobody has registered"
    for hint in answers:
        assert not unregistered(execution, hint)


@pytest.mark.parametrize("kind", CORES.values(), ids=CORES)
def test_what_a_core_is_built_of_is_registered(kind: CoreKind[Any]) -> None:
    build = kind.build.__init__ if inspect.isclass(kind.build) else kind.build  # type: ignore[misc]
    for name, hint in get_type_hints(build).items():
        if name != "return":
            assert not unregistered(kind, hint), name


@pytest.mark.parametrize("kind", CORES.values(), ids=CORES)
def test_a_call_knows_its_time(kind: CoreKind[Any]) -> None:
    for name, method in kind.methods().items():
        if name.startswith("on_") and name not in ("on_clock", "on_requests"):
            assert set(TIME_NAMES) & set(inspect.signature(method).parameters), name
