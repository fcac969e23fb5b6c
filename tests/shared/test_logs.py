"""Logs: one line of JSON an event, whatever it holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import orjson
import pytest

from shared.errors import MAX_REASON, one_line
from shared.logs import JsonFormatter, configure_logs
from shared.secret import Secret


@pytest.fixture
def restored_logs() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def record(text: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.WARNING, __file__, 1, text, (), None)
    vars(made).update(extra)
    return made


def test_a_record_is_one_json_line_with_its_extra_fields() -> None:
    line = JsonFormatter("risk").format(record("two\nlines", symbol="SOL", at_risk=1.5))
    assert "\n" not in line
    event = orjson.loads(line)
    assert event.pop("at").endswith("+00:00")
    assert event == {
        "level": "warning", "service": "risk", "event": "two\nlines", "symbol": "SOL", "at_risk": 1.5
    }  # fmt: skip


def test_what_json_does_not_know_is_written_as_text_and_a_secret_as_stars() -> None:
    event = orjson.loads(JsonFormatter("x").format(record("odd", key=Secret("hunter2"), number=1 + 2j)))
    assert event["key"] == "***"
    assert event["number"] == "(1+2j)"


def test_an_exception_is_a_field_of_its_line() -> None:
    try:
        raise ZeroDivisionError("oh")
    except ZeroDivisionError as error:
        made = record("failed")
        made.exc_info = (type(error), error, error.__traceback__)
    line = JsonFormatter("x").format(made)
    assert "\n" not in line
    assert orjson.loads(line)["trace"].endswith("ZeroDivisionError: oh")


@pytest.mark.usefixtures("restored_logs")
def test_the_lines_of_a_process_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logs("signals")
    logging.getLogger("any").info("started")
    logging.getLogger("any").debug("too much")
    out, err = capfd.readouterr()
    assert out == ""
    assert [orjson.loads(line)["event"] for line in err.splitlines()] == ["started"]


def test_a_text_of_somebody_elses_becomes_one_short_line() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    page = one_line("<html>\n" * 1000)
    assert "\n" not in page
    assert len(page) == MAX_REASON + len("...")
