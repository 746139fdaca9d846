from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import Settings, load_settings

UNIVERSE = "symbols: {SPY: , AAPL: , QQQ: , IWM: , MSFT: }\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/ibkr_symbols.yaml").write_text(UNIVERSE)
    return tmp_path


def load(root: Path, yaml: str = "", **env: str) -> Settings:
    (root / "config/ingestion.yaml").write_text(yaml)
    return load_settings(env, root)


def pin(root: Path, names: str) -> None:
    (root / "config/ibkr_symbols.yaml").write_text(f"{UNIVERSE}pinned: [{names}]\n")


def test_market_data_is_wanted_of_every_symbol_in_the_order_of_the_universe_file(
    root: Path,
) -> None:
    assert load(root).market_symbols() == ("SPY", "AAPL", "QQQ", "IWM", "MSFT")


def test_pinned_symbols_are_the_most_important_ones(root: Path) -> None:
    pin(root, "IWM, AAPL")
    assert load(root).market_symbols() == ("IWM", "AAPL", "SPY", "QQQ", "MSFT")


def test_symbols_with_depth_come_before_the_others_in_their_own_order(root: Path) -> None:
    settings = load(root, "symbols: {level2: [MSFT, QQQ]}")
    assert settings.market_symbols() == ("MSFT", "QQQ", "SPY", "AAPL", "IWM")


def test_a_pinned_symbol_comes_before_those_with_depth_and_once(root: Path) -> None:
    pin(root, "QQQ")
    settings = load(root, "symbols: {level2: [MSFT, QQQ]}")
    assert settings.market_symbols() == ("QQQ", "MSFT", "SPY", "AAPL", "IWM")


def test_a_symbol_without_depth_has_market_data_too(root: Path) -> None:
    settings = load(root, "symbols: {standard: [MSFT]}")
    assert (settings.market_symbols()[-1], "MSFT" in settings.depth_symbols()) == ("MSFT", False)


@pytest.mark.parametrize(
    ("standard", "expected"),
    [
        ("SPY", ("AAPL", "QQQ", "IWM", "MSFT", "SPY")),
        ("QQQ, SPY", ("AAPL", "IWM", "MSFT", "SPY", "QQQ")),
    ],
)
def test_symbols_without_depth_come_last_though_the_others_are_not_named(
    root: Path, standard: str, expected: tuple[str, ...]
) -> None:
    assert load(root, f"symbols: {{standard: [{standard}]}}").market_symbols() == expected


def test_a_pinned_symbol_comes_first_though_no_other_symbol_with_depth_is_named(
    root: Path,
) -> None:
    pin(root, "IWM")
    settings = load(root, "symbols: {standard: [SPY]}")
    assert settings.market_symbols() == ("IWM", "AAPL", "QQQ", "MSFT", "SPY")


def test_an_empty_file_gives_the_documented_defaults_of_market_data(root: Path) -> None:
    ibkr = load(root).ibkr
    assert (ibkr.tick_streams, ibkr.tick_symbol_wait_s, ibkr.tick_retry_s) == (5, 15.0, 300.0)
    assert (ibkr.line_retry_s, ibkr.line_stale_s, ibkr.allow_delayed) == (60.0, 30.0, False)
    assert (ibkr.candle_grace_s, ibkr.backfill_reach_s, ibkr.backfill_trades) == (
        2.0, 7_200.0, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("tick_streams", 0, 60),
        ("tick_symbol_wait_s", 0, 3_600),
        ("tick_retry_s", 0.1, 86_400),
        ("line_retry_s", 0.1, 86_400),
        ("line_stale_s", 1, 3_600),
        ("candle_grace_s", 0.05, 60),
        ("backfill_reach_s", 0, 86_400),
    ],
)
def test_a_setting_takes_both_of_its_bounds(
    root: Path, name: str, lowest: float, highest: float
) -> None:
    taken = [getattr(load(root, f"ibkr: {{{name}: {n}}}").ibkr, name) for n in (lowest, highest)]
    assert taken == [lowest, highest]


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("tick_streams: -1", "tick_streams: was -1, must be an integer from 0 to 60"),
        ("tick_streams: 61", "tick_streams: was 61, must be an integer from 0 to 60"),
        ("tick_streams: 2.5", "tick_streams: was 2.5, must be an integer from 0 to 60"),
        ("tick_symbol_wait_s: -1", "tick_symbol_wait_s: was -1, must be a number from 0 to 3600"),
        ("tick_retry_s: 0", "tick_retry_s: was 0, must be a number from 0.1 to 86400"),
        ("line_retry_s: 90000", "line_retry_s: was 90000, must be a number from 0.1 to 86400"),
        ("line_stale_s: 0.5", "line_stale_s: was 0.5, must be a number from 1 to 3600"),
        ("line_stale_s: .nan", "line_stale_s: was nan, must be a number from 1 to 3600"),
        ("candle_grace_s: 61", "candle_grace_s: was 61, must be a number from 0.05 to 60"),
        ("backfill_reach_s: -1", "backfill_reach_s: was -1, must be a number from 0 to 86400"),
        ("backfill_reach_s: .inf", "backfill_reach_s: was inf, must be a number from 0 to 86400"),
        ("allow_delayed: 1", "allow_delayed: was 1, must be true or false"),
        ("backfill_trades: 'yes'", "backfill_trades: was 'yes', must be true or false"),
        ("line_stale: 30", "line_stale: unknown key, nearest is line_stale_s"),
    ],
)
def test_a_setting_beyond_its_bounds_is_named(root: Path, yaml: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(root, f"ibkr: {{{yaml}}}")
    assert caught.value.problems == (f"ibkr.{expected}",)


@pytest.mark.parametrize("name", ["allow_delayed", "backfill_trades"])
def test_a_switch_can_be_turned_on(root: Path, name: str) -> None:
    assert getattr(load(root, f"ibkr: {{{name}: true}}").ibkr, name) is True
