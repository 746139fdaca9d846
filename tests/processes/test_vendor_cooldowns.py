"""A limit told to one worker stops all processes on the key, for as long as the text means."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.vendor_keys import Row
from tests.support.vendor_rig import (
    BOTH,
    KEY,
    NEWS,
    OPTIONS,
    Table,
    VendorPlan,
    VendorRig,
    gaps_s,
    now_ms,
    vendor_scenario,
    vendors_side_by_side,
)

SCENARIOS: Final[Table] = {}
# Calls that had left when the refusal came.
UNDER_WAY_S: Final = 0.3
# After the end: slots of both workers come one after the other.
RESUMED_S: Final = 1.0
BURST_S: Final = 2.0


def refused_at(rows: list[Row], kind: str) -> Row:
    return next(row for row in rows if row["outcome"] == f"fault:{kind}")


def quiet_after(rows: list[Row], refused: Row) -> tuple[float, dict[str, float]]:
    """The length of the silence, and when each worker was back (from the refusal on)."""
    began_s = refused["mono_s"]
    times_s = [row["mono_s"] - began_s for row in rows if row["n"] >= refused["n"]]
    before = max(t for t in times_s if t < UNDER_WAY_S)
    after = {
        worker: min(
            row["mono_s"] - began_s
            for row in rows
            if row["client"].endswith(worker) and row["mono_s"] - began_s > UNDER_WAY_S
        )
        for worker in BOTH
    }
    return min(after.values()) - before, after


def wait_both(rig: VendorRig, since: int, refused: Row, timeout_s: float) -> None:
    def back() -> bool:
        rows = [r for r in rig.arrivals(since) if r["mono_s"] > refused["mono_s"] + UNDER_WAY_S]
        return {row["client"].rpartition(" ")[2] for row in rows} == set(BOTH)

    rig.wait_until(back, timeout_s, "both workers back")


def serve(rig: VendorRig, kind: str, function: str, count: int = 1) -> tuple[int, Row]:
    """Where to count on from, and the first request that met the text."""
    asked = rig.asked()
    rig.vendor.fault(kind, function=function, count=count)

    def refused() -> list[Row]:
        return [r for r in rig.arrivals(asked, function) if r["outcome"] == f"fault:{kind}"]

    (first, *_) = rig.wait_until(refused, 5, f"{kind} served")
    return asked, first


def statuses(rig: VendorRig) -> set[tuple[str | None, str | None]]:
    """Status and error of all monitors."""
    found = [rig.keys.monitor(s) for s in rig.symbols]
    found += [rig.keys.news_monitor(s) for s in rig.symbols if s != "SPY"]
    return {(one.get("status"), one.get("error")) for one in found}


def nothing_suspended(rig: VendorRig) -> None:
    for worker in BOTH:
        assert rig.keys.circuits(worker) == {}
        assert rig.keys.figures(worker)["failures"] == 0


def short_cooldown(rig: VendorRig, kind: str, function: str) -> None:
    rig.begin()
    asked, refused = serve(rig, kind, function)
    rig.wait_until(
        lambda: rig.keys.figures("token_bucket").get("cooldown_reason") == "burst limit", 2, "told"
    )
    wait_both(rig, asked, refused, 6)
    silence_s, back = quiet_after(rig.arrivals(asked), refused)
    print(f"{kind} of {function}: silent for {silence_s:.2f} s, back at {back}")
    assert min(back.values()) > BURST_S - 0.02 and max(back.values()) < BURST_S + RESUMED_S
    rig.wait_chains(2.5)
    rig.wait_documents(5)
    nothing_suspended(rig)
    assert rig.keys.incidents("rate_limit") == []


@vendor_scenario(SCENARIOS)
def a_burst_text_to_chains(rig: VendorRig, server: RedisServer) -> None:
    short_cooldown(rig, "info_burst_5", OPTIONS)


@vendor_scenario(SCENARIOS)
def a_burst_text_to_indicators(rig: VendorRig, server: RedisServer) -> None:
    short_cooldown(rig, "info_burst_30", "RSI")


@vendor_scenario(SCENARIOS)
def a_status_429_to_news(rig: VendorRig, server: RedisServer) -> None:
    short_cooldown(rig, "status_429", NEWS)


@vendor_scenario(SCENARIOS)
def a_minute_text_stops_both_to_the_end_of_the_minute(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    # The window begins with the first call of all.
    began_s = rig.arrivals(0)[0]["mono_s"]
    rig.wait_until(lambda: rig.vendor.stats()["requests"] > 300, 60, "most of the minute")
    asked, refused = serve(rig, "info_minute_premium", "RSI")
    wait_s = 60 - (refused["mono_s"] - began_s)
    assert wait_s > 3, "the window must not be over yet"
    wait_both(rig, asked, refused, 65)
    silence_s, back = quiet_after(rig.arrivals(asked), refused)
    print(f"minute: silent for {silence_s:.2f} s, the window had {wait_s:.2f} s left, back {back}")
    assert wait_s - 0.3 < min(back.values())
    assert max(back.values()) < wait_s + RESUMED_S + 0.3
    (told,) = rig.keys.incidents("rate_limit")
    assert "minute limit" in told["text"] and told["worker"] == "av_sentiment"
    nothing_suspended(rig)


@vendor_scenario(SCENARIOS, VendorPlan(settings={"daily_cooldown_s": 6.0}))
def a_daily_text_with_the_key_in_it_stops_both_and_is_told(
    rig: VendorRig, server: RedisServer
) -> None:
    rig.begin()
    asked, refused = serve(rig, "key_echo", OPTIONS)
    wait_both(rig, asked, refused, 10)
    silence_s, back = quiet_after(rig.arrivals(asked), refused)
    print(f"daily: silent for {silence_s:.2f} s, back at {back}")
    assert min(back.values()) > 6 - 0.02 and max(back.values()) < 6 + RESUMED_S
    (told,) = rig.keys.incidents("rate_limit")
    assert told["text"].startswith("daily limit, no calls for 6 s") and "***" in told["text"]
    assert KEY not in told["text"]
    nothing_suspended(rig)
    rig.wait_chains(2.5)


ODD_KEY: Final = "Q+7/odd=key%41~*&Z"


@vendor_scenario(SCENARIOS, VendorPlan(settings={"daily_cooldown_s": 2.0}, key=ODD_KEY))
def a_key_of_odd_letters_is_as_hidden_as_any(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    for function in (OPTIONS, NEWS, "RSI"):
        asked, refused = serve(rig, "note_daily25_withkey", function)
        wait_both(rig, asked, refused, 8)
        (told, *_) = rig.keys.incidents("rate_limit")
        assert "***" in told["text"]
    assert len(rig.keys.incidents("rate_limit")) == 3


@vendor_scenario(SCENARIOS, VendorPlan(settings={"daily_cooldown_s": 70.0}))
def a_long_daily_cooldown_is_told_of_every_symbol_and_outlives_a_kill(
    rig: VendorRig, server: RedisServer
) -> None:
    rig.begin()
    asked, refused = serve(rig, "info_daily25_nokey", NEWS)
    rig.wait_until(
        lambda: statuses(rig) == {("suspended", "daily limit")}, 6, "told of every symbol"
    )
    rig.wait_until(
        lambda: all("daily limit" in rig.keys.beat(worker)["detail"] for worker in BOTH),
        2, "heartbeats",
    )  # fmt: skip
    assert {rig.keys.beat(worker)["state"] for worker in BOTH} == {"degraded"}
    rig.options.kill()
    rig.options.start()
    rig.wait_until(
        lambda: rig.keys.beat("av_options").get("pid") == rig.options.pid, 10, "its successor"
    )
    # Whatever the sleep between, both are back when it is over.
    wait_both(rig, asked, refused, 80)
    silence_s, back = quiet_after(rig.arrivals(asked), refused)
    print(f"long daily: silent for {silence_s:.2f} s, back at {back}")
    assert min(back.values()) > 70 - 0.02 and max(back.values()) < 70 + 2.0
    rig.wait_chains(3)
    rig.wait_documents(5)
    rig.wait_until(lambda: statuses(rig) == {("ok", "")}, 2, "ok again")


@vendor_scenario(SCENARIOS, VendorPlan(settings={"daily_cooldown_s": 7.0}))
def the_free_plans_text_is_taken_for_the_day_when_repeated(
    rig: VendorRig, server: RedisServer
) -> None:
    rig.begin()
    asked = rig.asked()
    rig.vendor.fault("info_free_1ps_2026")
    rig.wait_until(lambda: rig.keys.incidents("rate_limit"), 15, "told as the day's")
    told_ms = now_ms()
    rig.vendor.clear()
    assert "daily limit, no calls for 7 s" in rig.keys.incidents("rate_limit")[0]["text"]
    rig.wait_chains(11, since_ms=told_ms + 6500)
    waits = [gap for gap in gaps_s(rig.arrivals(asked)) if gap > 1.0]
    print(f"free plan's text: silent for {waits}")
    assert waits[-1] > 7 - UNDER_WAY_S and 1 <= len(waits[:-1]) <= 4
    assert all(BURST_S - UNDER_WAY_S < wait < BURST_S + RESUMED_S for wait in waits[:-1])
    nothing_suspended(rig)
    rig.wait_documents(6)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with vendors_side_by_side(tmp_path_factory.mktemp("cool"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_cooldowns(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
