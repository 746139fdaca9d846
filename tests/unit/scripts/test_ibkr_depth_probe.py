from __future__ import annotations

from pathlib import Path

import pytest
import typer

from scripts.depth_probe import DepthProbe
from scripts.ibkr_depth_probe import chosen, report
from shared.settings import Settings, load_settings, repository_root
from shared.settings_environment import PLACES, VARIABLES


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """As shipped: an empty variable counts as unset and hides a developer's .env."""
    unset = dict.fromkeys((*VARIABLES, *PLACES), "")
    address = {"IBKR_HOST": "127.0.0.1", "IBKR_PORT": "7497", "TICKVISOR_SOURCE": "sim"}
    return load_settings({**unset, **address, "TICKVISOR_HOME": str(tmp_path)}, repository_root())


def test_a_symbol_of_the_universe_brings_its_venues(settings: Settings) -> None:
    assert [item.venues for item in chosen(settings, ["AAPL", "SPY"])] == [("ISLAND",), ("ARCA",)]


def test_small_letters_name_the_same_symbol(settings: Settings) -> None:
    assert [item.symbol for item in chosen(settings, ["aapl", "AAPL"])] == ["AAPL"]


def test_a_symbol_outside_the_universe_is_a_stock_without_a_venue(settings: Settings) -> None:
    [ibm] = chosen(settings, ["IBM", ""])
    assert (ibm.symbol, ibm.sec_type, ibm.venues) == ("IBM", "STK", ())


def test_an_index_outside_the_universe_is_tried_at_cboe(settings: Settings) -> None:
    [spx] = chosen(settings, ["SPX"])
    assert (spx.sec_type, spx.venues) == ("IND", ("CBOE",))


def test_a_name_that_cannot_be_a_symbol_is_wrong_usage(settings: Settings) -> None:
    with pytest.raises(typer.BadParameter, match="must not contain :"):
        chosen(settings, ["A:B"])


def test_no_symbol_at_all_is_wrong_usage(settings: Settings) -> None:
    with pytest.raises(typer.BadParameter, match="must name one"):
        chosen(settings, [" ", ""])


def test_the_report_of_a_failed_login_has_the_reason_and_no_ladder(settings: Settings) -> None:
    depth = DepthProbe(settings.ibkr, chosen(settings, ["AAPL"]))
    assert report(settings, depth, "no gateway") == {
        "ok": False,
        "reason": "no gateway",
        "source": "sim",
        "gateway": "127.0.0.1:7497",
        "client_id": None,
        "seconds": 0.0,
        "ladders": [],
    }
