"""Sticky halt: a flag file that only a person removes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.halt import ALL, HaltFlags, check_scope, halted_because


def test_a_flag_stays_over_restarts_until_it_is_cleared(tmp_path: Path) -> None:
    HaltFlags(tmp_path).set("SOL_USDC_PERP", "drill")
    assert HaltFlags(tmp_path).read() == {"SOL_USDC_PERP": "drill"}
    assert HaltFlags(tmp_path).clear("SOL_USDC_PERP")
    assert HaltFlags(tmp_path).read() == {}
    assert not HaltFlags(tmp_path).clear("SOL_USDC_PERP")


def test_all_halts_every_symbol_and_a_symbol_only_itself() -> None:
    assert halted_because({ALL: "stop"}, "SOL_USDC") == "stop"
    assert halted_because({"SOL_USDC": "stop"}, "SOL_USDC") == "stop"
    assert halted_because({"SOL_USDC": "stop"}, "SOL_USDC_PERP") is None


def test_a_flag_whose_reason_is_empty_halts_too() -> None:
    assert halted_because({ALL: ""}, "SOL_USDC") == "halted"
    assert halted_because({"SOL_USDC": ""}, "SOL_USDC") == "halted"


def test_a_flag_without_a_readable_reason_halts_too(tmp_path: Path) -> None:
    (tmp_path / "halt").mkdir()
    (tmp_path / "halt" / "ALL").touch()
    (tmp_path / "halt" / "BTC_USDC").mkdir()  # cannot be read as a file
    (tmp_path / "halt" / ".ALL.123").write_text("a write that never finished")
    flags = HaltFlags(tmp_path).read()
    assert set(flags) == {"ALL", "BTC_USDC"}
    assert all(flags.values())


def test_a_halt_directory_that_cannot_be_listed_halts_everything(tmp_path: Path) -> None:
    (tmp_path / "halt").write_text("not a directory")
    assert halted_because(HaltFlags(tmp_path).read(), "SOL_USDC") is not None


@pytest.mark.parametrize("scope", ["", "../ALL", "a/b", "a.b", ".hidden", "-rf", "a b", "A" * 65, "a\n"])
def test_a_name_that_is_no_symbol_is_refused(scope: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not valid"):
        HaltFlags(tmp_path).set(scope, "drill")
    assert list(tmp_path.iterdir()) == []


@given(scope=st.from_regex(r"[A-Za-z0-9@_][A-Za-z0-9@_:-]{0,63}", fullmatch=True))
def test_every_valid_name_is_one_file_name_and_one_topic_part(scope: str) -> None:
    assert check_scope(scope) == scope
    assert "/" not in scope and "." not in scope and "\0" not in scope
