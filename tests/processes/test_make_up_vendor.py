from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest
import redis

from deploy import processes
from simulators.control import ControlClient
from tests.support.product import Product, wait_for

UNIVERSE: Final = (
    "SPY", "QQQ", "IWM", "AAPL", "MSFT", "GOOGL", "AMZN", "META", "NVDA", "TSLA",
)  # fmt: skip
WITH_NEWS: Final = tuple(symbol for symbol in UNIVERSE if symbol not in ("SPY", "QQQ", "IWM"))
INDICATORS: Final = ("RSI", "MACD", "BBANDS", "ATR")
OPTIONS_S: Final = 10.0
# A poll every ten seconds: some room for the jitter, and for a busy machine.
NEXT_POLL_S: Final = 20.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("up_vendor"))
    done = product.launch("up")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield product
    finally:
        product.launch("down")
        left = processes.find_ours(product.layout)
        processes.stop(left)
    assert left == []


@pytest.fixture
def client(running: Product) -> Iterator[redis.Redis]:
    with running.client() as found:
        yield found


def document(client: redis.Redis, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(str(client.get(key)))
    return found


def lasting(client: redis.Redis, key: str, limit_s: int) -> str:
    """The key's type where its time to live is in bounds, else what is wrong with that."""
    ttl_s = int(client.ttl(key))
    return str(client.type(key)) if 0 < ttl_s <= limit_s else f"{key} ttl {ttl_s}"


def test_every_symbol_has_its_chain_in_three_documents(client: redis.Redis) -> None:
    for symbol in UNIVERSE:
        names = ("calls", "puts", "chain")
        kinds = [lasting(client, f"options:{symbol}:{name}", 180) for name in names]
        assert kinds == ["string"] * 3
        chain = document(client, f"options:{symbol}:chain")
        rows = [json.loads(str(client.get(f"options:{symbol}:{one}"))) for one in names[:2]]
        assert (chain["symbol"], chain["source"]) == (symbol, "sim")
        assert chain["metrics"]["contracts"] == len(chain["by_contract"]) == sum(map(len, rows))
        assert len(rows[0]) == chain["metrics"]["calls"] > 0


def test_every_contract_with_greeks_has_them_in_a_key(client: redis.Redis) -> None:
    for symbol in UNIVERSE:
        chain = document(client, f"options:{symbol}:chain")["by_contract"]
        known = {name for name, row in chain.items() if row["delta"] is not None}
        found = {str(key).split(":")[2] for key in client.scan_iter(f"options:{symbol}:*:greeks")}
        assert found == known
        one = f"options:{symbol}:{min(known)}:greeks"
        assert lasting(client, one, 180) == "string"
        assert set(document(client, one)) == {
            "implied_volatility", "delta", "gamma", "theta", "vega", "rho", "mark", "ts",
        }  # fmt: skip


def test_every_symbol_has_its_four_indicators(client: redis.Redis) -> None:
    keys = [f"technicals:{symbol}:{name}" for symbol in UNIVERSE for name in INDICATORS]
    wait_for(lambda: int(client.exists(*keys)) == len(keys), 30, "all indicators")
    assert {lasting(client, key, 900) for key in keys} == {"string"}
    names = {key: set(document(client, key)["values"]) for key in keys}
    assert names["technicals:SPY:MACD"] == {"MACD", "MACD_Signal", "MACD_Hist"}
    assert names["technicals:TSLA:RSI"] == {"RSI"}


def test_every_symbol_that_is_not_skipped_has_news(client: redis.Redis) -> None:
    keys = [f"sentiment:{symbol}" for symbol in WITH_NEWS]
    wait_for(lambda: int(client.exists(*keys)) == len(keys), 30, "all news")
    assert {lasting(client, key, 3600) for key in keys} == {"string"}
    assert sorted(client.scan_iter("sentiment:*")) == sorted(keys)
    news = document(client, "sentiment:AAPL")
    assert news["aggregates"]["article_count"] == len(news["articles"]) == 50


def test_the_monitors_and_the_family_speak_of_both_workers(client: redis.Redis) -> None:
    for symbol in UNIVERSE:
        assert lasting(client, f"monitoring:options:{symbol}", 120) == "hash"
        assert client.hget(f"monitoring:options:{symbol}", "status") == "ok"
    for symbol in WITH_NEWS:
        key = f"monitoring:sentiment:{symbol}"
        wait_for(partial(holds, client, key, "ok"), 30, key)
    beats: Any = client.hgetall("heartbeat:alpha_vantage")
    states = {name: json.loads(beat)["state"] for name, beat in beats.items()}
    assert states == {"av_options": "running", "av_sentiment": "running"}
    metrics: Any = client.hgetall("monitoring:alpha_vantage:metrics")
    assert set(metrics) == {"av_options", "av_sentiment", "token_bucket"}
    assert lasting(client, "monitoring:alpha_vantage:metrics", 120) == "hash"
    assert json.loads(metrics["token_bucket"])["granted"] > 0
    figures = {name: json.loads(metrics[name]) for name in beats}
    assert {name: set(one["requests_by_type"]) for name, one in figures.items()} == {
        "av_options": {"options"},
        "av_sentiment": {"sentiment", *INDICATORS},
    }
    assert all(sum(one["requests_by_type"].values()) == one["requests"] for one in figures.values())


def test_a_restart_of_the_options_worker_leaves_the_other_at_work(
    running: Product, client: redis.Redis
) -> None:
    address = json.loads(running.layout.vendor_address.read_text(encoding="utf-8"))
    pid = running.supervisorctl("pid", "av_sentiment").stdout
    before = document(client, "heartbeat:av_options")["pid"]
    with ControlClient(address["control_port"]) as simulator:
        since = simulator.call("requests")["last"]
        done = running.supervisorctl("restart", "av_options")
        assert done.stdout.splitlines()[-1] == "av_options: started"
        now_ms = time.time_ns() // 1_000_000
        for symbol in UNIVERSE:
            key = f"monitoring:options:{symbol}"
            wait_for(partial(fetched_since, client, key, now_ms), NEXT_POLL_S, key)
        assert document(client, "heartbeat:av_options")["pid"] != before
        assert running.supervisorctl("pid", "av_sentiment").stdout == pid
        assert document(client, "heartbeat:av_sentiment")["state"] == "running"
        # The indicators of ten symbols are due once a minute: some of them in any ten seconds.
        wait_for(lambda: asked_by(simulator, "av_sentiment", since) > 0, 30, "its requests")


def holds(client: redis.Redis, key: str, status: str) -> bool:
    return client.hget(key, "status") == status


def fetched_since(client: redis.Redis, key: str, since_ms: int) -> bool:
    return int(str(client.hget(key, "fetched_ts") or 0)) > since_ms


def asked_by(simulator: ControlClient, worker: str, since: int) -> int:
    reply = simulator.call("requests", since=since)
    client = reply["columns"].index("client")
    return sum(str(row[client]).endswith(worker) for row in reply["rows"])


def test_the_vendor_is_asked_within_its_plan(running: Product) -> None:
    address = json.loads(running.layout.vendor_address.read_text(encoding="utf-8"))
    with ControlClient(address["control_port"]) as simulator:
        (account,) = simulator.call("stats")["keys"].values()
    assert account["peak_60s"] <= 600
    assert account["peak_1s"] <= 20
    assert set(account["outcomes"]) == {"ok"}
