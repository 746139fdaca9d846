from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import redis

from simulators.tws.process import SimulatorProcess
from tests.support.ports import free_port
from tests.support.product import wait_for
from tests.support.scripts import DEADLINE_S, PROBE, ROOT, Scripts

INGEST: Final = "scripts/ibkr_ingest_run.py"
TICKVISOR: Final = "scripts/tickvisor.py"


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    simulator = SimulatorProcess("--rate", "50")
    yield simulator
    simulator.stop()


@pytest.fixture
def gateway(simulator: SimulatorProcess) -> Iterator[SimulatorProcess]:
    yield simulator
    simulator.call("entitle")
    simulator.call("hold_slots", slots=0)


@pytest.fixture
def scripts(gateway: SimulatorProcess, redis_url: str, tmp_path: Path) -> Scripts:
    return Scripts(tmp_path, gateway.port, redis_url)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def stop(process: subprocess.Popen[str]) -> None:
    """Leave nothing behind, whatever the test left running."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def counted(gateway: SimulatorProcess, name: str) -> int:
    return int(gateway.call("stats")[name])


def test_the_probe_shows_two_ladders_side_by_side(scripts: Scripts) -> None:
    done = scripts.run(PROBE, "--symbol", "AAPL", "--symbol2", "MSFT", "--seconds", "1.5")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["AAPL@NASDAQ", "MSFT@NASDAQ"]
    assert [len(line.split()) for line in lines[2:12]] == [12] * 10
    assert lines[12].split().count("spread") == 2
    assert lines[13].split().count("updates/s,") == 2


def test_the_probe_reports_the_book_as_the_gateway_has_it(
    scripts: Scripts, gateway: SimulatorProcess
) -> None:
    gateway.call("set", symbol="SPY", rate=0)
    document = scripts.probed("--symbol", "SPY", "--seconds", "1")
    [ladder] = document["ladders"]
    true_book = gateway.call("book", symbol="SPY", venue="ARCA")
    shown = [[row[:2] for row in ladder[side]] for side in ("bids", "asks")]
    assert shown == [[row[:2] for row in true_book[side][:10]] for side in ("bids", "asks")]
    assert (ladder["bid"], ladder["ask"]) == (shown[0][0][0], shown[1][0][0])


def test_the_probe_measures_the_rate_the_gateway_sends_at(scripts: Scripts) -> None:
    [ladder] = scripts.probed("--symbol", "QQQ", "--seconds", "4")["ladders"]
    assert 35 < ladder["updates_per_s"] < 65


def test_the_probe_cancels_what_it_asked_for_and_makes_no_mistake(
    scripts: Scripts, gateway: SimulatorProcess
) -> None:
    opened, cancelled = counted(gateway, "opened"), counted(gateway, "cancelled")
    document = scripts.probed("--symbol", "AAPL", "--symbol2", "IWM", "--seconds", "1")
    assert document["ok"]
    assert counted(gateway, "opened") - opened == 2
    assert counted(gateway, "cancelled") - cancelled == 2
    assert counted(gateway, "smart_requests") == 0
    assert counted(gateway, "cancel_unknown") == 0


def test_the_probe_writes_nothing_into_redis(scripts: Scripts, client: redis.Redis) -> None:
    assert scripts.probed("--symbol", "AAPL", "--seconds", "1")["ok"]
    assert client.dbsize() == 0


def test_ctrl_c_ends_the_probe_with_what_it_has_and_cancels(
    scripts: Scripts, gateway: SimulatorProcess
) -> None:
    opened, cancelled = counted(gateway, "opened"), counted(gateway, "cancelled")
    rows = counted(gateway, "rows_total")
    probe = scripts.start(PROBE, "--symbol", "AAPL", "--seconds", "600")
    try:
        wait_for(lambda: counted(gateway, "rows_total") > rows + 40, DEADLINE_S, "rows")
        probe.send_signal(signal.SIGINT)
        assert probe.wait(DEADLINE_S) == 0, scripts.output()
    finally:
        stop(probe)
    assert "AAPL@NASDAQ" in scripts.output()
    assert counted(gateway, "opened") - opened == counted(gateway, "cancelled") - cancelled == 1


@pytest.mark.parametrize("code", [354, 10089])
def test_a_missing_entitlement_exits_1_with_the_gateways_words(
    scripts: Scripts, gateway: SimulatorProcess, code: int
) -> None:
    gateway.call("entitle", symbol="MSFT", venue="NASDAQ", code=code)
    done = scripts.run(PROBE, "--symbol", "AAPL", "--symbol2", "MSFT", "--seconds", "1")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"MSFT@NASDAQ: not entitled ({code}): Requested market data" in done.stderr


def test_a_venue_without_depth_exits_1(scripts: Scripts) -> None:
    done = scripts.run(PROBE, "--symbol", "SPX", "--seconds", "1")
    assert done.returncode == 1
    assert "SPX@CBOE: no depth offered there (10092)" in done.stderr


def test_taken_slots_exit_1_with_the_limit(scripts: Scripts, gateway: SimulatorProcess) -> None:
    gateway.call("hold_slots", slots=3)
    document = scripts.probed("--symbol", "AAPL", "--seconds", "1")
    assert not document["ok"]
    assert "every depth slot of the account is taken (309): Max number (3)" in document["reason"]


def test_an_unknown_symbol_exits_1(scripts: Scripts) -> None:
    done = scripts.run(PROBE, "--symbol", "ZZTOP", "--seconds", "1")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith("ibkr_depth_probe: ZZTOP: no such contract (200)")


def test_a_silent_gateway_exits_1_for_want_of_rows(
    scripts: Scripts, gateway: SimulatorProcess
) -> None:
    gateway.call("farm", state="broken")
    try:
        done = scripts.run(PROBE, "--symbol", "AAPL", "--seconds", "1")
    finally:
        gateway.call("farm", state="ok")
    assert done.returncode == 1
    assert done.stderr.startswith("ibkr_depth_probe: AAPL@NASDAQ: no rows within 1 s")


def test_without_a_gateway_the_probe_exits_1_in_one_line(scripts: Scripts) -> None:
    port = free_port()
    scripts.env["IBKR_PORT"] = str(port)
    done = scripts.run(PROBE, "--symbol", "AAPL")
    assert done.returncode == 1
    assert done.stderr.startswith(f"ibkr_depth_probe: no gateway at 127.0.0.1:{port}: ")
    assert len(done.stderr.splitlines()) == 1


def test_unusable_settings_exit_78(scripts: Scripts) -> None:
    scripts.env["IBKR_DEPTH_ROWS"] = "0"
    assert scripts.run(PROBE, "--symbol", "AAPL").returncode == 78


def test_a_bare_interpreter_goes_on_in_the_virtual_environment(scripts: Scripts) -> None:
    assert (ROOT / ".venv/bin/python").exists(), "`make install` makes it"
    # -S: no site-packages, as with a system python3 that has none of them.
    bare = (sys.executable, "-S")
    done = scripts.run(TICKVISOR, "source", python=bare)
    assert (done.returncode, done.stdout) == (0, "none\n")


def connected(client: redis.Redis, worker: str) -> bool:
    return bool(json.loads(str(client.get(f"heartbeat:{worker}") or "{}")).get("connected"))


def test_the_worker_in_the_foreground_writes_and_stops_on_ctrl_c(
    scripts: Scripts, client: redis.Redis
) -> None:
    worker = scripts.start(INGEST, "run")
    try:
        wait_for(lambda: connected(client, "ibkr_depth"), DEADLINE_S, scripts.output())
        # It speaks for all enabled workers of the gateway, and the other one does not run.
        assert client.get("ibkr:connected") == "0"
        wait_for(lambda: len(client.keys("raw:ibkr:depth:hb:*")) >= 3, DEADLINE_S, "three symbols")
        worker.send_signal(signal.SIGINT)
        wait_for(lambda: worker.poll() is not None, 10, "the worker's end")
        assert worker.returncode == 0, scripts.output()
    finally:
        stop(worker)
    assert client.get("ibkr:connected") == "0"
    assert json.loads(str(client.get("heartbeat:ibkr_depth")))["state"] == "stopped"


def test_the_trades_worker_runs_in_the_foreground_where_it_is_asked_for(
    scripts: Scripts, client: redis.Redis
) -> None:
    worker = scripts.start(INGEST, "run", "--worker", "ibkr_trades")
    try:
        wait_for(lambda: client.exists("market:SPY:trades") == 1, DEADLINE_S, "trades")
    finally:
        stop(worker)
    assert json.loads(str(client.get("heartbeat:ibkr_trades")))["pid"] == worker.pid


def test_a_second_worker_exits_3_and_names_the_first(scripts: Scripts, client: redis.Redis) -> None:
    worker = scripts.start(INGEST, "run")
    try:
        wait_for(lambda: client.exists("coord:lease:ibkr_depth") == 1, DEADLINE_S, "lease")
        second = scripts.run(INGEST, "run")
        assert second.returncode == 3
        assert f"ibkr_depth already runs as pid {worker.pid} on " in second.stdout
    finally:
        stop(worker)


def test_the_source_of_an_unused_redis_is_none(scripts: Scripts) -> None:
    assert scripts.run(TICKVISOR, "source").stdout == "none\n"


def test_the_source_is_what_the_first_worker_set(scripts: Scripts, client: redis.Redis) -> None:
    client.set("coord:source", "live")
    assert scripts.run(TICKVISOR, "source").stdout == "live\n"


def test_a_reset_deletes_the_products_keys_and_no_others(
    scripts: Scripts, client: redis.Redis
) -> None:
    client.set("coord:source", "sim")
    client.set("market:SPY:ARCA:book", "{}")
    client.set("somebody:else", "1")
    done = scripts.run(TICKVISOR, "source", "--reset", "--yes")
    assert (done.returncode, done.stdout) == (
        0,
        "deleted 2 keys; the next worker sets the source\n",
    )
    assert client.keys() == ["somebody:else"]


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_a_reset_that_is_not_confirmed_deletes_nothing(
    scripts: Scripts, client: redis.Redis, answer: str
) -> None:
    client.set("coord:source", "sim")
    done = scripts.run(TICKVISOR, "source", "--reset", answer=answer)
    assert done.returncode == 1
    assert client.get("coord:source") == "sim"


def test_a_reset_is_refused_while_a_worker_lives(scripts: Scripts, client: redis.Redis) -> None:
    client.set("coord:source", "sim")
    client.set("coord:lease:ibkr_depth", "{}", ex=60)
    done = scripts.run(TICKVISOR, "source", "--reset", "--yes")
    assert done.returncode == 1
    assert done.stderr.startswith("tickvisor: refused: a worker still runs: coord:lease:ibkr_depth")
    assert client.get("coord:source") == "sim"


def test_a_redis_that_is_away_is_one_line_and_exit_1(scripts: Scripts) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    scripts.env["REDIS_URL"] = url
    done = scripts.run(TICKVISOR, "source")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"tickvisor: redis at {url}: ")
