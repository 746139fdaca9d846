"""Circuits and entitlement: who is left alone for how long, over a kill too, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.vendor_keys import Row
from tests.support.vendor_rig import (
    NEWS,
    OPTIONS,
    Table,
    VendorPlan,
    VendorRig,
    gaps_s,
    now_ms,
    steady_pace,
    vendor_scenario,
    vendors_side_by_side,
)

SCENARIOS: Final[Table] = {}
HIT: Final = "TSLA"
OTHERS: Final = ("AAPL", "QQQ", "SPY")
# A request is a poll: what the simulator counts is what the circuit counts.
ONCE: Final = VendorPlan(settings={"max_attempts": 1})
LATE_S: Final = 1.2
# A span counts from the answer that opens a circuit on, a gap from its request.
EARLY_S: Final = 0.05
# Less than any suspension: an interval, on a busy machine.
SOON_S: Final = 1.9
PACE: Final = pytest.approx(1.0, abs=0.2)


def hits(rig: VendorRig, since: int) -> list[Row]:
    return rig.arrivals(since, OPTIONS, HIT)


def wait_hits(rig: VendorRig, since: int, count: int, timeout_s: float) -> list[Row]:
    rig.wait_until(lambda: len(hits(rig, since)) >= count, timeout_s, f"request {count}")
    return hits(rig, since)


def opened(rig: VendorRig, trips: int) -> Row:
    """The circuit once it has opened so many times."""

    def found() -> Row:
        circuit = rig.keys.circuits("av_options").get(f"{HIT}:options", {})
        return circuit if circuit.get("trips", 0) >= trips else {}

    return rig.wait_until(found, 3, f"suspension {trips}")


def suspended(rig: VendorRig) -> list[tuple[str, str]]:
    listed = rig.keys.figures("av_sentiment")["suspended"]
    return [(one["symbol"], one["type"]) for one in listed]


def breaker_lines(rig: VendorRig) -> list[str]:
    return [one["text"] for one in rig.keys.incidents("breaker")]


@vendor_scenario(SCENARIOS, VendorPlan(settings={
    "max_attempts": 1, "failure_backoff_s": 3.0, "failure_backoff_max_s": 12.0,
}))  # fmt: skip
def a_circuit_opens_doubles_outlives_a_kill_and_closes(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    asked = rig.asked()
    rig.vendor.fault("html_503", function=OPTIONS, symbol=HIT)
    wait_hits(rig, asked, 3, 6)
    first = opened(rig, 1)
    before = rig.keys.text(f"options:{HIT}:chain")
    assert (first["state"], first["failures"], first["trips"]) == ("open", 3, 1)
    rig.wait_until(lambda: rig.keys.monitor(HIT)["status"] == "suspended", 1, "told")
    assert "http 503" in rig.keys.monitor(HIT)["error"]
    rig.wait_until(lambda: rig.keys.figures("av_options")["suspended"], 2, "metrics")
    (listed,) = rig.keys.figures("av_options")["suspended"]
    assert (listed["symbol"], listed["type"], listed["entitlement"]) == (HIT, "options", False)
    assert listed["until_ts"] == first["until_ts"] and "503" in listed["reason"]
    rig.wait_until(
        lambda: f"suspended: {HIT}:options" in rig.keys.beat("av_options")["detail"], 2, "heartbeat"
    )
    # 3, 6 and 12 s; the third one is survived by a kill.
    wait_hits(rig, asked, 5, 3 + 6 + 2 * LATE_S + 1)
    third = opened(rig, 3)
    rig.options.kill()
    rig.options.start()
    rig.wait_chains(15, OTHERS)
    assert now_ms() < third["until_ts"] - 1000, "the suspension must still be on"
    rig.wait_until(lambda: rig.keys.monitor(HIT).get("status") == "suspended", 2, "told again")
    assert len(hits(rig, asked)) == 5 and opened(rig, 3)["until_ts"] == third["until_ts"]
    wait_hits(rig, asked, 6, 12 + LATE_S + 1)
    fourth = opened(rig, 4)
    assert rig.keys.text(f"options:{HIT}:chain") == before
    rig.vendor.clear()
    rig.wait_chains(12 + LATE_S + 1, [HIT], fourth["until_ts"] - 1)
    rows = wait_hits(rig, asked, 10, 5)
    waits = gaps_s(rows)
    print(f"gaps of a suspended symbol: {waits}")
    assert max(waits[:2]) < SOON_S
    for wait_s, span_s in zip(waits[2:6], (3, 6, 12, 12), strict=True):
        assert span_s - EARLY_S < wait_s < span_s + LATE_S
    assert max(waits[6:]) < SOON_S, "closed after one good probe"
    rig.wait_until(lambda: rig.keys.circuits("av_options") == {}, 2, "closed")
    rig.wait_until(lambda: rig.keys.monitor(HIT)["status"] == "ok", 2, "ok")
    rig.wait_until(lambda: len(breaker_lines(rig)) == 5, 2, "incidents")
    spans = [line for line in breaker_lines(rig) if "suspended for" in line]
    assert [line.split(" suspended for ")[1].split(" s ")[0] for line in (
        text.replace(":", "") for text in spans
    )] == ["3", "6", "12", "12"]  # fmt: skip
    assert "back after" in breaker_lines(rig)[-1]


@vendor_scenario(SCENARIOS, ONCE)
def a_probe_that_dies_with_its_process_is_sent_again(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    asked = rig.asked()
    rig.vendor.fault("html_503", function=OPTIONS, symbol=HIT, count=3)
    rig.vendor.fault("hang", function=OPTIONS, symbol=HIT, count=1)
    wait_hits(rig, asked, 3, 8)
    circuit = opened(rig, 1)
    rig.wait_until(
        lambda: [r for r in hits(rig, asked) if r["outcome"] == "fault:hang"], 4, "the probe"
    )
    (probe,) = [r for r in hits(rig, asked) if r["outcome"] == "fault:hang"]
    rig.wait_until(
        lambda: rig.keys.circuits("av_options")[f"{HIT}:options"]["state"] == "half_open", 1, "told"
    )
    rig.options.kill()
    assert probe["wall_s"] * 1000 > circuit["until_ts"] - 50
    rig.options.start()
    rig.wait_chains(15, [HIT])
    rows = [r for r in hits(rig, asked) if r["mono_s"] > probe["mono_s"]]
    assert rows[0]["outcome"] == "ok"
    rig.wait_until(lambda: rig.keys.circuits("av_options") == {}, 2, "closed")
    rig.wait_until(lambda: rig.keys.monitor(HIT)["status"] == "ok", 2, "ok")


@vendor_scenario(SCENARIOS, ONCE)
def failures_short_of_the_threshold_or_interrupted_open_nothing(
    rig: VendorRig, server: RedisServer
) -> None:
    rig.begin()
    asked = rig.asked()
    # Two failures, a success, two failures.
    rig.vendor.fault("html_503", function=OPTIONS, symbol=HIT, count=2)
    rig.vendor.fault("invalid_inputs", function=OPTIONS, symbol=HIT, count=2, after=1)
    rows = wait_hits(rig, asked, 9, 12)
    outcomes = [row["outcome"].removeprefix("fault:") for row in rows]
    began = outcomes.index("html_503")
    two = ["html_503"] * 2, ["invalid_inputs"] * 2
    assert outcomes[began : began + 6] == [*two[0], "ok", *two[1], "ok"]
    assert max(gaps_s(rows)) < SOON_S
    assert breaker_lines(rig) == [] and rig.keys.circuits("av_options") == {}


@vendor_scenario(SCENARIOS, ONCE)
def what_is_no_failure_is_not_counted(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    asked = rig.asked()
    rig.vendor.fault("no_data_day", function=OPTIONS, symbol=HIT)
    rig.vendor.fault("no_articles", symbol="AAPL")
    rig.vendor.fault("empty_object", function="RSI", symbol="QQQ")
    wait_hits(rig, asked, 10, 14)
    rig.wait_until(lambda: len(rig.arrivals(asked, NEWS, "AAPL")) >= 4, 12, "news asked for")
    assert rig.keys.monitor(HIT)["status"] == "empty"
    assert rig.keys.news_monitor("AAPL")["status"] == "empty"
    for worker in ("av_options", "av_sentiment"):
        assert rig.keys.circuits(worker) == {}
        assert rig.keys.figures(worker)["suspended"] == []
    assert max(gaps_s(hits(rig, asked))) < SOON_S
    rig.vendor.clear()
    rig.wait_chains(2, [HIT])


def refuse_and_look(rig: VendorRig, kind: str, text: str) -> None:
    """A refusal for want of a plan stops the chains of all symbols, and nothing else."""
    rig.begin()
    began_ms = now_ms()
    before = {s: rig.keys.text(f"options:{s}:chain") for s in rig.symbols}
    asked = rig.asked()
    rig.vendor.fault(kind, function=OPTIONS)
    rig.wait_until(lambda: rig.keys.circuits("av_options"), 3, "refused")
    refused = rig.keys.circuits("av_options")
    assert list(refused) == ["*:options"] and refused["*:options"]["trips"] == 1
    rig.wait_until(
        lambda: all(rig.keys.monitor(s)["status"] == "not_entitled" for s in rig.symbols),
        2, "told of all",
    )  # fmt: skip
    assert all(text in rig.keys.monitor(symbol)["error"] for symbol in rig.symbols)
    # Twice a probe, each by one request alone.
    rig.wait_until(
        lambda: rig.keys.circuits("av_options").get("*:options", {}).get("trips") == 3, 12, "probes"
    )
    rows = rig.arrivals(asked, OPTIONS)
    assert 3 <= len(rows) <= 6 and gaps_s(rows)[-1] > 3 - EARLY_S
    assert all(gap_s > 3 - EARLY_S for gap_s in gaps_s(rows) if gap_s > 0.5)
    now_read = {s: rig.keys.text(f"options:{s}:chain") for s in rig.symbols}
    assert all(
        now_read[s] == before[s] or rig.keys.fetched(s) < began_ms + 1000 for s in rig.symbols
    )
    pace = steady_pace(rig, 2.0, "RSI", rig.symbols, asked)
    print(f"{kind}: {len(rows)} requests, gaps {gaps_s(rows)}, pace of indicators {pace:.3f}")
    assert pace == PACE and rig.keys.circuits("av_sentiment") == {}
    cleared_ms = now_ms()
    rig.vendor.clear()
    rig.wait_chains(3 + LATE_S + 1.1 + 0.5, since_ms=cleared_ms)
    newest = max(rig.keys.fetched(s) for s in rig.symbols)
    print(f"{kind}: all back {(newest - cleared_ms) / 1000:.2f} s after clear")
    rig.wait_until(lambda: all(rig.keys.monitor(s)["status"] == "ok" for s in rig.symbols), 2, "ok")
    rig.wait_until(lambda: rig.keys.circuits("av_options") == {}, 2, "closed")
    rig.wait_until(lambda: "back after" in breaker_lines(rig)[-1], 2, "the incident")
    (first, *_, last) = breaker_lines(rig)
    assert "not entitled, suspended for 3 s" in first and "back after" in last


@vendor_scenario(SCENARIOS, ONCE)
def a_premium_text_suspends_the_data_type(rig: VendorRig, server: RedisServer) -> None:
    refuse_and_look(rig, "info_premium_endpoint", "premium endpoint")


@vendor_scenario(SCENARIOS, ONCE)
def an_artificial_chain_suspends_the_data_type(rig: VendorRig, server: RedisServer) -> None:
    refuse_and_look(rig, "artificial", "ARTIFICIAL")
    assert list(rig.keys.redis.scan_iter("*XXYYZZ*")) == []
    assert rig.keys.holding("XXYYZZ") == []


@vendor_scenario(SCENARIOS, ONCE)
def an_entitlement_of_indicators_leaves_news_and_chains_alone(
    rig: VendorRig, server: RedisServer
) -> None:
    rig.begin()
    asked = rig.asked()
    rig.vendor.fault("info_not_entitled_delayed", function="RSI")
    rig.wait_until(
        lambda: rig.keys.circuits("av_sentiment").get("*:RSI", {}).get("trips", 0) >= 4,
        16,
        "probes",
    )
    rows = rig.arrivals(asked)
    assert all(gap > 3 - EARLY_S for gap in gaps_s(
        [row for row in rows if row["function"] == "RSI"]
    ) if gap > 0.5)  # fmt: skip
    usual_s = {(OPTIONS, rig.symbols): 1.0, ("ATR", rig.symbols): 2.0, (NEWS, ("AAPL", "QQQ")): 3.0}
    for (function, symbols), interval_s in usual_s.items():
        assert steady_pace(rig, interval_s, function, symbols, asked) == PACE
    rig.wait_until(lambda: suspended(rig) == [("*", "RSI")], 2, "metrics")
    rig.vendor.clear()
    since_ms = now_ms()
    rig.wait_until(
        lambda: all(
            rig.keys.technicals(s, "RSI")["fetched_ts"] > since_ms for s in rig.symbols
        ),
        3 + LATE_S + 2.2 + 0.5, "RSI of all symbols",
    )  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with vendors_side_by_side(tmp_path_factory.mktemp("open"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_suspensions(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
