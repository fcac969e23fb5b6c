"""The tree of exceptions.

MakerdError
├── Refused            a request is refused for a typed reason; nothing has changed
├── Unknown            the outcome is not known: ask the venue, send nothing again
│   ├── RateLimited    the venue asked for silence until a time
│   ├── KeyRefused     the venue does not know the key, or that signature of it
│   └── Withheld       we did not send it, for our own reasons: it says nothing of the venue
└── Fatal              an invariant or an input is broken: cancel, exit, be restarted
    ├── BadInput       configuration, key file, recording: exit code 78, never restarted
    ├── AlreadyRunning another process holds this name's lock
    └── SchemaMismatch a peer speaks another version of `shared/messages.py`
"""

from __future__ import annotations

EXIT_FAILURE = 1
EXIT_BAD_INPUT = 78  # EX_CONFIG of sysexits.h; supervisord is told not to restart on it


class MakerdError(Exception):
    """Base of everything this project raises on purpose."""


#: longest text of somebody else's in a message or a log line
MAX_REASON = 200


def one_line(text: str) -> str:
    """Return somebody else's text (a gateway answers with a whole page) as one short line."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_REASON else f"{line[:MAX_REASON]}..."


class Refused(MakerdError):
    """A request is refused. `reason` is a stable word, the text names the value and the rule."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Unknown(MakerdError):
    """The outcome of a request is not known: a timeout, a dead connection, an unreadable reply."""


class RateLimited(Unknown):
    """The venue answered 429 or 418; nothing may be sent for `retry_after_s` seconds."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class KeyRefused(Unknown):
    """The venue refuses to answer whoever signs with this key."""


class Withheld(Unknown):
    """Nothing was sent: the venue has asked for silence, the budget is used up, no worker was free."""


class Fatal(MakerdError):
    """The process cannot go on; its exit code is `exit_code`."""

    exit_code = EXIT_FAILURE


class BadInput(Fatal):
    """Something a person wrote is wrong; the text names the value and the rule."""

    exit_code = EXIT_BAD_INPUT


class AlreadyRunning(BadInput):
    """Another process holds the lock of this name."""


class SchemaMismatch(Fatal):
    """A frame was written by another version of the messages."""
