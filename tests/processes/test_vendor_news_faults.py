"""One symbol's news or indicators go wrong: what stands stays, and nobody else is held up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.vendor_rig import (
    NEWS,
    Table,
    VendorPlan,
    VendorRig,
    now_ms,
    steady_pace,
    vendor_scenario,
    vendors_side_by_side,
)

SCENARIOS: Final[Table] = {}
HIT: Final = "AAPL"
OTHERS: Final = ("TSLA", "QQQ")
PLAN: Final = VendorPlan(
    settings={
        "failure_threshold": 1000, "max_attempts": 2, "sentiment_interval_s": 1.5,
        "technicals_interval_s": 1.5,
    },
    workers=("av_sentiment",),
)  # fmt: skip
USUAL_S: Final = 1.5
INTERVAL_S: Final = USUAL_S * 1.1
# For a busy machine; what was measured is printed.
SLACK_S: Final = 1.9
PACE: Final = pytest.approx(1.0, abs=0.2)

Check = Callable[[VendorRig], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """As of chains; the news' monitor tells `status`, of an indicator only its circuit does."""

    kind: str
    error: str
    status: str = "error"
    counted: bool = True
    shown: Check | None = None
    function: str = NEWS
    fields: Mapping[str, Any] = field(default_factory=dict)
    late_s: float = 0.0

    @property
    def circuit(self) -> str:
        return f"{HIT}:sentiment" if self.function == NEWS else f"{HIT}:{self.function}"

    def document(self, rig: VendorRig) -> dict[str, Any]:
        found = (
            rig.keys.news(HIT) if self.function == NEWS else rig.keys.technicals(HIT, self.function)
        )
        return found

    def told(self, rig: VendorRig, since_ms: int) -> bool:
        if self.function == NEWS and self.status != "ok":
            monitor = rig.keys.news_monitor(HIT)
            return monitor["status"] == self.status and self.error in monitor["error"]
        if self.counted:
            circuit = rig.keys.circuits("av_sentiment").get(self.circuit, {})
            return self.error in circuit.get("reason", "\n")
        if self.error:
            return int(rig.keys.figures("av_sentiment").get(self.error, 0)) > 0
        return int(self.document(rig)["fetched_ts"]) > since_ms


def has_articles(rig: VendorRig) -> bool:
    news = rig.keys.news(HIT)
    scored = [one for one in news["articles"] if one["sentiment_score"] is not None]
    return len(news["articles"]) >= 50 and len(scored) > 25


def has_none(rig: VendorRig) -> bool:
    news, monitor = rig.keys.news(HIT), rig.keys.news_monitor(HIT)
    return news["articles"] == [] and (monitor["article_count"], monitor["error"]) == ("0", "")


def has_rows(rig: VendorRig) -> bool:
    return len(rig.keys.technicals(HIT, "RSI")["history"]) > 25


def play(rig: VendorRig, case: Case) -> None:
    asked, began_ms = rig.asked(), now_ms()
    rig.vendor.fault(case.kind, function=case.function, symbol=HIT, **case.fields)
    rig.wait_until(lambda: case.told(rig, began_ms), 9, f"{case.kind} told")
    before = case.document(rig)
    rig.wait_until(lambda: now_ms() - began_ms > 5000, 6, "the span over")
    if case.shown is None:
        assert case.document(rig) == before and before["fetched_ts"] < began_ms + 300
    else:
        assert case.shown(rig), case.kind
    circuit = rig.keys.circuits("av_sentiment").get(case.circuit, {"state": ""})
    assert circuit["state"] == ("closed" if case.counted else ""), case.kind
    pace = steady_pace(rig, USUAL_S, case.function, OTHERS, asked)
    cleared_ms = now_ms()
    rig.vendor.clear()
    rig.wait_until(
        lambda: case.document(rig)["fetched_ts"] > cleared_ms,
        INTERVAL_S + SLACK_S + case.late_s, f"back after {case.kind}",
    )  # fmt: skip
    back_s = (case.document(rig)["fetched_ts"] - cleared_ms) / 1000
    print(f"{case.function} {case.kind}: pace {pace:.3f}, back after {back_s:.2f} s")
    rig.wait_until(
        lambda: (rig.keys.news_monitor(HIT)["status"], rig.keys.news_monitor(HIT)["error"])
        == ("ok", ""),
        2, "told",
    )  # fmt: skip
    rig.wait_until(
        lambda: case.circuit not in rig.keys.circuits("av_sentiment"), 2, "its failures forgotten"
    )
    assert pace == PACE, f"{case.kind}: others at {pace:.2f} of their pace"
    assert rig.vendor.stats()["redirects_followed"] == 0


def play_all(rig: VendorRig, cases: list[Case]) -> None:
    rig.begin()
    pid, asked, began_ms = rig.sentiment.pid, rig.asked(), now_ms()
    rig.wait_until(lambda: now_ms() - began_ms > 6000, 7, "the span over")
    for function in {case.function for case in cases}:
        assert steady_pace(rig, USUAL_S, function, OTHERS, asked) == PACE
    for case in cases:
        play(rig, case)
    assert (rig.sentiment.pid, rig.sentiment.exit_code) == (pid, None)


@vendor_scenario(SCENARIOS, PLAN)
def news_that_do_not_arrive(rig: VendorRig, server: RedisServer) -> None:
    cases = [
        Case("html_503", "http 503"),
        Case("hang", "ReadTimeout", late_s=1.0),
        Case("cut_body", "RemoteProtocolError"),
        Case("redirect", "http 302"),
    ]
    play_all(rig, cases)


@vendor_scenario(SCENARIOS, PLAN)
def news_that_are_none(rig: VendorRig, server: RedisServer) -> None:
    cases = [
        Case("bad_json", "no json object"),
        Case("no_articles", "", "empty", False, has_none),
        Case("invalid_inputs", "Invalid inputs"),
        Case("empty_object", "was an empty object"),
        Case("err_invalid_call", "Invalid API call"),
    ]
    play_all(rig, cases)


@vendor_scenario(SCENARIOS, PLAN)
def news_with_wrong_content(rig: VendorRig, server: RedisServer) -> None:
    cases = [
        Case("junk_values", "", "ok", False, has_articles, fields={"share": 0.2}),
        Case("wrong_symbol", "", "ok", False, has_articles),
        Case("duplicate_rows", "", "ok", False, has_articles, fields={"share": 0.3}),
        Case("detail_accept_406", "Could not satisfy"),
    ]
    play_all(rig, cases)


@vendor_scenario(SCENARIOS, PLAN)
def indicators_that_go_wrong(rig: VendorRig, server: RedisServer) -> None:
    cases = [
        Case("html_503", "http 503", function="RSI"),
        Case("bad_json", "no json object", function="RSI"),
        Case("wrong_symbol", "Symbol was 'ZZQ'", function="RSI"),
        Case("junk_values", "", "ok", False, has_rows, "RSI", {"share": 0.3}),
        Case("empty_object", "no_readings", "ok", False, has_rows, function="RSI"),
    ]
    play_all(rig, cases)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with vendors_side_by_side(tmp_path_factory.mktemp("news"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_faults_of_news_and_indicators(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
