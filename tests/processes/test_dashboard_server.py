"""The dashboard's server, on a Redis that the test fills by hand, as a user who may only read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import redis

from tests.support.dashboard_process import TOKEN, Dashboard
from tests.support.dashboard_redis import fill, now_ms

MOST_RSS: Final = 150 * 1024 * 1024
READER: Final = (
    "-@all", "+@read", "+@connection", "+info", "+time", "+multi", "+exec",
    "+rpush", "+ltrim", "+expire",
)  # fmt: skip
# What an order needs besides.
ORDERS: Final = {"rpush", "ltrim", "expire", "multi", "exec"}


@pytest.fixture(scope="module")
def client(module_redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(module_redis_url, decode_responses=True) as found:
        fill(found)
        yield found


@pytest.fixture(scope="module")
def dashboard(
    module_redis_url: str, client: redis.Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dashboard]:
    client.acl_setuser(
        "reader", enabled=True, passwords=["+reading"], commands=list(READER), keys=["*"]
    )
    parts = urlsplit(module_redis_url)
    url = parts._replace(netloc=f"reader:reading@{parts.hostname}:{parts.port}").geturl()
    home: Path = tmp_path_factory.mktemp("dashboard")
    client.config_resetstat()
    found = Dashboard(home, url, {"SPY": ("ARCA",), "QQQ": ("ISLAND",)}).started()
    yield found
    found.close()
    client.acl_deluser("reader")


def test_the_page_comes_with_a_strict_policy_and_is_asked_for_anew(dashboard: Dashboard) -> None:
    status, headers, body = dashboard.ask("/")
    assert status == 200
    assert b"<title>tickvisor</title>" in body
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert dashboard.ask("/", if_none_match=headers["etag"])[0] == 304


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/assets/main.js", "GET", 200),
        ("/assets/none.js", "GET", 404),
        ("/assets/..%2f..%2fserver.py", "GET", 404),
        ("/events?topics=nothing", "GET", 404),
        ("/events?topics=ladder:ZZZ", "GET", 404),
        ("/events?topics=" + ",".join(["top"] * 20), "GET", 404),
        ("/heat/ZZZ", "GET", 404),
        ("/resubscribe", "GET", 405),
        ("/", "POST", 405),
        ("/events", "DELETE", 405),
    ],
)
def test_only_what_there_is_is_served(
    dashboard: Dashboard, path: str, method: str, status: int
) -> None:
    assert dashboard.ask(path, method)[0] == status


@pytest.mark.parametrize("path", ["/", "/events?topics=top", "/assets/main.js", "/resubscribe"])
def test_a_name_that_only_leads_here_is_served_nothing(dashboard: Dashboard, path: str) -> None:
    status, _, body = dashboard.ask(path, host="rebound.example")
    assert (status, body) == (421, b"this host is not served here")


def test_every_topic_shows_what_redis_holds(dashboard: Dashboard) -> None:
    topics = "top,wall,ladder:SPY,rotation,options:SPY,budget,processes,incidents"
    wanted = {
        ("wall", "row:SPY"), ("ladder:SPY", "book"), ("ladder:SPY", "quote"), ("top", "state"),
        ("ladder:SPY", "tape"), ("rotation", "spans"), ("rotation", "coverage"),
        ("options:SPY", "curve:2026-12-18"), ("processes", "rows"), ("incidents", "rows"),
    }  # fmt: skip
    found = dashboard.shown(topics, lambda parts: wanted <= parts.keys())
    book = found["ladder:SPY", "book"]
    assert (book["seq"], book["bids"][0], book["asks"][9]) == (
        41, [585.0, 100.0, "ARCA"], [585.19, 209.0, "ARCA"],
    )  # fmt: skip
    assert found["ladder:SPY", "quote"]["bid"] == 585.0
    assert [one["price"] for one in found["ladder:SPY", "tape"]] == [585.05]
    assert (found["top", "state"]["source"], found["top", "state"]["session"]["state"]) == (
        "sim", "closed",
    )  # fmt: skip
    assert found["rotation", "spans"][0]["symbol"] == "SPY"
    assert found["rotation", "coverage"][0]["share"] == 0.5
    assert found["options:SPY", "curve:2026-12-18"]["call_iv"] == [0.2]
    assert found["incidents", "rows"][0]["text"] == "full"
    depth = next(one for one in found["processes", "rows"] if one["name"] == "ibkr_depth")
    assert (depth["state"], depth["pid"]) == ("running", 7)


def test_what_changes_is_sent_and_what_does_not_is_not(
    dashboard: Dashboard, client: redis.Redis
) -> None:
    with dashboard.watching("ladder:SPY") as events:
        parts = [part for topic, part, _ in (next(events) for _ in range(12)) if topic != "pulse"]
        assert sorted(parts) == ["book", "quote", "tape"]
        client.hset("market:SPY:ticker", "bid", "584.5")
        changed = next(one for one in events if one[0] != "pulse")
    client.hset("market:SPY:ticker", "bid", "585.0")
    assert (changed[1], changed[2]["bid"]) == ("quote", 584.5)


def test_columns_of_the_heatmap_are_kept_whether_or_not_anybody_looks(
    dashboard: Dashboard,
) -> None:
    def columns() -> list[Any]:
        found: list[Any] = json.loads(dashboard.ask("/heat/SPY")[2])["columns"]
        return found

    dashboard.wait_until(lambda: len(columns()) >= 2, 15, "two columns")
    first = columns()[0]
    assert (first["b"][0], first["a"][0], len(first["b"])) == ([585.0, 100.0], [585.1, 200.0], 10)


def test_an_order_is_given_and_its_answer_told(dashboard: Dashboard, client: redis.Redis) -> None:
    client.set("coord:lease:ibkr_depth", "{}")
    worker = threading.Thread(target=obey, args=(client,))
    worker.start()
    status, answer = dashboard.order({"symbol": "SPY"})
    worker.join()
    client.delete("coord:lease:ibkr_depth")
    assert (status, answer["ok"], answer["worker"]) == (200, True, "ibkr_depth")


def obey(client: redis.Redis) -> None:
    _, raw = client.blpop(["coord:control:ibkr_depth"], timeout=10)  # type: ignore[misc]
    order = json.loads(raw)
    assert (order["command"], order["symbol"], order["by"]) == ("resubscribe", "SPY", "dashboard")
    text = f"resubscribe SPY by dashboard, id {order['id']}: done"
    fields: dict[Any, Any] = {"ts": now_ms(), "worker": "ibkr_depth", "kind": "control"}
    client.xadd("monitoring:incidents", {**fields, "symbol": "SPY", "text": text})


def test_a_worker_that_does_not_run_is_sent_nothing(
    dashboard: Dashboard, client: redis.Redis
) -> None:
    status, answer = dashboard.order({"symbol": "SPY", "worker": "av_options"})
    assert (status, answer["ok"]) == (200, False)
    assert answer["answer"] == "does not run, nothing was sent"
    assert client.exists("coord:control:av_options") == 0


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"symbol": "ZZZ"}, 404),
        ({"symbol": "SPY", "worker": "redis"}, 404),
        ({}, 400),
        ({"symbol": "SPY", "command": "reconnect"}, 400),
        ({"symbol": "SPY" * 2_000}, 400),
    ],
)
def test_nothing_else_can_be_ordered(
    dashboard: Dashboard, wish: dict[str, Any], status: int
) -> None:
    assert dashboard.order(wish)[0] == status


def test_an_order_of_another_page_is_refused(dashboard: Dashboard, client: redis.Redis) -> None:
    assert dashboard.order({"symbol": "SPY"}, origin="http://evil.example")[0] == 403
    assert dashboard.order({"symbol": "SPY"}, sec_fetch_site="cross-site")[0] == 403
    assert dashboard.order({"symbol": "SPY"}, content_type="text/plain")[0] == 415
    assert client.keys("coord:control:*") == []


def test_who_guesses_the_token_is_slow_and_leaves_no_trace_of_it(
    dashboard: Dashboard, client: redis.Redis
) -> None:
    guess = "a-guess-that-is-wrong"
    statuses = [
        dashboard.order({"symbol": "SPY"}, authorization=f"Bearer {guess}")[0] for _ in range(2)
    ]
    assert statuses == [401, 429]
    dashboard.wait_until(
        lambda: dashboard.order({"symbol": "SPY", "worker": "av_options"})[0] == 200, 10, "the end"
    )
    assert "wrong token" in dashboard.log_text()
    assert guess not in dashboard.log_text()
    assert TOKEN not in dashboard.log_text()


def test_nothing_but_reading_and_that_order_was_done_in_redis(
    dashboard: Dashboard, client: redis.Redis
) -> None:
    told: Any = client.acl_cat("write")
    writes = {one.lower() for one in told}
    written_by_others = {"blpop", "hset", "lpush", "set", "xadd", "del", "flushdb"}
    stats = client.info("commandstats")
    done = {name.removeprefix("cmdstat_").partition("|")[0] for name in stats}
    assert done & writes - written_by_others <= ORDERS
    assert {"get", "hgetall", "lrange", "xrevrange"} <= done


def test_it_stays_small(dashboard: Dashboard) -> None:
    pages = int(Path(f"/proc/{dashboard.pid}/statm").read_text("ascii").split()[1])
    assert pages * 4096 < MOST_RSS


def test_it_ends_cleanly_while_somebody_looks(
    module_redis_url: str, client: redis.Redis, tmp_path: Path
) -> None:
    own = Dashboard(tmp_path, module_redis_url, {"SPY": ("ARCA",)}).started()
    try:
        with own.watching("top") as events:
            next(events)
            own.terminate()
            assert own.wait(10.0) == 0
    finally:
        own.close()
    assert "Traceback" not in own.log_text()
