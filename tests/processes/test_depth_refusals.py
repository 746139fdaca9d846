"""What the gateway refuses: venues, entitlements, client ids, contracts without depth."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.processes.conftest import StartDepth
from tests.support.depth_keys import now_ms
from tests.support.depth_rig import DepthPlan, DepthRig

RETRY_S: Final = 5.0
OTHERS: Final = ("SPY", "QQQ")


def refusing(code: int) -> DepthPlan:
    """TSLA is refused with this code; the others are served."""
    return DepthPlan(
        ibkr={"fallback_retry_s": RETRY_S},
        before=(("entitle", {"symbol": "TSLA", "code": code}),),
    )


def times_refused(rig: DepthRig, code: int) -> int:
    return int(rig.gateway.stats()["refused"].get(str(code), 0))


def log_lines(rig: DepthRig) -> list[dict[str, Any]]:
    return [json.loads(line) for line in rig.worker.log_text().splitlines()]


@pytest.mark.parametrize("code", [354, 10089, 10090, 10168, 10186])
def test_a_pair_without_entitlement_is_parked_with_code_and_retry_time(
    start_depth: StartDepth, code: int
) -> None:
    rig = start_depth(refusing(code))
    began_ms = now_ms()
    entry = rig.wait_until(rig.keys.fallback, 10, "a fallback entry")["TSLA:NASDAQ"]
    assert set(entry) == {"code", "text", "ts", "retry_ts"}
    assert entry["code"] == code and "market data" in entry["text"]
    assert abs(entry["ts"] - began_ms) < 5000
    assert entry["retry_ts"] - entry["ts"] == RETRY_S * 1000
    rig.wait_fresh(5, OTHERS)
    assert [i["symbol"] for i in rig.keys.incidents("refused")] == ["TSLA"]
    assert rig.gateway.mistakes() == {}


def test_a_refused_pair_is_asked_again_at_its_time_and_then_served(
    start_depth: StartDepth,
) -> None:
    rig = start_depth(refusing(354))
    retry_ts = rig.wait_until(rig.keys.fallback, 10, "refusal")["TSLA:NASDAQ"]["retry_ts"]
    rig.wait_until(lambda: now_ms() > retry_ts - 1000, 10, "a second before the retry")
    assert times_refused(rig, 354) == 1
    rig.gateway.call("entitle", symbol="TSLA", code=None)
    rig.wait_until(lambda: rig.keys.received_ms("TSLA") > retry_ts, 5, "depth after the retry")
    assert rig.keys.fallback() == {}


def test_a_refusal_is_remembered_over_a_restart_of_the_worker(start_depth: StartDepth) -> None:
    rig = start_depth(refusing(10092))
    entry = rig.wait_until(rig.keys.fallback, 10, "refusal")["TSLA:NASDAQ"]
    asked = times_refused(rig, 10092)
    rig.worker.kill()
    rig.worker.start()
    rig.wait_fresh(5, OTHERS)
    rig.wait_until(lambda: now_ms() > entry["retry_ts"] - 1500, 10, "shortly before the retry")
    assert (times_refused(rig, 10092), rig.keys.fallback()["TSLA:NASDAQ"]) == (asked, entry)
    rig.wait_until(lambda: times_refused(rig, 10092) > asked, 5, "asked again at its time")


@pytest.mark.parametrize("code", [200, 10092])
@pytest.mark.parametrize(("known", "written"), [("NASDAQ", "ISLAND"), ("ISLAND", "NASDAQ")])
def test_a_venue_is_found_under_either_spelling(
    start_depth: StartDepth, known: str, written: str, code: int
) -> None:
    flags = ("--nasdaq-name", known, "--wrong-venue-code", str(code))
    rig = start_depth(DepthPlan({"QQQ": (written,), "SPY": ("ARCA",)}, gateway=flags))
    rig.wait_fresh(5)
    assert {record["exchange"] for record in rig.gateway.records("QQQ")} == {known}
    assert rig.keys.venue_book("QQQ", "NASDAQ")["venue"] == "NASDAQ"
    assert rig.keys.fallback() == {}


def test_a_symbol_without_a_venue_is_asked_for_at_its_primary_exchange(
    start_depth: StartDepth,
) -> None:
    rig = start_depth(DepthPlan({"IBM": (), "QQQ": ()}))
    rig.wait_fresh(5)
    found = {record["symbol"]: record["exchange"] for record in rig.gateway.records()}
    assert found == {"IBM": "NYSE", "QQQ": "ISLAND"}
    assert rig.gateway.stats()["smart_requests"] == 0


def test_an_index_without_depth_is_warned_about_once_and_skipped(start_depth: StartDepth) -> None:
    plan = DepthPlan({"SPX": (), "SPY": ("ARCA",)}, ibkr={"fallback_retry_s": 1.0})
    rig = start_depth(plan)
    rig.wait_until(lambda: times_refused(rig, 10092) >= 3, 10, "asked for the third time")
    rig.wait_fresh(5, ["SPY"])
    assert "SPX:CBOE" in rig.keys.fallback()
    warned = [line for line in log_lines(rig) if line["level"] == "WARNING"]
    assert len([line for line in warned if line.get("symbol") == "SPX"]) == 1


def test_an_unknown_symbol_is_parked_and_the_others_go_on(start_depth: StartDepth) -> None:
    rig = start_depth(DepthPlan({"ZZTOP": ("ARCA",), "SPY": ("ARCA",)}))
    assert rig.wait_until(rig.keys.fallback, 10, "refusal")["ZZTOP:ARCA"]["code"] == 200
    rig.wait_fresh(5, ["SPY"])


def test_a_taken_client_id_is_passed_over_within_a_second(start_depth: StartDepth) -> None:
    rig = start_depth(DepthPlan(before=(("hold_client_ids", {"ids": [777]}),)))
    rig.wait_fresh(5)
    (connected,) = rig.keys.incidents("connected")
    started_ts = rig.keys.heartbeat()["started_ts"]
    assert "client id 778" in connected["text"]
    assert int(connected["ts"]) - started_ts < 1000
    assert [c["client_id"] for c in rig.gateway.call("clients")["clients"]] == [778]


def test_with_every_client_id_taken_the_worker_waits_for_one(start_depth: StartDepth) -> None:
    taken = ("hold_client_ids", {"ids": list(range(777, 783))})
    rig = start_depth(DepthPlan(ibkr={"max_reconnect_attempts": 0}, before=(taken,)))
    rig.wait_until(lambda: rig.gateway.stats()["connections"] >= 12, 10, "two rounds of ids")
    rig.gateway.call("hold_client_ids", ids=[777])
    rig.wait_fresh(5)


def test_the_log_is_json_line_by_line(start_depth: StartDepth) -> None:
    rig = start_depth(DepthPlan(before=(("hold_client_ids", {"ids": [777]}),)))
    rig.wait_fresh(5)
    assert {line["worker"] for line in log_lines(rig)} == {"ibkr_depth"}
