"""What a process takes over from the one before it, and what a new run of the deployment begins anew.

A run is one `makerd run`, over all restarts of its services. Its ledger starts from what the
venue shows then: between two runs money comes and goes, and a local venue starts flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from shared.state.store import StateStore

#: set by `makerd run`: a whole number, another one for every run
RUN_ID = "MAKERD_RUN_ID"
#: how the last process ended; nothing is known of this one before it has ended itself
CLOSING = ("open_orders_at_end", "matches_venue")
_STARTING = ("start_equity", "started_ms", "start_cash")


def run_id_of(environment: Mapping[str, str]) -> int | None:
    """Return which run this is; None = started by hand: the last one goes on."""
    text = environment.get(RUN_ID, "")
    return int(text) if text.isdigit() else None


def begin(store: StateStore, account: str, run_id: int | None) -> None:
    """Forget how the last process ended and, in a new run, what the last one began with.

    The run is written last: a death in between leaves it to the next start. Raises: Unknown.
    """
    ledger = store.ledger(account)
    is_new = run_id is not None and ledger.get("run") != run_id
    forgotten = (*CLOSING, *_STARTING) if is_new else CLOSING
    store.drop_ledger(account, [field for field in ledger if field.partition(":")[0] in forgotten])
    if is_new and run_id is not None:
        store.put_ledger(account, {"run": Decimal(run_id)})
