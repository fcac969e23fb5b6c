"""What of execution is recorded. Keys are not among it: the core has none."""

from __future__ import annotations

from services.execution import requests
from services.execution.account.restore import Stored, StoredPosition
from services.execution.account.statements import Statement
from services.execution.config import ExecutionConfig
from services.execution.core import Execution
from services.execution.sending.admission import Approved
from shared.recording.core import CoreKind
from shared.venues.base import Capabilities


def build(
    account: str, config: ExecutionConfig, capabilities: Capabilities, tag: int, now_ns: int, venue_ms: int
) -> Execution:
    return Execution(account, config, capabilities, tag=tag, now_ns=now_ns, venue_ms=venue_ms)


EXECUTION = CoreKind(
    "execution", Execution, build,
    (
        ExecutionConfig, Stored, StoredPosition, Statement, Approved, requests.SendPlace, requests.SendCancel,
        requests.StartRead, requests.ReserveIds, requests.HeldPosition, requests.JournalFill,
        requests.JournalFunding, requests.StorePosition, requests.StoreLedger, requests.ReconnectStream,
        requests.CheckClock, requests.Alert,
    ),
)  # fmt: skip
