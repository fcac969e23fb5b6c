"""What is checked before a quoter starts, and which quoters there are while a deployment runs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from services.console.commands.preflight import check_quotable
from shared.config import Config, Quoter, apply_changes, load, save_effective
from shared.errors import BadInput
from tests.console.board_scene import ACCOUNT, CONFIG, INFO, SYMBOL, VENUE

OTHER = "ETH_USDC_PERP"
TOML = f"""
[deployment]
run_dir = "DIR"
[venues.{VENUE}]
protocol = "backpack"
ready_file = "venue.json"
[accounts.{ACCOUNT}]
venue = "{VENUE}"
[quoters.{SYMBOL}]
account = "{ACCOUNT}"
strategy = "two_sided"
"""


def quoting(**params: object) -> Config:
    quoters = {SYMBOL: Quoter(ACCOUNT, "two_sided", params)}
    return msgspec.structs.replace(CONFIG, quoters=quoters)


def test_B2_params_that_do_not_go_with_the_rules_of_the_venue_are_refused_before_the_start() -> None:
    listed = {SYMBOL: INFO}
    check_quotable(quoting(quantity=1.0), SYMBOL, VENUE, listed)
    with pytest.raises(BadInput, match="below the venue's minimum"):
        check_quotable(quoting(quantity=0.001, min_size="refuse"), SYMBOL, VENUE, listed)
    with pytest.raises(BadInput, match=f"'{SYMBOL}' is not listed at {VENUE}; listed: {OTHER}"):
        check_quotable(quoting(quantity=1.0), SYMBOL, VENUE, {OTHER: INFO})


def test_X02_two_spot_quoters_of_an_account_each_need_their_own_capital() -> None:
    """The money of bins is the equity less the inventory of their own symbol: two would spend it twice."""
    listed = {
        name: msgspec.structs.replace(INFO, symbol=name, is_perp=False) for name in ("A_USDC", "B_USDC")
    }
    listed[SYMBOL] = INFO

    def check(**quoters: Quoter) -> None:
        config = msgspec.structs.replace(CONFIG, quoters=quoters)
        for symbol in quoters:
            check_quotable(config, symbol, VENUE, listed)

    whole, part = Quoter(ACCOUNT, "spot"), Quoter(ACCOUNT, "curve", {"capital_usd": 500})
    check(A_USDC=whole)
    check(**{"A_USDC": whole, SYMBOL: Quoter(ACCOUNT, "spot")})
    check(A_USDC=part, B_USDC=part)
    check(A_USDC=part, B_USDC=Quoter(ACCOUNT, "two_sided", {"size_usd": 50}))
    for quoters in ({"A_USDC": part, "B_USDC": whole}, {"B_USDC": whole, "A_USDC": part}):
        with pytest.raises(BadInput) as refused:
            check(**quoters)
        assert str(refused.value) == (
            f"quoters.B_USDC.params: capital_usd must be given: account {ACCOUNT} quotes A_USDC on spot too, "
            "and no money can be spent twice"
        )


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MAKERD_RUN_DIR", raising=False)
    path = tmp_path / "config.toml"
    path.write_text(TOML.replace("DIR", str(tmp_path)))
    (tmp_path / "quoters").mkdir()
    return path


def test_X17_every_reader_sees_the_quoters_that_were_added_and_removed(written: Path) -> None:
    changes = written.parent / "quoters"
    config = load(written)
    added = msgspec.json.encode(Quoter(ACCOUNT, "one_sided"))
    (changes / f"{OTHER}.json").write_bytes(added)
    (changes / f"{SYMBOL}.removed").touch()
    apply_changes(config)
    assert list(config.quoters) == list(load(written).quoters) == [OTHER]
    assert list(load(written, with_changes=False).quoters) == [SYMBOL]
    (changes / f"{SYMBOL}.removed").unlink()
    (changes / f"{SYMBOL}.json").write_bytes(added)
    apply_changes(config)
    assert {name: quoter.strategy for name, quoter in config.quoters.items()} == {
        OTHER: "one_sided", SYMBOL: "one_sided",
    }  # fmt: skip


def test_the_effective_configuration_names_the_redis_that_is_really_used(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:word@127.0.0.1:7777/3")
    path = save_effective(load(written))
    monkeypatch.delenv("REDIS_URL")
    assert load(path).redis.url == "redis://:word@127.0.0.1:7777/3"
    assert path.stat().st_mode & 0o077 == 0
