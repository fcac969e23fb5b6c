"""The process shell: a core on the bus, its stop, and the exit codes of a process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from shared import service as service_module
from shared.bus import Addresses
from shared.clock import NS_PER_MS
from shared.errors import AlreadyRunning, BadInput, SchemaMismatch, Unknown
from shared.messages import FeedState, FeedStatus, Gap, Message, Top
from shared.service import Service, handlers_of, run_service
from tests.shared.net.servers import run_until

TOP = Top("backpack", "SOL", 100, 5, 101, 5, 1, 0, 0, 0, 0)


class Echo:
    """Answers a Top with a FeedState, counts its timer, says a last word."""

    timer_ns = 10 * NS_PER_MS

    def __init__(self) -> None:
        self.seen: list[Message] = []
        self.ticks = 0

    def on_top(self, top: Top, now_ns: int) -> Iterable[Message]:
        self.seen.append(top)
        yield FeedState(top.scope, top.symbol, FeedStatus.LIVE, "echo", now_ns, 0)

    def on_feed_state(self, state: FeedState, _now_ns: int) -> Iterable[Message]:
        self.seen.append(state)
        return ()

    def on_timer(self, _now_ns: int) -> Iterable[Message]:
        self.ticks += 1
        return ()

    def on_stop(self, now_ns: int) -> Iterable[Message]:
        return [FeedState("backpack", "SOL", FeedStatus.CONNECTING, "over", now_ns, 0)]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    """Two services that hear each other."""
    addresses = Addresses(tmp_path)
    first, second = Service("first", tmp_path, addresses), Service("second", tmp_path, addresses)
    first.listen_to("second", FeedState)
    second.listen_to("first", Top)
    yield first, second
    first.close()
    second.close()


def turn(service: Service) -> None:
    """What `run` watches, by hand."""
    service.publisher.on_readable()
    service._on_inbox()
    service.loop.run_once(0)


def test_a_handler_is_found_by_the_name_of_its_message() -> None:
    class Core:
        def on_feed_state(self) -> None: ...
        def on_gap(self) -> None: ...
        def on_timer(self) -> None: ...

    assert set(handlers_of(Core())) == {FeedState, Gap}


def test_a_core_hears_messages_and_its_answers_are_published(pair: tuple[Service, Service]) -> None:
    first, second = pair
    hearing, answering = Echo(), Echo()
    first.attach(hearing)
    second.attach(answering)
    first.publisher.publish(TOP)

    def is_answered() -> bool:
        turn(first)
        turn(second)
        return bool(hearing.seen)

    run_until(first.loop, is_answered)
    assert answering.seen == [TOP]
    assert isinstance(hearing.seen[0], FeedState)
    run_until(first.loop, lambda: hearing.ticks >= 2)


def test_a_stop_says_the_last_words_once_and_nothing_follows_them(pair: tuple[Service, Service]) -> None:
    first, second = pair
    hearing, stopping = Echo(), Echo()
    first.attach(hearing)
    second.attach(stopping)
    second.request_stop("SIGTERM")
    second.request_stop("SIGTERM")
    first.publisher.publish(TOP)

    def has_heard() -> bool:
        turn(first)
        turn(second)
        return bool(hearing.seen)

    run_until(first.loop, has_heard)
    run_until(first.loop, lambda: hearing.ticks >= 3)
    turn(second)
    turn(first)
    assert [(state.status, state.reason) for state in hearing.seen if isinstance(state, FeedState)] == [
        (FeedStatus.CONNECTING, "over")
    ]
    assert (stopping.seen, stopping.ticks) == ([], 0)


def test_who_must_end_something_first_says_himself_when_the_stop_is_finished(
    pair: tuple[Service, Service],
) -> None:
    first, _ = pair
    reasons: list[str] = []
    first.on_stop = reasons.append
    first.request_stop("SIGTERM")
    first.request_stop("parent is gone")
    assert reasons == ["SIGTERM"]


def test_L09_a_second_service_of_a_name_is_refused(tmp_path: Path) -> None:
    service = Service("risk", tmp_path, Addresses(tmp_path))
    with pytest.raises(AlreadyRunning, match="risk already runs"):
        Service("risk", tmp_path, Addresses(tmp_path))
    service.close()
    Service("risk", tmp_path, Addresses(tmp_path)).close()


@pytest.mark.parametrize(
    ("error", "code", "waits"),
    [
        (BadInput("tick: must be > 0"), 78, False),
        (SchemaMismatch("another version"), 1, True),
        (Unknown("no venue"), 1, True),
        (ZeroDivisionError("a bug"), 1, True),
        (None, 0, False),
    ],
)
def test_X02_what_ends_a_process_decides_its_exit_code_and_whether_it_waits(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception | None,
    code: int,
    waits: bool,
) -> None:
    """It is restarted at once, so what fails at its start must not spin; bad input is not restarted."""
    waited: list[float] = []
    monkeypatch.setattr(service_module, "configure_logs", lambda _name: None)
    monkeypatch.setattr(service_module.time, "sleep", waited.append)

    def serve() -> None:
        if error is not None:
            raise error

    assert run_service("risk", serve) == code
    assert bool(waited) is waits
    if code == 78:
        assert capsys.readouterr().err == "risk: tick: must be > 0\n"
