"""All of it as shipped, under supervisord: what stands still is flagged, replaced, and no worse."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
import redis

from deploy import processes
from tests.support.product import Product, wait_for

WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
WATCHDOG: Final = "watchdog"
FLAGGED_S: Final = 10.0
REPLACED_S: Final = 20.0
SPAN_MS: Final = 19_000
# Counters of each worker's work, and where they stand.
COUNTERS: Final = {
    "ibkr_depth": ("monitoring:ibkr:metrics", "updates"),
    "ibkr_trades": ("monitoring:ibkr:metrics", "trades"),
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One for all tests, so each leaves it as it was."""
    product = Product(tmp_path_factory.mktemp("watched"))
    try:
        done = product.launch("up")
        assert done.returncode == 0, done.stdout + done.stderr
        with product.client() as client:
            # The guardian leaves young processes alone.
            wait_for(lambda: age_s(client, WATCHDOG) > 15, 40, "old enough")
        yield product
    finally:
        done = product.launch("down")
        left = processes.find_ours(product.layout)
        processes.stop(left)
        assert (done.returncode, left) == (0, []), done.stdout


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def beat(client: redis.Redis, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(str(client.get(f"heartbeat:{name}") or "{}"))
    return found


def age_s(client: redis.Redis, name: str) -> float:
    return (now_ms() - int(beat(client, name).get("started_ts", now_ms()))) / 1000


def stale(client: redis.Redis) -> dict[str, dict[str, Any]]:
    found: Any = client.hgetall("monitoring:data:stale")
    return {name: json.loads(text) for name, text in found.items() if name != "_checked_ts"}


def told(client: redis.Redis, since_ms: int, kind: str, name: str) -> list[str]:
    """The guardian's incidents of this kind about a program."""
    entries: Any = client.xrange("monitoring:incidents")
    return [
        fields["text"]
        for _, fields in entries
        if (fields["worker"], fields["kind"]) == ("guardian", kind)
        and int(fields["ts"]) >= since_ms
        and fields["text"].startswith(f"{name}:")
    ]


def counts(client: redis.Redis, names: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Time of each worker's newest figures, and its count in them."""
    found = {}
    for name in names:
        key, counter = COUNTERS[name]
        row = json.loads(str(client.hget(key, name)))
        found[name] = (int(row["ts"]), int(row[counter]))
    return found


def rates(client: redis.Redis, before: dict[str, tuple[int, int]]) -> dict[str, float]:
    """Updates a second of each since then, over a span at least, by figures of its own."""

    def newer() -> bool:
        after = counts(client, tuple(before))
        return all(after[name][0] >= before[name][0] + SPAN_MS for name in before)

    wait_for(newer, SPAN_MS / 1000 + 15, "figures")
    after = counts(client, tuple(before))
    return {
        name: (after[name][1] - before[name][1]) / (after[name][0] - before[name][0]) * 1000
        for name in before
    }


def usual_rates(client: redis.Redis, names: tuple[str, ...]) -> dict[str, float]:
    return rates(client, counts(client, names))


def polled(client: redis.Redis) -> int:
    """How many option chains were fetched in the last poll interval and a half."""
    since_ms = now_ms() - 15_000
    found = [client.hget(f"monitoring:options:{symbol}", "fetched_ts") for symbol in SYMBOLS]
    return sum(int(str(one or 0)) > since_ms for one in found)


SYMBOLS: Final = (
    "SPY", "QQQ", "IWM", "AAPL", "MSFT", "GOOGL", "AMZN", "META", "NVDA", "TSLA",
)  # fmt: skip


def replaced(client: redis.Redis, name: str, old: int) -> bool:
    found = beat(client, name)
    return found.get("pid") not in (None, old) and found["state"] in ("running", "degraded")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_that_stands_still_is_flagged_and_replaced(product: Product, name: str) -> None:
    with product.client() as client:
        others = tuple(one for one in COUNTERS if one != name)
        usual = settled(client, name, others)
        old, before, began_s = beat(client, name)["pid"], counts(client, others), time.monotonic()
        since_ms = now_ms()
        os.kill(old, signal.SIGSTOP)
        seen_s = flagged(client, name, began_s)
        wait_for(lambda: replaced(client, name, old), REPLACED_S - seen_s, f"{name} replaced")
        took_s = time.monotonic() - began_s
        print(f"{name}: flagged after {seen_s:.1f} s, replaced after {took_s:.1f} s")
        (hung,) = told(client, since_ms, "hung", name)
        assert f"pid {old} is stopped by a signal: killed" in hung
        unchanged(client, usual, rates(client, before))
        if name != "av_options":
            wait_for(lambda: polled(client) == len(SYMBOLS), 20, "chains")
        wait_for(lambda: stale(client) == {}, 60, "nothing is stale")


def settled(client: redis.Redis, name: str, others: tuple[str, ...]) -> dict[str, float]:
    """All is well, the process is old enough to be judged; the others' usual rates."""
    wait_for(lambda: stale(client) == {}, 60, "nothing is stale")
    wait_for(lambda: age_s(client, name) > 12, 30, "old enough")
    return usual_rates(client, others)


def flagged(client: redis.Redis, name: str, began_s: float) -> float:
    """How long it took until its heartbeat stood in the stale hash."""
    while f"heartbeat:{name}" not in stale(client):
        assert time.monotonic() - began_s < FLAGGED_S, f"{name} is not flagged"
        time.sleep(0.05)
    return time.monotonic() - began_s


def unchanged(client: redis.Redis, usual: dict[str, float], during: dict[str, float]) -> None:
    """What a fault span had is within a tenth of a usual one; those differ on a busy machine."""
    for _ in range(3):
        print({name: f"{usual[name]:.1f} -> {during[name]:.1f} a second" for name in usual})
        if all(abs(during[name] / usual[name] - 1) <= 0.1 for name in usual):
            return
        usual = usual_rates(client, tuple(usual))
    raise AssertionError(f"rates were {during} during the fault, usual are {usual}")


@pytest.mark.timeout(300)
def test_a_watchdog_that_stands_still_is_told_of_and_replaced(product: Product) -> None:
    with product.client() as client:
        usual = settled(client, WATCHDOG, tuple(COUNTERS))
        old, before = beat(client, WATCHDOG)["pid"], counts(client, tuple(COUNTERS))
        began_s, since_ms = time.monotonic(), now_ms()
        os.kill(old, signal.SIGSTOP)
        wait_for(lambda: told(client, since_ms, "hung", WATCHDOG) != [], FLAGGED_S, "told")
        seen_s = time.monotonic() - began_s
        wait_for(lambda: replaced(client, WATCHDOG, old), REPLACED_S - seen_s, "replaced")
        print(f"watchdog: told after {seen_s:.1f} s, replaced {time.monotonic() - began_s:.1f} s")
        checked_ms = now_ms()
        wait_for(
            lambda: int(str(client.hget("monitoring:data:stale", "_checked_ts"))) > checked_ms,
            10, "it looks",
        )  # fmt: skip
        unchanged(client, usual, rates(client, before))
        # The new one has found nothing that is not there.
        entries: Any = client.xrange("monitoring:incidents")
        wrong = [f for _, f in entries if f["kind"] == "stale" and int(f["ts"]) >= since_ms]
        assert (stale(client), wrong) == ({}, [])
