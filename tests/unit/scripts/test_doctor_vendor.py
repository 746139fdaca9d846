from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scripts import doctor_vendor
from scripts.doctor_finding import Finding
from shared.feeds.alphavantage.client import Answer
from shared.feeds.alphavantage.diagnosis import VendorReport, next_friday
from shared.feeds.alphavantage.refusals import Kind
from shared.settings import Secret, Settings, load_settings, repository_root
from simulators.alphavantage.texts import REFUSALS

DATA = Answer("data", fetch_ms=20.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    env = {"TICKVISOR_HOME": str(tmp_path), "TICKVISOR_SOURCE": "live"}
    return vendor(load_settings(env, repository_root()), api_key=Secret("K"))


def vendor(settings: Settings, **fields: Any) -> Settings:
    changed = msgspec.structs.replace(settings.alpha_vantage, **fields)
    return msgspec.structs.replace(settings, alpha_vantage=changed)


def refused(kind: Kind, name: str) -> Answer:
    return Answer(kind, text=REFUSALS[name][1].replace("{key}", "***"))


def by_check(settings: Settings, report: VendorReport) -> dict[str, Finding]:
    return {one.check: one for one in doctor_vendor.judge(settings, report)}


def test_a_good_key_passes(settings: Settings) -> None:
    found = by_check(settings, VendorReport(DATA, DATA))
    assert [one.state for one in found.values()] == ["ok"] * 3


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (refused("daily", "info_daily25_withkey"), "fail", "bad key"),
        (refused("bad_request", "err_apikey"), "fail", "bad key"),
        (refused("entitlement", "info_demo_key"), "fail", "demo key"),
        (refused("entitlement", "info_not_entitled_delayed"), "fail", "does not include it"),
        (refused("entitlement", "info_premium_endpoint"), "fail", "has no indicators"),
        (refused("burst", "info_free_1ps_2026"), "fail", "free-plan key"),
        (refused("daily", "info_daily25_nokey"), "fail", "free-plan key"),
        (refused("burst", "info_burst_5"), "warn", "used up just now"),
        (refused("minute", "info_minute_premium"), "warn", "used up just now"),
        (refused("bad_request", "err_invalid_call"), "fail", "an indicator is refused"),
        (Answer("transport", text="http 503"), "fail", "gives no answer, http 503"),
        (Answer("unknown", text="hm"), "fail", "an indicator is refused, hm"),
    ],
)
def test_a_key_is_judged_by_the_vendors_words(
    settings: Settings, answer: Answer, state: str, words: str
) -> None:
    found = by_check(settings, VendorReport(answer))["vendor"]
    assert found.state == state
    assert words in found.text


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (Answer("empty"), "ok", "is included"),
        (refused("entitlement", "info_premium_endpoint"), "fail", "key without options"),
        (refused("burst", "info_free_1ps_2026"), "fail", "free plan"),
        (refused("burst", "info_burst_5"), "warn", "not known"),
        (Answer("transport", text="http 503"), "warn", "not known, http 503"),
        (refused("bad_request", "err_invalid_call"), "fail", "is refused"),
    ],
)
def test_options_are_judged_by_their_own_answer(
    settings: Settings, answer: Answer, state: str, words: str
) -> None:
    found = by_check(settings, VendorReport(DATA, answer))["vendor-options"]
    assert found.state == state
    assert words in found.text


def test_a_free_key_does_not_go_with_any_plan(settings: Settings) -> None:
    report = VendorReport(DATA, refused("burst", "info_free_1ps_2026"))
    assert by_check(settings, report)["vendor-plan"].state == "fail"


def test_a_key_without_options_is_not_of_a_plan_that_has_them(settings: Settings) -> None:
    report = VendorReport(DATA, refused("entitlement", "info_premium_endpoint"))
    assert by_check(settings, report)["vendor-plan"].state == "warn"
    small = vendor(settings, calls_per_min=300)
    assert by_check(small, report)["vendor-plan"].state == "ok"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"calls_per_min": 500}, "warn"),
        ({"calls_per_min": 75}, "warn"),
        ({"calls_per_min": 75, "options_interval_s": 60.0, "technicals_interval_s": 120.0}, "ok"),
        ({"options_interval_s": 0.5}, "warn"),
    ],
)
def test_calls_per_min_is_a_plans_and_suffices(
    settings: Settings, fields: dict[str, Any], state: str
) -> None:
    found = by_check(vendor(settings, **fields), VendorReport(DATA, DATA))
    assert found["vendor-plan"].state == state


def test_only_what_the_enabled_workers_ask_for_counts(settings: Settings) -> None:
    one = msgspec.structs.replace(settings.supervision, enabled_workers=("av_options",))
    alone = msgspec.structs.replace(settings, supervision=one)
    assert doctor_vendor.demand_per_min(alone) == pytest.approx(60)
    assert doctor_vendor.demand_per_min(settings) == pytest.approx(60 + 40 + 1.4)


def test_a_call_that_was_not_made_is_no_failure(settings: Settings) -> None:
    first = by_check(settings, VendorReport(unasked="no call for 9.0 s"))
    assert first["vendor"].state == "warn"
    second = by_check(settings, VendorReport(DATA, unasked="no call for 9.0 s"))
    assert second["vendor-options"].text == "not asked, no call for 9.0 s"


def test_no_call_is_made_where_none_is_needed(settings: Settings) -> None:
    assert doctor_vendor.unneeded(settings) is None
    keyless = doctor_vendor.unneeded(vendor(settings, api_key=Secret()))
    assert keyless is not None and keyless.state == "warn"
    ibkr = msgspec.structs.replace(settings.supervision, enabled_workers=("ibkr_depth",))
    without = doctor_vendor.unneeded(msgspec.structs.replace(settings, supervision=ibkr))
    assert without is not None and without.state == "ok"


@pytest.mark.parametrize(
    ("today", "friday"),
    [("2026-11-26", "2026-11-27"), ("2026-11-27", "2026-12-04"), ("2026-11-28", "2026-12-04")],
)
def test_the_expiration_asked_for_is_still_to_come(today: str, friday: str) -> None:
    assert next_friday(date.fromisoformat(today)) == date.fromisoformat(friday)
