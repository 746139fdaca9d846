from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from tests.store.ops_client import Operator, alone, now_ms
from tests.support.ports import free_port

WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
STALE: Final = {"age_s": 151.2, "budget_s": 120.0, "since_ts": 1_795_709_145_300, "reason": "mute"}
NO_SUPERVISORD: Final = "supervisord does not answer, try `make up`"


@pytest.fixture
def ops(
    client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Operator:
    alone(monkeypatch, tmp_path, redis_url)
    return Operator(client)


def side(best: float, step: float) -> list[list[Any]]:
    return [[round(best + step * place, 2), 100, "ARCA"] for place in range(10)]


def fill_book(ops: Operator, state: str = "live") -> None:
    at_ms = now_ms() - 400
    book = {"ts": at_ms, "received_ts": at_ms, "bids": side(585.0, -0.01), "asks": side(585.1, 0.1)}
    ops.redis.set("market:SPY:book", json.dumps({**book, "venues": ["ARCA"]}))
    ops.redis.set("market:SPY:ARCA:book", json.dumps({**book, "state": state, "seq": 7}))
    ops.redis.hset("raw:ibkr:depth:last:SPY", mapping={"ts": at_ms, "seq": 9, "venue": "ARCA"})
    trade = {"ts": at_ms, "price": 585.05, "size": 100, "venue": "IEX", "feed": "tbt"}
    ops.redis.rpush("market:SPY:trades", json.dumps(trade))


def test_status_without_supervisord_judges_heartbeats_and_exits_1(ops: Operator) -> None:
    for worker in (*WORKERS, "watchdog"):
        ops.beat(worker)
    ops.checked()
    found = ops.told("status", code=1)
    assert found["wrong"] == [NO_SUPERVISORD]
    assert [one["name"] for one in found["processes"]] == [*WORKERS, "watchdog"]


def test_status_of_an_empty_redis_names_all_that_is_missing(ops: Operator) -> None:
    lines = ops.lines("status", code=1)
    assert lines[0].startswith("source none   market unknown, nobody says   redis ")
    assert [line for line in lines if line.startswith("wrong: ")] == [
        f"wrong: {NO_SUPERVISORD}",
        *(f"wrong: {worker} has no heartbeat" for worker in WORKERS),
        "wrong: nobody checks: the watchdog does not run",
    ]


def test_status_measures_the_rates_of_depth_and_trades(ops: Operator) -> None:
    at_ms = now_ms()
    ops.beat("ibkr_depth")
    ops.redis.hset("raw:ibkr:depth:last:SPY", "seq", 700)
    ops.redis.xadd("raw:ibkr:depth:stream:SPY", {"seq": 1}, id=f"{at_ms - 60_000}-1")
    ops.redis.xadd("raw:ibkr:depth:stream:SPY", {"seq": 651}, id=f"{at_ms - 5_000}-651")
    ops.beat("ibkr_trades")
    ops.redis.hset("coord:seq:ibkr_trades", mapping={"trades:SPY": 100, "bars:SPY": 9})
    rates = {one["name"]: one["rate_per_s"] for one in ops.told("status", code=1)["processes"]}
    assert (rates["ibkr_depth"], rates["ibkr_trades"]) == (5.0, 0.0)


def test_stale_says_that_nobody_checks(ops: Operator) -> None:
    assert ops.lines("stale", code=1) == ["nobody checks: the watchdog does not run"]


def test_nothing_stale_exits_0_and_something_1(ops: Operator) -> None:
    ops.checked(400)
    [line] = ops.lines("stale")
    assert line.startswith("nothing is stale, checked 0.") and line.endswith(" s ago")
    ops.beat("watchdog", state="stopped")
    assert ops.lines("stale", code=1) == ["nobody checks: the watchdog does not run"]
    ops.beat("watchdog")
    ops.checked(trades__SPY=STALE)
    assert ops.lines("stale", code=1) == [
        "field         age  budget  since     reason",
        "trades:SPY  2m31s   2m00s  16:05:45  mute",
    ]
    assert ops.told("stale", code=1)["stale"] == {"trades:SPY": STALE}


def test_gaps_are_filtered_and_the_newest_stand_last(ops: Operator) -> None:
    for number, (feed, symbol) in enumerate(
        [("depth", "SPY"), ("trades", "SPY"), ("depth", "QQQ"), ("depth", "SPY")]
    ):
        fields: dict[Any, Any] = {"feed": feed, "symbol": symbol, "reason": f"r{number}"}
        ops.redis.xadd("monitoring:gaps", {**fields, "from_ts": 1_795_709_145_300})
    reasons = [one["reason"] for one in ops.told("gaps", "--feed", "depth", "--symbol", "spy")]
    assert reasons == ["r0", "r3"]
    assert [one["reason"] for one in ops.told("gaps", "--last", "2")] == ["r2", "r3"]
    assert ops.lines("gaps", "--feed", "bars") == ["no gaps"]
    assert ops.refused("gaps", "--feed", "quotes", code=2) == (
        "tickvisor: unknown feed quotes, must be one of depth, trades, bars"
    )


def test_incidents_are_looked_for_far_back(ops: Operator) -> None:
    ops.redis.xadd("monitoring:incidents", {"ts": 1, "kind": "309", "symbol": "QQQ", "text": "old"})
    with ops.redis.pipeline() as pipe:
        for _ in range(1_200):
            pipe.xadd("monitoring:incidents", {"ts": 2, "kind": "mute", "symbol": "SPY"})
        pipe.execute()
    [found] = ops.told("incidents", "--kind", "309", "--last", "3")
    assert (found["text"], found["ts"]) == ("old", 1)
    assert len(ops.told("incidents", "--symbol", "SPY", "--last", "1100")) == 1_100


def test_a_book_is_shown_with_its_tape(ops: Operator) -> None:
    fill_book(ops)
    lines = ops.lines("book", "spy")
    assert lines[0].startswith("SPY live at ARCA, seq 9, age 0.")
    assert lines[1] == "mid 585.05, spread 0.10 (1.71 bps)"
    assert lines[4].split()[:4] == ["ARCA", "100", "██████", "585.00"]
    assert lines[4].split()[-2:] == ["585.05", "100"]
    assert (len(lines), max(map(len, lines)) <= 80) == (14, True)


def test_a_parked_book_is_that_of_its_venue(ops: Operator) -> None:
    fill_book(ops, "parked")
    found = ops.told("book", "SPY", "--venue", "arca")
    assert (found["state"], found["venue"], found["seq"]) == ("parked", "ARCA", 7)
    assert ops.lines("book", "SPY")[0].startswith(
        "SPY@ARCA parked, the last known book, seq 7, age 0."
    )


def test_a_symbol_without_a_book_says_why(ops: Operator) -> None:
    assert ops.refused("book", "SPY") == "tickvisor: SPY: no book, ibkr_depth does not run"
    refusal = {"code": 354, "text": "not subscribed", "ts": 1, "retry_ts": 2}
    ops.redis.hset("coord:depth:fallback", "SPY:ARCA", json.dumps(refusal))
    assert ops.refused("book", "SPY") == (
        "tickvisor: SPY: no book, depth is refused at ARCA (354): not subscribed"
    )
    assert ops.told("book", "SPY", code=1)["reason"].startswith("depth is refused")


@pytest.mark.parametrize("command", ["book", "chain", "resubscribe"])
def test_an_unknown_symbol_names_the_nearest(ops: Operator, command: str) -> None:
    assert ops.refused(command, "SPI", code=2) == ("tickvisor: unknown symbol SPI, nearest is SPY")


def test_an_unknown_venue_is_wrong_usage(ops: Operator) -> None:
    assert ops.refused("book", "SPY", "--venue", "NYSE", code=2) == (
        "tickvisor: unknown venue NYSE, must be one of ARCA"
    )


def test_a_chain_lists_expirations_or_shows_one(ops: Operator) -> None:
    contract = {"expiration": "2026-12-18", "strike": 585.0, "type": "call", "bid": 1.5}
    chain = {
        "as_of": "2026-11-26",
        "fetched_ts": now_ms(),
        "by_contract": {"A": contract},
        "expirations": [{"expiration": "2026-12-18", "dte": 22, "calls": 1, "puts": 0}],
        "metrics": {"contracts": 1},
    }
    ops.redis.set("options:SPY:chain", json.dumps(chain))
    ops.redis.hset("market:SPY:ticker", "last", "584.9")
    assert ops.lines("chain", "SPY")[3].split()[:4] == ["2026-12-18", "22", "1", "0"]
    shown = ops.lines("chain", "SPY", "--expiration", "2026-12-18")
    assert shown[-1].split()[2:4] == ["1.50", "▸585"]
    assert ops.refused("chain", "SPY", "--expiration", "2026-12-19", code=2) == (
        "tickvisor: unknown expiration '2026-12-19' of SPY, nearest is 2026-12-18"
    )


def test_a_missing_chain_exits_1(ops: Operator) -> None:
    ops.redis.hset("monitoring:options:SPY", mapping={"status": "error", "error": "HTTP 500"})
    assert ops.refused("chain", "SPY") == "tickvisor: no chain of SPY: error, HTTP 500"


def test_the_budget_of_a_bucket_nobody_used_is_empty(ops: Operator) -> None:
    found = ops.told("budget")
    assert (found["bucket"]["granted"], found["bucket"]["budget_per_min"]) == (0, 590)
    assert [one["worker"] for one in found["calls"]] == ["av_options", "av_sentiment"]


def test_an_open_breaker_counts_down(ops: Operator) -> None:
    circuit = {"state": "open", "failures": 3, "until_ts": now_ms() + 60_000, "reason": "HTTP 500"}
    ops.redis.hset("coord:breaker:av_options", "SPY:options", json.dumps(circuit))
    [found] = ops.told("budget")["circuits"]
    assert 50 < found["left_s"] <= 60
    assert ops.lines("budget")[-1].split()[:3] == ["av_options", "SPY:options", "open"]


def test_coverage_without_a_worker_shows_every_symbol(ops: Operator) -> None:
    lines = ops.lines("coverage")
    assert [line.split()[0] for line in lines[1:3]] == ["SPY", "QQQ"]
    assert lines[-1] == "no slot is held"


def test_verify_names_every_fault_on_a_line_and_exits_1(ops: Operator) -> None:
    assert ops.lines("verify")[-1] == "0 keys checked in 1 pass, no fault"
    ops.redis.set("coord:source", "sim")
    ops.redis.set("market:SPY:last", "{", ex=60)
    lines = ops.lines("verify", "--seconds", "0", code=1)
    assert lines[0].startswith("market:SPY:last ")
    assert lines[-1] == "2 keys checked in 1 pass, 1 fault"
    assert ops.told("verify", code=1)["checked"]["last"] == 1


def test_keys_of_another_type_are_absent(ops: Operator) -> None:
    for key in ("monitoring:data:stale", "market:SPY:trades", "monitoring:ibkr:metrics"):
        ops.redis.set(key, "x")
    ops.redis.rpush("market:SPY:book", "x")
    assert ops.lines("stale", code=1) == ["nobody checks: the watchdog does not run"]
    assert ops.run("status").exit_code == 1
    assert ops.refused("book", "SPY").startswith("tickvisor: SPY: no book")


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("stale",),
        ("gaps",),
        ("incidents", "--follow"),
        ("coverage",),
        ("book", "SPY"),
        ("chain", "SPY"),
        ("budget",),
        ("verify",),
        ("resubscribe", "SPY"),
        ("reconnect", "ibkr_depth"),
    ],
)
def test_a_redis_that_is_away_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    alone(monkeypatch, tmp_path, url)
    with redis.Redis.from_url(url) as nobody:
        assert Operator(nobody).refused(*words).startswith(f"tickvisor: redis at {url}: ")
