from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import Settings, load_settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/ibkr_symbols.yaml").write_text("symbols: {SPY: {}, BRK.B: {}, VIX: {}}")
    return tmp_path


def load(root: Path, yaml: str = "", **env: str) -> Settings:
    (root / "config/ingestion.yaml").write_text(yaml)
    return load_settings({"TICKVISOR_SOURCE": "live", **env}, root)


def problems(root: Path, yaml: str = "", **env: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(root, yaml, **env)
    return caught.value.problems


def vendor(text: str) -> str:
    return f"alpha_vantage: {{{text}}}"


def test_live_uses_the_vendor_and_the_key_of_the_environment(root: Path) -> None:
    found = load(root, ALPHA_VANTAGE_API_KEY="K3Y").alpha_vantage
    assert (found.base_url, found.api_key.reveal()) == ("https://www.alphavantage.co/query", "K3Y")


def test_sim_sends_a_key_of_its_own_to_the_simulator(root: Path) -> None:
    found = load(root, TICKVISOR_SOURCE="sim", ALPHA_VANTAGE_API_KEY="K3Y").alpha_vantage
    assert (found.base_url, found.api_key.reveal()) == ("http://127.0.0.1:7480/query", "SIMULATED")


def test_sim_uses_the_vendor_address_that_make_up_picked(root: Path) -> None:
    (root / "var/run").mkdir(parents=True)
    (root / "var/run/alphavantage.json").write_text('{"host": "127.0.0.1", "port": 7999}')
    found = load(root, TICKVISOR_SOURCE="sim").alpha_vantage
    assert found.base_url == "http://127.0.0.1:7999/query"


def test_sim_obeys_a_url_in_the_process_environment(root: Path) -> None:
    url = "http://127.0.0.1:9/query"
    found = load(
        root, TICKVISOR_SOURCE="sim", ALPHA_VANTAGE_BASE_URL=url, ALPHA_VANTAGE_API_KEY="K3Y"
    ).alpha_vantage
    assert (found.base_url, found.api_key.reveal()) == (url, "K3Y")


def test_sim_never_asks_the_vendor_itself(root: Path) -> None:
    url = "https://www.alphavantage.co/query"
    assert problems(root, TICKVISOR_SOURCE="sim", ALPHA_VANTAGE_BASE_URL=url) == (
        "ALPHA_VANTAGE_BASE_URL: was at www.alphavantage.co, must be on this machine in source sim",
    )


def test_an_index_has_no_options_and_a_dot_becomes_a_dash(root: Path) -> None:
    settings = load(root)
    assert settings.vendor_symbols() == ("SPY", "BRK.B")
    assert settings.universe.by_symbol("BRK.B").alpha_vantage_name == "BRK-B"


@pytest.mark.parametrize("key", ["two words", "tab\tbed", "kéy", "line\nfeed"])
def test_a_key_that_no_url_can_hold_is_refused_unseen(root: Path, key: str) -> None:
    (found,) = problems(root, ALPHA_VANTAGE_API_KEY=key)
    assert found.startswith("ALPHA_VANTAGE_API_KEY: was ")
    assert key not in found


def test_the_key_is_not_sent_in_the_clear_over_a_network(root: Path) -> None:
    assert problems(root, ALPHA_VANTAGE_BASE_URL="http://proxy.lan/query") == (
        "alpha_vantage.base_url: was http to 'proxy.lan', must be https: the API key stands in it",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "safety_buffer: 600",
            "alpha_vantage.safety_buffer: was 600, must be less than calls_per_min 600",
        ),
        (
            "failure_backoff_s: 700",
            "alpha_vantage.failure_backoff_max_s: was 600.0,"
            " must be at least failure_backoff_s 700.0",
        ),
        ("macd_fast: 26", "alpha_vantage.macd_fast: was 26, must be less than macd_slow 26"),
        (
            "options_interval_s: 30",
            "alpha_vantage.options_interval_s: was 30, times closed_slowdown and jitter 198,"
            " must be less than the ttl of 180",
        ),
        (
            "options_date: 2017-13-15, options_function: HISTORICAL_OPTIONS",
            "alpha_vantage.options_date: was '2017-13-15', must be a day, YYYY-MM-DD",
        ),
        (
            "options_date: 2017-11-15",
            "alpha_vantage.options_date: was '2017-11-15',"
            " must be empty for options_function REALTIME_OPTIONS",
        ),
        (
            "news_limit: 10",
            "alpha_vantage.news_limit: was 10, must be an integer from 50 to 1000",
        ),
    ],
)
def test_what_does_not_fit_together_is_named(root: Path, text: str, expected: str) -> None:
    assert problems(root, vendor(text)) == (expected,)
