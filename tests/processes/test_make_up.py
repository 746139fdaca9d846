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
from simulators.control import ControlClient
from tests.support.product import Product, wait_for

SLOTS: Final = 3
GATEWAY_WORKERS: Final = {"ibkr_depth", "ibkr_trades"}
WORKERS: Final = {*GATEWAY_WORKERS, "av_options", "av_sentiment", "watchdog"}
READERS: Final = {"exporter", "dashboard"}
SIMULATORS: Final = {"tws_simulator", "alphavantage_simulator"}
UNIVERSE: Final = (
    "SPY", "QQQ", "IWM", "AAPL", "MSFT", "GOOGL", "AMZN", "META", "NVDA", "TSLA",
)  # fmt: skip
OHLCV: Final = ("open", "high", "low", "close", "volume", "count")
BROKEN_WORKER: Final = 'raise SystemExit("coord:source is live, was sim")\n'


@pytest.fixture
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("up"))
    yield product
    product.launch("down")
    left = processes.find_ours(product.layout)
    processes.stop(left)
    assert left == []


@pytest.fixture
def running(product: Product) -> Product:
    done = product.launch("up")
    assert done.returncode == 0, done.stdout + done.stderr
    return product


def depth_symbols(client: redis.Redis) -> list[str]:
    return sorted(str(key).rpartition(":")[2] for key in client.keys("raw:ibkr:depth:hb:*"))


def depth_seqs(client: redis.Redis, symbol: str) -> list[int]:
    entries: Any = client.xrange(f"raw:ibkr:depth:stream:{symbol}")
    return [int(fields["seq"]) for _, fields in entries]


def received_ms(client: redis.Redis, symbol: str) -> int:
    return int(client.get(f"raw:ibkr:depth:hb:{symbol}") or 0)


def worker_pid(product: Product) -> int:
    return int(product.supervisorctl("pid", "ibkr_depth").stdout)


def test_make_up_ends_with_every_key_of_every_symbol_that_has_a_slot(product: Product) -> None:
    done = product.launch("up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "source   sim" in done.stdout
    assert "created .env from .env.example" in done.stdout
    assert (product.layout.root / ".env").stat().st_mode & 0o777 == 0o600
    with product.client() as client:
        symbols = depth_symbols(client)
        assert len(symbols) >= SLOTS
        for symbol in symbols:
            assert key_shapes(client, symbol) == EXPECTED_SHAPES, symbol
        assert client.get("coord:source") == "sim"
        heartbeat = json.loads(str(client.get("heartbeat:ibkr_depth")))
        assert (heartbeat["source"], heartbeat["state"]) == ("sim", "running")
        for symbol in UNIVERSE:
            assert client.hget(f"market:{symbol}:ticker", "quote_source") in ("depth", "tob")
        wait_for(
            lambda: all(client.exists(f"market:{one}:trades") for one in UNIVERSE), 10, "trades"
        )
        wait_for(
            lambda: all(client.exists(f"market:{one}:bars:5s") for one in UNIVERSE), 20, "bars"
        )
        assert client.get("ibkr:connected") == "1"


EXPECTED_SHAPES: Final = {
    "stream": ("stream", "no ttl"),
    "last": ("hash", "no ttl"),
    "hb": ("string", "ttl up to 68 s"),
    "venue book": ("string", "ttl up to 102 s"),
    "book": ("string", "ttl up to 60 s"),
    "ticker": ("hash", "ttl up to 60 s"),
}


def key_shapes(client: redis.Redis, symbol: str) -> dict[str, tuple[str, str]]:
    """Type and TTL of a symbol's keys, in the words of EXPECTED_SHAPES where they are in bounds."""
    venue = str(client.hget(f"raw:ibkr:depth:last:{symbol}", "venue"))
    # 10 subscriptions on 3 slots: ceil(10 / 3) x (15 s dwell + 1 s cool-down) = 64 s.
    keys = {
        "stream": (f"raw:ibkr:depth:stream:{symbol}", None),
        "last": (f"raw:ibkr:depth:last:{symbol}", None),
        "hb": (f"raw:ibkr:depth:hb:{symbol}", 68),
        "venue book": (f"market:{symbol}:{venue}:book", 102),
        "book": (f"market:{symbol}:book", 60),
        "ticker": (f"market:{symbol}:ticker", 60),
    }
    return {
        name: (str(client.type(key)), described_ttl(int(client.ttl(key)), limit))
        for name, (key, limit) in keys.items()
    }


def described_ttl(ttl_s: int, limit_s: int | None) -> str:
    if ttl_s == -1:
        return "no ttl"
    if limit_s is not None and 0 < ttl_s <= limit_s:
        return f"ttl up to {limit_s} s"
    return f"ttl {ttl_s} s"


def test_make_up_when_up_says_so_and_starts_nothing(running: Product) -> None:
    before = worker_pid(running)
    again = running.launch("up")
    assert again.returncode == 0
    assert "already up" in again.stdout
    assert worker_pid(running) == before
    assert running.launch("status").returncode == 0


def test_a_restarted_worker_has_fresh_data_within_ten_seconds_and_seq_goes_on(
    running: Product,
) -> None:
    before = worker_pid(running)
    with running.client() as client:
        symbols = depth_symbols(client)
        began = time.monotonic()
        done = running.supervisorctl("restart", "ibkr_depth")
        assert done.stdout.splitlines()[-1] == "ibkr_depth: started"
        # The first worker is gone by now, so what is newer comes from the second.
        now_ms = time.time_ns() // 1_000_000
        wait_for(
            lambda: any(received_ms(client, one) > now_ms for one in symbols),
            10.0 - (time.monotonic() - began),
            "fresh depth after the restart",
        )
        assert worker_pid(running) != before
        for symbol in symbols:
            seqs = depth_seqs(client, symbol)
            assert seqs == list(range(1, len(seqs) + 1)), symbol


@pytest.mark.timeout(240)
def test_a_restart_of_the_trades_worker_loses_no_bar_and_no_candle(running: Product) -> None:
    address = json.loads(running.layout.tws_address.read_text(encoding="utf-8"))
    with ControlClient(address["control_port"]) as simulator, running.client() as client:
        wait_for(lambda: all(stored(client, one, "5s") for one in UNIVERSE), 20, "first bars")
        began_s = int(time.time()) // 5 * 5
        done = running.supervisorctl("restart", "ibkr_trades")
        assert done.stdout.splitlines()[-1] == "ibkr_trades: started"
        minute = began_s // 60 * 60
        wait_for(lambda: time.time() > minute + 75, 80, "the end of the minute")
        until_s = int(time.time()) // 5 * 5

        def as_the_vendor_has_it(symbol: str) -> bool:
            told = simulator.call("bars", symbol=symbol, last=100)["bars"]
            true = {bar["t"]: values(bar) for bar in told if began_s <= bar["t"] < until_s}
            candles = simulator.call("bars", symbol=symbol, last=10, size_s=60)["bars"]
            whole = {bar["t"]: values(bar) for bar in candles if bar["t"] == minute}
            found = {t: row for t, row in stored(client, symbol, "5s").items() if t in true}
            candle = stored(client, symbol, "1min").get(minute, {})
            return (
                {t: values(row) for t, row in found.items()} == true
                and {minute: values(candle)} == whole
                and candle["complete"]
            )

        wait_for(lambda: all(map(as_the_vendor_has_it, UNIVERSE)), 60, "all bars and candles")
        heartbeat = json.loads(str(client.get("heartbeat:ibkr_depth")))
        assert heartbeat["state"] == "running"


def stored(client: redis.Redis, symbol: str, timeframe: str) -> dict[int, dict[str, Any]]:
    rows: Any = client.zrange(f"market:{symbol}:bars:{timeframe}", 0, -1)
    return {bar["t"]: bar for bar in map(json.loads, rows)}


def values(bar: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(bar.get(name) for name in OHLCV)


def test_bare_supervisorctl_shows_status_and_log(running: Product) -> None:
    done = running.supervisorctl("status")
    states = dict(line.split()[:2] for line in done.stdout.splitlines())
    # Nobody waited for them.
    late = {name for name in READERS if states.pop(name) not in ("RUNNING", "STARTING")}
    assert late == set()
    assert states == dict.fromkeys([*WORKERS, *SIMULATORS, "redis", "guardian"], "RUNNING")
    assert running.supervisorctl("tail", "ibkr_depth").stdout != ""
    logs = {path.stem for path in running.layout.log.glob("*.log")}
    assert logs == {*WORKERS, *READERS, *SIMULATORS, "redis", "guardian", "supervisord"}


def test_make_down_leaves_no_process_and_may_be_repeated(running: Product) -> None:
    pids = [one.pid for one in processes.find_ours(running.layout)]
    # And redis, guardian, supervisord.
    assert len(pids) == len({*WORKERS, *READERS, *SIMULATORS}) + 3
    done = running.launch("down")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "stopped")
    assert [pid for pid in pids if processes.is_alive(pid)] == []
    again = running.launch("down")
    assert (again.returncode, again.stdout) == (0, "nothing was running\n")
    assert running.launch("status").returncode == 1


def test_what_a_dead_supervisord_left_behind_is_stopped(running: Product) -> None:
    survivors = processes.find_ours(running.layout)
    supervisord = next(one.pid for one in survivors if one.name == "supervisord")
    os.kill(supervisord, signal.SIGKILL)
    assert processes.wait_until_gone([supervisord], 5.0)
    guardian = next(one.pid for one in survivors if one.name == "guardian")
    # Without supervisord it has nothing to do.
    assert processes.wait_until_gone([guardian], 5.0)
    left = [one.name for one in processes.find_ours(running.layout)]
    assert (set(left[:7]), set(left[7:9]), left[9:]) == (
        {*WORKERS, *READERS},
        SIMULATORS,
        ["redis"],
    )
    done = running.launch("down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one.pid for one in survivors if processes.is_alive(one.pid)] == []


def test_unusable_settings_are_named_and_nothing_starts(product: Product) -> None:
    done = product.launch("up", IBKR_PORT="abc", IBKR_DEPTH_ROWS="0")
    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        "unusable settings:",
        "IBKR_PORT: was 'abc', must be an integer from 1 to 65535",
        "IBKR_DEPTH_ROWS: was '0', must be an integer from 1 to 60",
    ]
    assert processes.find_ours(product.layout) == []


def test_a_redis_url_nobody_answers_is_named_before_anything_starts(product: Product) -> None:
    done = product.launch("up", REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    assert done.returncode == 1
    assert "REDIS_URL: no Redis answers at redis://:***@127.0.0.1:1/0" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert processes.find_ours(product.layout) == []


def test_a_worker_that_cannot_run_is_named_with_its_last_log_lines(product: Product) -> None:
    (product.layout.root / "workers/ibkr_depth.py").write_text(BROKEN_WORKER)
    done = product.launch("up")
    assert done.returncode == 1
    assert "not up:\n  ibkr_depth is FATAL" in done.stderr
    assert "coord:source is live, was sim" in done.stderr


def test_nobody_waits_for_a_reader_that_cannot_run_and_no_feed_misses_it(product: Product) -> None:
    (product.layout.root / "workers/exporter.py").write_text('raise SystemExit("no figures")\n')
    done = product.launch("up")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: product.launch("status").returncode == 1, 30, "its failure in make status")
    with product.client() as client:
        beats = [json.loads(str(client.get(f"heartbeat:{name}"))) for name in WORKERS]
    assert {one["state"] for one in beats} == {"running"}
    log = (product.layout.log / "exporter.log").read_text()
    assert "no figures" in log


def test_live_starts_no_simulator_and_names_the_silent_gateway(product: Product) -> None:
    config = product.layout.root / "config/ingestion.yaml"
    config.write_text(config.read_text().replace("ready_deadline_s: 60.0", "ready_deadline_s: 5"))
    done = product.launch("up", TICKVISOR_SOURCE="live", IBKR_PORT="1")
    assert done.returncode == 1
    assert "note: no gateway answers at 127.0.0.1:1 (IBKR_HOST, IBKR_PORT)" in done.stdout
    missing = "note: ALPHA_VANTAGE_API_KEY is missing: av_options and av_sentiment left out"
    assert missing in done.stdout
    assert "depth of 0 of 3 symbols" in done.stderr
    names = [one.name for one in processes.find_ours(product.layout)]
    assert names[:2] == ["supervisord", "guardian"]
    started = {*GATEWAY_WORKERS, *READERS, "watchdog"}
    assert (set(names[2:7]), names[7:]) == (started, ["redis"])
