"""Configuration: whatever is wrong is one line that names the key, the value and the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.config import load
from shared.errors import BadInput

GOOD = """
[deployment]
name = "paper"
[venues.backpack]
protocol = "backpack"
ready_file = "venue.json"
[accounts.main]
venue = "backpack"
[quoters.SOL_USDC_PERP]
account = "main"
strategy = "two_sided"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_read_with_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKERD_RUN_DIR", str(tmp_path / "run"))
    config = load(write(tmp_path, GOOD))
    assert config.deployment.tag == 77
    assert config.run_dir == tmp_path / "run"
    assert config.venues["backpack"].ready_file == str(tmp_path / "run" / "venue.json")
    assert config.quoters["SOL_USDC_PERP"].strategy == "two_sided"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("name =", "nmae ="), ["deployment.nmae", "did you mean 'name'"]),
        (('name = "paper"', 'name = "a b"'), ["deployment.name", "'a b'"]),
        (('name = "paper"', "tag = 256"), ["deployment.tag", "<= 255", "was 256"]),
        (("protocol =", "protocoll ="), ["venues.backpack", "protocoll", "did you mean 'protocol'"]),
        (('venue = "backpack"', 'venue = "kraken"'), ["accounts.main.venue", "'kraken'", "backpack"]),
        (('account = "main"', 'account = "x"'), ["quoters.SOL_USDC_PERP.account", "'x'"]),
        (("strategy =", "stratgy ="), ["stratgy", "did you mean 'strategy'"]),
        (("[deployment]", "[deployment"), ["config.toml"]),
        (("[venues", '[addresses]\nrisk = "tcp://10.0.0.5:9"\n[venues'), ["addresses.risk", "10.0.0.5"]),
    ],
)
def test_X02_bad_input_names_the_key_the_value_and_the_rule(
    tmp_path: Path, change: tuple[str, str], words: list[str]
) -> None:
    with pytest.raises(BadInput) as caught:
        load(write(tmp_path, GOOD.replace(*change, 1)))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 78
    for word in words:
        assert word in str(caught.value)


def test_X02_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.toml does not exist"):
        load(tmp_path / "nowhere.toml")


def test_X02_a_config_that_is_a_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{tmp_path} cannot be read: Is a directory"):
        load(tmp_path)


def test_X02_a_truncated_file_of_an_added_quoter_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKERD_RUN_DIR", str(tmp_path))
    (tmp_path / "quoters").mkdir()
    (tmp_path / "quoters" / "SOL_USDC.json").write_text('{"account":"main","stra')
    with pytest.raises(BadInput, match=r"quoters/SOL_USDC\.json: Input data was truncated"):
        load(write(tmp_path, GOOD))


def test_a_service_may_be_given_a_port_of_this_host(tmp_path: Path) -> None:
    text = GOOD + '[addresses]\nrisk = "tcp://127.0.0.1:7001"\n'
    assert load(write(tmp_path, text)).addresses == {"risk": "tcp://127.0.0.1:7001"}
