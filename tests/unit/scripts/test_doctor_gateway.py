from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scripts.doctor_finding import Finding
from scripts.doctor_gateway import judge, plan_of, unneeded
from shared.feeds.ibkr.diagnosis import Asked, GatewayReport, Plan, first_of_each_venue
from shared.settings import Settings, load_settings, repository_root
from shared.universe import Instrument, Universe, parse_universe

SYMBOLS: dict[str, Any] = {
    "SPY": {"venues": ["ARCA"]},
    "QQQ": {"venues": ["ISLAND"]},
    "AAPL": {"venues": ["NASDAQ"]},
    "SPX": None,
    "IBM": None,
}


def universe(symbols: dict[str, Any]) -> Universe:
    problems: list[str] = []
    found = parse_universe({"symbols": symbols}, problems)
    assert problems == []
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    env = {"TICKVISOR_HOME": str(tmp_path), "TICKVISOR_SOURCE": "live"}
    found = load_settings(env, repository_root())
    return msgspec.structs.replace(found, universe=universe(SYMBOLS))


def ibkr(settings: Settings, **fields: Any) -> Settings:
    changed = msgspec.structs.replace(settings.ibkr, **fields)
    return msgspec.structs.replace(settings, ibkr=changed)


def logged_in(**fields: Any) -> GatewayReport:
    return GatewayReport("in", client_id=797, server_version=178, **{"skew_s": 0.1, **fields})


def by_check(settings: Settings, report: GatewayReport) -> dict[str, Finding]:
    return {one.check: one for one in judge(settings, plan_of(settings, ()), report, {})}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("refused", "nothing listens there"),
        ("unreachable", "cannot be reached (why)"),
        ("silent", "accepts and says nothing"),
        ("closed", "closed the connection (why)"),
    ],
)
def test_no_login_is_one_failure_that_says_which(
    settings: Settings, state: Any, words: str
) -> None:
    found = by_check(settings, GatewayReport(state, "why"))
    assert list(found) == ["gateway"]
    assert found["gateway"].state == "fail"
    assert found["gateway"].text.endswith(words)


def test_where_the_gateway_is_simulated_make_up_is_the_remedy(settings: Settings) -> None:
    simulated = msgspec.structs.replace(settings, source="sim")
    found = by_check(simulated, GatewayReport("refused"))
    assert found["gateway"].remedy == "`make up` starts the simulator"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"skew_s": None}, "does not tell its time"),
        ({"link": ("1100 Connectivity lost", "2103 farm")}, "1100 Connectivity lost; 2103 farm"),
    ],
)
def test_a_login_with_something_amiss_is_a_warning(
    settings: Settings, fields: dict[str, Any], words: str
) -> None:
    found = by_check(settings, logged_in(**fields))["gateway"]
    assert found.state == "warn"
    assert words in found.text


def test_whoever_holds_the_workers_ids_is_named(settings: Settings) -> None:
    holders = {"ibkr_depth": "pid 7 on here"}
    [_, found, *_] = judge(settings, plan_of(settings, ()), logged_in(), holders)
    assert found.state == "ok"
    assert "777 to 782 are ibkr_depth's, which runs as pid 7 on here" in found.text
    assert "787 to 792 are ibkr_trades's, not running" in found.text


@pytest.mark.parametrize(
    ("asked", "state", "words"),
    [
        (Asked("SPY", "ARCA", rows=3), "ok", "SPY has rows"),
        (Asked("SPY", "ARCA"), "warn", "the market may be closed"),
        (Asked("SPY", "ARCA", code=354, text="Not subscribed"), "fail", "depth of ARCA"),
        (Asked("SPY", "ARCA", code=10092, text="Deep"), "fail", "correct its venues"),
        (Asked("SPY", "ARCA", code=10197, text="x"), "fail", "another login"),
        (Asked("SPY", "ARCA", code=321, text="x"), "fail", "operations.md"),
        (Asked("SPX", "CBOE", code=10092, text="Deep"), "warn", "symbols.standard"),
    ],
)
def test_a_venue_is_judged_by_what_came_of_it(
    settings: Settings, asked: Asked, state: str, words: str
) -> None:
    found = by_check(settings, logged_in(venues=(asked,)))[f"depth-{asked.venue}"]
    assert found.state == state
    assert words in f"{found.text}: {found.remedy}"


def test_a_symbol_without_any_venue_is_a_failure(settings: Settings) -> None:
    asked = Asked("IBM", "", text="IBM: the gateway names no primary exchange")
    assert by_check(settings, logged_in(venues=(asked,)))["depth"].state == "fail"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [(5, "the account has 3 slots (309), IBKR_MAX_CONCURRENT_DEPTH is 5"), (3, "is taken (309)")],
)
def test_a_309_means_too_few_slots_or_that_others_hold_them(
    settings: Settings, wanted: int, words: str
) -> None:
    refused = Asked("SPY", "ARCA", code=309, text="Max number (3) of market depth requests")
    report = logged_in(venues=(refused, Asked("QQQ", "NASDAQ", rows=1)))
    found = by_check(ibkr(settings, max_concurrent_depth=wanted), report)
    assert found["depth-slots"].state == "warn"
    assert words in found["depth-slots"].text
    assert "depth-ARCA" not in found
    assert found["depth-NASDAQ"].state == "ok"


def test_venues_without_their_turn_are_named(settings: Settings) -> None:
    found = by_check(settings, logged_in(untried=("BATS", "IEX")))["depth"]
    assert found.state == "warn"
    assert "BATS, IEX not tried" in found.text


@pytest.mark.parametrize(
    ("asked", "state", "words"),
    [
        (Asked("SPY", "", rows=2, data_type=1), "ok", "SPY is live"),
        (Asked("SPY", "", rows=2, data_type=3), "warn", "delayed"),
        (Asked("SPY", "", rows=2, code=10167), "warn", "delayed"),
        (Asked("SPY", "", code=354, text="No"), "fail", "none: SPY is refused (354) No"),
        (Asked("SPY", "", code=101, text="Max"), "warn", "every market data line"),
        (Asked("SPY", "", code=200, text="No"), "fail", "correct the symbol"),
        (Asked("SPY", "", code=10197, text="x"), "fail", "another login"),
        (Asked("SPY", "", data_type=1), "warn", "the market may be closed"),
    ],
)
def test_quotes_are_live_delayed_or_none(
    settings: Settings, asked: Asked, state: str, words: str
) -> None:
    found = by_check(settings, logged_in(line=asked))["quotes"]
    assert found.state == state
    assert words in f"{found.text}: {found.remedy}"


def test_delayed_quotes_that_are_wanted_are_published(settings: Settings) -> None:
    asked = Asked("SPY", "", rows=1, data_type=4)
    found = by_check(ibkr(settings, allow_delayed=True), logged_in(line=asked))["quotes"]
    assert found.remedy.startswith("published with the flag")


@pytest.mark.parametrize(
    ("running", "slots", "left"),
    [((), 3, 3), (("ibkr_trades",), 3, 3), (("ibkr_depth",), 3, 0), (("ibkr_depth",), 7, 2)],
)
def test_a_running_depth_worker_keeps_the_slots_it_can_use(
    settings: Settings, running: tuple[str, ...], slots: int, left: int
) -> None:
    assert plan_of(ibkr(settings, max_concurrent_depth=slots), running).slots == left


def test_without_a_free_slot_that_is_what_is_said(settings: Settings) -> None:
    plan = plan_of(settings, {"ibkr_depth"})
    found = {one.check: one for one in judge(settings, plan, logged_in(), {})}
    assert found["depth"] == Finding("depth", "ok", "not tried, the slots are taken by ibkr_depth")


def test_one_symbol_of_each_venue_is_enough() -> None:
    found = first_of_each_venue(universe(SYMBOLS).instruments)
    assert [one.symbol for one in found] == ["SPY", "QQQ", "SPX", "IBM"]


def test_of_symbols_whose_venue_is_unknown_only_some_are_asked_for() -> None:
    many: list[Instrument] = list(universe({f"A{n}": None for n in range(40)}).instruments)
    assert len(first_of_each_venue(many)) == 10


def test_what_is_not_asked_for_is_not_judged(settings: Settings) -> None:
    found = judge(settings, Plan(), logged_in(), {})
    assert [one.check for one in found] == ["gateway", "client-ids"]


def test_without_an_ibkr_worker_no_gateway_is_needed(settings: Settings) -> None:
    assert unneeded(settings) is None
    others = msgspec.structs.replace(settings.supervision, enabled_workers=("av_options",))
    found = unneeded(msgspec.structs.replace(settings, supervision=others))
    assert found is not None and found.state == "ok"
