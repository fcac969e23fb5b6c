"""A new run begins its ledger anew, once; how the last process ended is never taken for how this one did."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.execution.account.ledger import Ledger
from services.execution.account.tieout import differences, expected_cash
from services.execution.live.run_start import begin, run_id_of
from shared.instrument import Instrument
from shared.state.store import StateStore
from tests.console.board_scene import INFO, SYMBOL

D = Decimal
SUMS = {"cash_flow": D(-300), f"cash_flow:{SYMBOL}": D(-300), "fee:USDC": D("0.06"), "fills": D(1)}
STARTED = {"start_equity": D(1000), "start_cash:USDC": D(1000), "started_ms": D(5)}
CLOSED = {"open_orders_at_end": D(0), "matches_venue": D(1)}


@pytest.fixture
def stored(store: StateStore) -> StateStore:
    store.put_ledger("main", SUMS | STARTED | CLOSED | {"run": D(1)})
    return store


@pytest.mark.parametrize("run_id", [1, None])
def test_a_restart_within_a_run_forgets_only_how_the_last_process_ended(
    stored: StateStore, run_id: int | None
) -> None:
    begin(stored, "main", run_id)
    assert stored.ledger("main") == SUMS | STARTED | {"run": D(1)}


def test_a_new_run_forgets_what_the_last_one_began_with(stored: StateStore) -> None:
    begin(stored, "main", 2)
    assert stored.ledger("main") == SUMS | {"run": D(2)}


def test_the_ledger_of_a_new_run_ties_out_although_the_venue_is_another_one(stored: StateStore) -> None:
    begin(stored, "main", 2)
    ledger, instruments = Ledger(), {SYMBOL: Instrument.from_info(INFO)}
    ledger.load(stored.ledger("main"), ())
    shown = {"USDC": D(10_000)}  # a fresh local venue, or a deposit in between
    counted = expected_cash(ledger.snapshot(), instruments)
    ledger.start(D(10_000), {asset: cash - counted[asset] for asset, cash in shown.items()}, 9)
    assert differences(ledger.snapshot(), shown, instruments) == {}


def test_a_first_start_on_an_empty_redis_has_nothing_to_forget(store: StateStore) -> None:
    begin(store, "main", 3)
    assert store.ledger("main") == {"run": D(3)}


def test_who_starts_it_by_hand_names_no_run() -> None:
    assert run_id_of({}) is None
    assert run_id_of({"MAKERD_RUN_ID": "17"}) == 17
    assert run_id_of({"MAKERD_RUN_ID": "x"}) is None
