"""What the depth worker says about itself and its symbols, as the Redis contract states it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Final

import pytest

from shared.version import VERSION
from tests.support.depth_keys import now_ms
from tests.support.depth_rig import DepthPlan, DepthRig, running_depth

# Four symbols on three slots: one is parked at any time.
VENUES: Final = {"SPY": ("ARCA",), "QQQ": ("ISLAND",), "TSLA": ("ISLAND",), "MSFT": ("ISLAND",)}
QUOTE_FIELDS: Final = {
    "bid", "bid_size", "bid_venue", "ask", "ask_size", "ask_venue", "mid", "spread", "spread_bps",
    "quote_ts", "quote_received_ts", "quote_source",
}  # fmt: skip
# The words of the contract's list of counters and gauges, as field names.
METRICS: Final = {
    "updates", "writes", "dropped", "conflated", "stragglers", "crossed_books", "queue_depth",
    "max_lag_ms", "latency_bounds_ms", "latency_counts", "latency_p50_ms", "latency_p99_ms",
    "reconnects", "subscriptions", "batch_size", "limit_refusals", "rss_bytes", "tasks",
    "cpu_s", "ts",
}  # fmt: skip


@pytest.fixture(scope="module")
def rig(module_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DepthRig]:
    plan = DepthPlan(venues=VENUES, gateway=("--rate", "50"))
    with running_depth(tmp_path_factory.mktemp("monitoring"), module_redis_url, plan) as started:
        started.wait_until(lambda: started.keys.rotation("cancel"), 15, "a first rotation")
        yield started


def ttl(rig: DepthRig, key: str) -> int:
    return int(str(rig.keys.redis.ttl(key)))


def wait_parked(rig: DepthRig) -> str:
    """A symbol that has just been rotated out, its dwell of two seconds still ahead."""
    seen = len(rig.keys.rotation("cancel"))
    rig.wait_until(lambda: len(rig.keys.rotation("cancel")) > seen, 10, "a rotation")

    def find() -> str | None:
        books = {
            s: rig.keys.venue_book(s, VENUES[s][0].replace("ISLAND", "NASDAQ")) for s in VENUES
        }
        owned = {symbol for symbol in VENUES if rig.keys.live_venues(symbol)}
        parked = [symbol for symbol, book in books.items() if book.get("state") == "parked"]
        return parked[0] if len(parked) == 1 and len(owned) == 3 else None

    return rig.wait_until(find, 10, "three symbols live and one parked") or ""


def test_a_rotated_out_symbol_keeps_its_last_book_and_loses_its_quote(rig: DepthRig) -> None:
    symbol = wait_parked(rig)
    venue = "ARCA" if symbol == "SPY" else "NASDAQ"
    newest, book = rig.keys.entries(symbol)[-1], rig.keys.venue_book(symbol, venue)
    assert (book["bids"], book["asks"], book["seq"]) == (newest.bids, newest.asks, newest.seq)
    assert QUOTE_FIELDS & rig.keys.hash(f"market:{symbol}:ticker").keys() == set()
    assert rig.keys.live_venues(symbol) is None
    assert [gap for gap in rig.keys.gaps() if gap.symbol == symbol] == []


def test_ownership_of_a_quote_is_renewed_every_second_for_five(rig: DepthRig) -> None:
    symbol = min(set(VENUES) - {wait_parked(rig)})
    seen = [ttl(rig, f"coord:depth:live:{symbol}")]
    until = time.monotonic() + 1.2
    while time.monotonic() < until:
        time.sleep(0.05)
        seen.append(int(str(rig.keys.redis.pttl(f"coord:depth:live:{symbol}"))) // 1000)
    assert rig.keys.live_venues(symbol) == ["ARCA" if symbol == "SPY" else "NASDAQ"]
    assert min(seen) >= 3 and max(seen) <= 5


def test_the_heartbeat_names_the_process_and_what_it_writes(rig: DepthRig) -> None:
    beat = rig.keys.heartbeat()
    ages_ms = now_ms() - beat.pop("ts"), now_ms() - beat.pop("started_ts")
    assert 0 <= ages_ms[0] < 3000 < 60_000 and ages_ms[1] > ages_ms[0]
    assert beat == {
        "worker": "ibkr_depth",
        "pid": rig.worker.pid,
        "host": socket.gethostname(),
        "version": VERSION,
        "source": "sim",
        "state": "running",
        "connected": True,
        "detail": "",
    }
    assert 25 <= ttl(rig, "heartbeat:ibkr_depth") <= 30


def test_the_family_heartbeat_has_a_field_per_worker(rig: DepthRig) -> None:
    family = rig.keys.hash("heartbeat:ibkr_ingestion")
    assert list(family) == ["ibkr_depth"]
    assert f'"pid":{rig.worker.pid}' in family["ibkr_depth"]
    assert 25 <= ttl(rig, "heartbeat:ibkr_ingestion") <= 30


def test_a_logged_in_worker_is_connected_for_the_heartbeats_lifetime(rig: DepthRig) -> None:
    assert rig.keys.connected() == "1"
    assert 25 <= ttl(rig, "ibkr:connected") <= 30


def test_the_source_is_marked_in_redis_for_good(rig: DepthRig) -> None:
    assert rig.keys.text("coord:source") == "sim"
    assert ttl(rig, "coord:source") == -1


def test_the_lease_names_its_holder_and_ends_with_it(rig: DepthRig) -> None:
    lease = rig.keys.json("coord:lease:ibkr_depth")
    assert set(lease) == {"token", "host", "pid", "pid_start"}
    assert (lease["host"], lease["pid"]) == (socket.gethostname(), rig.worker.pid)
    assert 5 <= ttl(rig, "coord:lease:ibkr_depth") <= 10


def test_metrics_hold_every_counter_of_the_contract(rig: DepthRig) -> None:
    metrics = rig.keys.metrics()
    assert METRICS - metrics.keys() == set()
    assert metrics["updates"] >= metrics["writes"] > 100
    assert sum(metrics["latency_counts"]) == metrics["writes"]
    assert 0 < metrics["latency_p50_ms"] <= metrics["latency_p99_ms"]
    assert metrics["rss_bytes"] < 120e6
    assert 110 <= ttl(rig, "monitoring:ibkr:metrics") <= 120


def test_coverage_accounts_for_every_symbols_live_time(rig: DepthRig) -> None:
    found = rig.keys.hash("monitoring:depth:coverage")
    assert set(found) == set(VENUES)
    for symbol in VENUES:
        row = rig.keys.coverage()[symbol]
        assert set(row) == {"live_s", "session_s", "share", "last_live_ts", "subscriptions"}
        assert 0 < row["live_s"] < row["session_s"]
        assert row["share"] == pytest.approx(row["live_s"] / row["session_s"], abs=0.01)
        assert 0 <= now_ms() - row["last_live_ts"] < 10_000
    granted = {s: len(rig.gateway.records(s)) for s in VENUES}
    assert sum(granted.values()) >= sum(r["subscriptions"] for r in rig.keys.coverage().values())
    assert 110 <= ttl(rig, "monitoring:depth:coverage") <= 120


def test_the_rotation_ledger_tells_each_turn_with_its_request(rig: DepthRig) -> None:
    lines = [fields for _, fields in rig.keys.stream("monitoring:depth:rotation")]
    assert {tuple(line) for line in lines} == {
        ("ts", "slot", "symbol", "venue", "event", "req_id", "detail")
    }
    turn = [line for line in lines if line["req_id"] == lines[0]["req_id"]]
    assert [line["event"] for line in turn] == ["subscribe", "live", "cancel"]
    assert {line["slot"] for line in lines} == {"0", "1", "2"}
    assert ttl(rig, "monitoring:depth:rotation") == -1


def test_incidents_tell_the_login_with_its_client_id(rig: DepthRig) -> None:
    lines = [fields for _, fields in rig.keys.stream("monitoring:incidents")]
    assert {tuple(line) for line in lines} == {("ts", "worker", "kind", "symbol", "text")}
    assert (lines[0]["worker"], lines[0]["kind"]) == ("ibkr_depth", "connected")
    assert "777" in lines[0]["text"]
