"""One connection pool to Redis: every failure is `Unknown`, nothing is sent twice, no wait is long.

Works with any Redis 6.2+ or Valkey. All calls block (at most `SOCKET_TIMEOUT_S` a step), so
they belong in worker threads, never in a service's loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.config import Config
from shared.errors import BadInput, Unknown
from shared.private_dir import private_directory

SOCKET_TIMEOUT_S = 0.5
SOCKET_NAME = "redis.sock"


class WrongType(Unknown):
    """A key holds another type than ours: somebody else wrote it."""


def socket_path(run_dir: Path) -> Path:
    """Return where the embedded server of a run directory listens."""
    return private_directory(run_dir, "redis") / SOCKET_NAME


class RedisLink:
    """A pool of connections; thread-safe."""

    def __init__(self, client: redis.Redis) -> None:
        client.response_callbacks.clear()  # plain RESP2 answers, whatever the client's version makes of them
        self._client = client
        self._execute: Callable[..., Any] = client.execute_command

    @classmethod
    def of(cls, config: Config) -> RedisLink:
        """Return the link a deployment uses: REDIS_URL, else `redis.url`, else the embedded server."""
        url = os.environ.get("REDIS_URL") or config.redis.url
        return cls.to_url(url) if url else cls.to_socket(socket_path(config.run_dir))

    @classmethod
    def to_socket(cls, path: Path) -> RedisLink:
        return cls(redis.Redis(unix_socket_path=str(path), **_options()))

    @classmethod
    def to_url(cls, url: str) -> RedisLink:
        """Raises: BadInput; the text leaves the address out, for it may hold a password."""
        try:
            return cls(redis.Redis.from_url(url, **_options()))
        except ValueError:
            rule = "must start with redis://, rediss:// or unix://"
            raise BadInput(f"redis.url (or REDIS_URL): the address {rule}") from None

    def call(self, *command: str | int) -> Any:
        """Send one command; return its RESP2 answer (str, int, list, None). Raises: Unknown, WrongType."""
        with _failures_are_unknown():
            return self._execute(*command)

    def script(self, text: str) -> Script:
        """Return a Lua script of this server: atomic, loaded at its first call."""
        return Script(self._client.register_script(text))

    def close(self) -> None:
        self._client.close()


def to_dict(flat: Sequence[str]) -> dict[str, str]:
    """Return field, value, field, value as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


class Script:
    """A Lua script bound to its server."""

    def __init__(self, script: Any) -> None:
        self._script = script

    def __call__(self, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run it. Raises: Unknown, WrongType."""
        with _failures_are_unknown():
            return self._script(keys=list(keys), args=list(arguments))


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "encoding_errors": "replace",  # a corrupt value is judged by its reader, not by the codec
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": SOCKET_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }


@contextmanager
def _failures_are_unknown() -> Iterator[None]:
    try:
        yield
    except redis.ResponseError as error:
        kind = WrongType if "WRONGTYPE" in str(error) else Unknown
        raise kind(f"redis refused: {error}") from None
    except (redis.RedisError, OSError) as error:
        raise Unknown(f"redis does not answer: {type(error).__name__}: {error}") from None
