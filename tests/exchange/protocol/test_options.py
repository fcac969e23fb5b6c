"""The command line and the accounts file: bad input is named, with its rule."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from services.exchange.assembly import build_server
from services.exchange.options import parse_options
from services.exchange.wire.credentials import default_accounts, read_accounts
from shared.clock import SystemClock
from shared.errors import BadInput

BASE = ["--venue", "backpack", "--ready-file", "venue.json"]


def test_the_defaults_list_sol_spot_and_three_perpetuals() -> None:
    options = parse_options(BASE)
    symbols = [market.symbol for market in options.markets]
    assert symbols == ["SOL_USDC_PERP", "SOL_USDC", "BTC_USDC_PERP", "ETH_USDC_PERP"]
    assert (options.rate_limit, options.taker_delay_s, options.parent_grace_s) == (2000, 0.1, None)


def test_a_replay_lists_only_what_it_serves_unless_told_otherwise() -> None:
    options = parse_options([*BASE, "--market", "replay:a.gz,b.gz", "--serve-as", "X=SOL_USDC"])
    assert options.recordings == (Path("a.gz"), Path("b.gz"))
    assert (options.markets, options.serve_as) == ((), {"X": "SOL_USDC"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--market", "tape"], "--market 'tape': must be synthetic or replay:PATH"),
        (["--symbols", "FOO"], "--symbols 'FOO': not a market of this venue"),
        (["--symbols", ","], "--symbols: must name at least one market"),
        (["--serve-as", "ETHUSDT"], "--serve-as 'ETHUSDT': must be RECORDED=SERVED"),
        (["--rate-limit", "0"], "--rate-limit '0': must be a whole number above 0, or off"),
        (["--port", "70000"], "'70000' must be a whole number from 0 to 65535"),
        (["--latency-ms", "-1"], "'-1' must be a number from 0 to 60000"),
        (["--updates-per-s", "nan"], "'nan' must be a number from 0.1 to 5000"),
        (["--venue", "mtgox"], "argument --venue: invalid choice: 'mtgox' (choose from"),
        (["--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments: list[str], words: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_options([*BASE, *arguments])
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--serve-as", "ETHUSDT=ETH_USDC_PERP"], "--serve-as ETHUSDT: recorded here are only: none"),
        (["--market", "replay:/no/such/file"], "/no/such/file: cannot be read"),
    ],
)
def test_options_that_do_not_fit_the_recordings_are_refused(arguments: list[str], words: str) -> None:
    with pytest.raises(BadInput) as error:
        build_server(parse_options([*BASE, *arguments]), SystemClock())
    assert words in str(error.value)


def test_default_accounts_have_fresh_keys_and_ten_thousand_each() -> None:
    first, second = default_accounts(), default_accounts()
    assert [spec.name for spec, _ in first] == ["maker", "other"]
    assert all(dict(spec.balances)["USDC"] == Decimal(10_000) for spec, _ in first)
    assert first[0][1].api_secret != second[0][1].api_secret
    assert first[0][1].api_secret not in repr(first)


def _file(tmp_path: Path, content: object, mode: int = 0o600) -> Path:
    path = tmp_path / "accounts.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def test_an_accounts_file_may_fix_keys_balances_and_fees(tmp_path: Path) -> None:
    seed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    member = {"name": "a", "api_secret": seed, "balances": {"USDC": "5"}, "maker_fee_perp": "-0.0001"}
    ((spec, owner),) = read_accounts(_file(tmp_path, [member]))
    assert owner.api_key == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    assert (spec.balances, spec.maker_fee_perp) == ((("USDC", Decimal(5)),), Decimal("-0.0001"))


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ([{"name": "a"}], 0o644, "mode 644 lets others read it; must be 600"),
        ("[", 0o600, "is not JSON"),
        ([], 0o600, "must be a list of at least one account"),
        ([{}], 0o600, "every account needs a name"),
        ([{"name": "a", "api_key": "k"}], 0o600, "'api_key' is unknown"),
        ([{"name": "a"}, {"name": "a"}], 0o600, "a name occurs twice"),
        (
            [{"name": name, "api_secret": "c2VjcmV0" * 5 + "c2U="} for name in ("a", "b")],
            0o600,
            "a and b have one api_secret",
        ),
        ([{"name": "a", "balances": {"USDC": 5}}], 0o600, "USDC 5 must be a decimal in a string"),
        ([{"name": "a", "api_secret": "c2VjcmV0"}], 0o600, "api_secret must be base64 of 32 bytes"),
    ],
)
def test_a_bad_accounts_file_is_refused_without_telling_a_secret(
    tmp_path: Path, content: object, mode: int, words: str
) -> None:
    with pytest.raises(BadInput) as error:
        read_accounts(_file(tmp_path, content, mode))
    assert words in str(error.value)
    assert "c2VjcmV0" not in str(error.value)
