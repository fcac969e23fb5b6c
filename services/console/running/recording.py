"""Whether the recording that the local venue of a deployment serves has ended."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import orjson

TIMEOUT_S = 0.5


def has_ended(ready_file: Path) -> bool:
    """Ask the venue's control port; False also where nobody tells."""
    try:
        url = urlsplit(orjson.loads(ready_file.read_bytes())["control"])
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", "/_control/state")
            return bool(orjson.loads(connection.getresponse().read())["finished"])
        finally:
            connection.close()
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):  # it restarts, or is gone
        return False
