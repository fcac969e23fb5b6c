"""A4: a halt is confirmed by every account and symbol, heard after the flag was set, and by nothing else."""

from __future__ import annotations

import pytest

from services.console.bus.board import Board
from services.console.commands.halting import unconfirmed
from shared.config import Config
from shared.messages import Equity, Message
from tests.console.board_scene import ACCOUNT, CONFIG, NOW_NS, ORDER, SYMBOL, board_of, with_accounts, working

SINCE_NS = NOW_NS - 1
HALTED = working("halted", ())


def waiting(*messages: Message, config: Config = CONFIG, symbol: str | None = None) -> list[str]:
    board = board_of(*messages, config=config)
    return unconfirmed(config, board, symbol, SINCE_NS, NOW_NS)


def test_a_halted_symbol_without_orders_is_confirmed() -> None:
    assert waiting(HALTED) == []


@pytest.mark.parametrize(
    "heard",
    [
        [],
        [working("ready", ())],
        [working("recovering", ())],
        [working("cancelling", (ORDER,))],
        [working("halted", (ORDER,))],
        [Equity(ACCOUNT, 1.0, 1.0, NOW_NS)],
    ],
)
def test_anything_else_is_not(heard: list[Message]) -> None:
    assert waiting(*heard) != []


def test_what_was_heard_before_the_flag_was_set_does_not_count() -> None:
    board = board_of(HALTED, at_ns=SINCE_NS - 1)
    assert unconfirmed(CONFIG, board, None, SINCE_NS, NOW_NS) != []


def test_two_accounts_in_one_symbol_confirm_each_for_itself() -> None:
    config = with_accounts(ACCOUNT, "second")
    assert waiting(HALTED, config=config) == ["account second (nothing is heard of its execution)"]
    other = working("ready", (ORDER,), account="second")
    assert waiting(HALTED, other, config=config) == [f"{SYMBOL} of second"]
    assert waiting(HALTED, working("halted", (), account="second"), config=config) == []


def test_an_account_without_any_symbol_is_confirmed_by_being_heard() -> None:
    config = with_accounts(ACCOUNT, "second")
    assert waiting(HALTED, Equity("second", 1.0, 1.0, NOW_NS), config=config) == []


def test_a_halt_of_one_symbol_waits_for_that_symbol_alone() -> None:
    other = working("ready", (ORDER,), symbol="ETH_USDC_PERP")
    assert waiting(HALTED, other, symbol=SYMBOL) == []
    assert waiting(HALTED, other) == [f"ETH_USDC_PERP of {ACCOUNT}"]


def test_where_nothing_is_configured_nothing_is_confirmed() -> None:
    assert unconfirmed(Config(), Board(Config()), None, SINCE_NS, NOW_NS) != []
