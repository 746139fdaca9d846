"""The guardian under a real supervisord: what hangs is replaced, what fell is brought back."""

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
SETTINGS: Final = "config/ingestion.yaml"
SLEEPY: Final = "workers/ibkr_depth.py"
# A worker whose loop sleeps once, as soon as a file asks for it.
SLEEPER: Final = """
def block_when_asked():
    from pathlib import Path
    asked = Path("var/run/block")
    if asked.exists():
        asked.unlink()
        stuck_here()


def stuck_here():
    import time
    time.sleep(120)


async def main(worker"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One for all tests, so each leaves it as it was."""
    product = prepared(tmp_path_factory, stall_s=60)
    try:
        done = product.launch("up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield product
    finally:
        stopped(product)


def prepared(factory: pytest.TempPathFactory, stall_s: int) -> Product:
    product = Product(factory.mktemp("guarded"))
    rewrite(product, SETTINGS, "stall_s: 8.0", f"stall_s: {stall_s}")
    rewrite(product, SLEEPY, "async def main(worker", SLEEPER.lstrip())
    rewrite(product, SLEEPY, "feed.coverage_report)", "feed.coverage_report, block_when_asked)")
    return product


def stopped(product: Product) -> None:
    done = product.launch("down")
    left = processes.find_ours(product.layout)
    processes.stop(left)
    assert (done.returncode, left) == (0, []), done.stdout


def rewrite(product: Product, name: str, old: str, new: str) -> None:
    path = product.layout.root / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} must hold {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def pids(product: Product) -> dict[str, int]:
    return {name: int(product.supervisorctl("pid", name).stdout) for name in WORKERS}


def states(product: Product) -> dict[str, str]:
    lines = product.supervisorctl("status").stdout.splitlines()
    return {line.split()[0]: line.split()[1] for line in lines}


def beat(client: redis.Redis, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(str(client.get(f"heartbeat:{name}") or "{}"))
    return found


def told(client: redis.Redis, kind: str, name: str) -> list[str]:
    """The guardian's incidents of this kind about a program."""
    entries: Any = client.xrange("monitoring:incidents")
    return [
        fields["text"]
        for _, fields in entries
        if (fields["worker"], fields["kind"]) == ("guardian", kind)
        and fields["text"].startswith(f"{name}:")
    ]


def log(product: Product, name: str) -> str:
    return (product.layout.log / f"{name}.log").read_text(encoding="utf-8", errors="replace")


def replaced(product: Product, client: redis.Redis, name: str, old: int, within_s: float) -> None:
    """Another process of this program runs and beats."""
    began_s = time.monotonic()

    def beats() -> bool:
        found = beat(client, name)
        return found.get("pid") not in (None, old) and found["state"] == "running"

    wait_for(beats, within_s, f"{name} replaced")
    print(f"{name}: replaced and beating after {time.monotonic() - began_s:.1f} s")
    wait_for(lambda: told(client, "recovered", name) != [], 10, "recovery told")


@pytest.mark.timeout(240)
def test_a_frozen_worker_is_killed_and_replaced_and_the_others_go_on(product: Product) -> None:
    before = pids(product)
    with product.client() as client:
        os.kill(before["ibkr_trades"], signal.SIGSTOP)
        replaced(product, client, "ibkr_trades", before["ibkr_trades"], 20)
        (hung,) = told(client, "hung", "ibkr_trades")
        assert hung.endswith(f"pid {before['ibkr_trades']} is stopped by a signal: killed")
        assert "limit 6 s" in hung
        (again,) = told(client, "restart", "ibkr_trades")
        after = pids(product)
        assert again.endswith(f"pid {after['ibkr_trades']} follows pid {before['ibkr_trades']}")
    assert {n: after[n] for n in WORKERS if n != "ibkr_trades"} == {
        n: before[n] for n in WORKERS if n != "ibkr_trades"
    }


@pytest.mark.timeout(240)
def test_a_worker_that_is_stuck_leaves_its_stacks_and_is_replaced(product: Product) -> None:
    before = pids(product)
    with product.client() as client:
        (product.layout.run / "block").touch()
        replaced(product, client, "ibkr_depth", before["ibkr_depth"], 25)
        (hung,) = told(client, "hung", "ibkr_depth")
        assert hung.endswith("is asked to end")
    assert "in stuck_here" in log(product, "ibkr_depth")
    assert {**pids(product), "ibkr_depth": 0} == {**before, "ibkr_depth": 0}


def test_a_redis_that_does_not_answer_costs_nobody_his_life(product: Product) -> None:
    before = pids(product)
    server = int(product.supervisorctl("pid", "redis").stdout)
    os.kill(server, signal.SIGSTOP)
    try:
        # Longer than a heartbeat may be late; there is nothing to wait for.
        time.sleep(15)
    finally:
        os.kill(server, signal.SIGCONT)
    with product.client() as client:
        since_ms = time.time_ns() // 1_000_000
        wait_for(
            lambda: all(beat(client, name).get("ts", 0) > since_ms for name in WORKERS),
            15, "heartbeats",
        )  # fmt: skip
    wait_for(lambda: log(product, "guardian").count('"redis answers"') == 2, 5, "redis is back")
    time.sleep(6)
    assert pids(product) == before


def test_what_an_operator_stops_stays_stopped(product: Product) -> None:
    assert "stopped" in product.supervisorctl("stop", "av_sentiment").stdout
    with product.client() as client:
        wait_for(lambda: beat(client, "av_sentiment")["state"] == "stopped", 5, "farewell")
    # Long enough for a late heartbeat and every first try of the guardian.
    time.sleep(15)
    assert states(product)["av_sentiment"] == "STOPPED"
    assert "started" in product.supervisorctl("start", "av_sentiment").stdout


@pytest.mark.timeout(240)
def test_what_an_operator_stops_while_it_is_being_brought_back_stays_stopped(
    product: Product,
) -> None:
    rewrite(product, SETTINGS, "stall_s: 60", "stall_s: never")
    try:
        os.kill(pids(product)["av_sentiment"], signal.SIGKILL)
        wait_for(lambda: states(product)["av_sentiment"] == "FATAL", 60, "given up")
        wait_for(lambda: states(product)["av_sentiment"] != "FATAL", 15, "started again")
        assert "stopped" in product.supervisorctl("stop", "av_sentiment").stdout
    finally:
        rewrite(product, SETTINGS, "stall_s: never", "stall_s: 60")
    # Longer than the guardian waits for its second try.
    time.sleep(14)
    assert states(product)["av_sentiment"] == "STOPPED"
    assert "started" in product.supervisorctl("start", "av_sentiment").stdout


@pytest.mark.timeout(240)
def test_a_worker_whose_settings_are_put_right_comes_back_without_a_tight_loop(
    product: Product,
) -> None:
    before = pids(product)
    spawned = log(product, "supervisord").count("spawned: 'av_options'")
    rewrite(product, SETTINGS, "stall_s: 60", "stall_s: never")
    try:
        os.kill(before["av_options"], signal.SIGKILL)
        wait_for(lambda: states(product)["av_options"] == "FATAL", 60, "given up")
        # Two rounds of the guardian's as well.
        time.sleep(25)
    finally:
        rewrite(product, SETTINGS, "stall_s: never", "stall_s: 60")
    with product.client() as client:
        replaced(product, client, "av_options", before["av_options"], 60)
        assert len(told(client, "fatal", "av_options")) == 1
        (back,) = told(client, "recovered", "av_options")
        assert "after supervisord gave up" in back
        assert "ended unexpectedly" in told(client, "restart", "av_options")[0]
    starts = log(product, "supervisord").count("spawned: 'av_options'") - spawned
    print(f"{starts} starts of av_options")
    # Four by supervisord, and at most four in each round.
    assert 5 <= starts <= 20
    assert {**pids(product), "av_options": 0} == {**before, "av_options": 0}


def test_the_guardian_says_nothing_but_json_and_is_started_again_itself(product: Product) -> None:
    old = int(product.supervisorctl("pid", "guardian").stdout)
    os.kill(old, signal.SIGKILL)
    wait_for(
        lambda: states(product)["guardian"] == "RUNNING"
        and int(product.supervisorctl("pid", "guardian").stdout) != old,
        10, "another guardian",
    )  # fmt: skip
    for line in log(product, "guardian").splitlines():
        assert json.loads(line)["worker"] == "guardian"
    assert "a look around failed" not in log(product, "guardian")


@pytest.mark.timeout(240)
def test_a_stuck_worker_ends_itself_with_4_and_is_started_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    product = prepared(tmp_path_factory, stall_s=3)
    rewrite(product, SETTINGS, "enabled_workers: []", "enabled_workers: [ibkr_depth]")
    try:
        done = product.launch("up")
        assert done.returncode == 0, done.stdout + done.stderr
        with product.client() as client:
            old = beat(client, "ibkr_depth")["pid"]
            (product.layout.run / "block").touch()
            wait_for(
                lambda: beat(client, "ibkr_depth").get("pid") not in (None, old), 20, "replaced"
            )
            wait_for(lambda: told(client, "restart", "ibkr_depth") != [], 5, "told")
            assert told(client, "hung", "ibkr_depth") == []
        assert "exited: ibkr_depth (exit status 4; not expected)" in log(product, "supervisord")
        text = log(product, "ibkr_depth")
        assert "event loop stalled, was silent for " in text
        assert "in stuck_here" in text
    finally:
        stopped(product)


def test_without_a_guardian_make_up_fails_and_says_why(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    product = prepared(tmp_path_factory, stall_s=8)
    rewrite(product, SETTINGS, "enabled_workers: []", "enabled_workers: [ibkr_depth]")
    rewrite(product, SETTINGS, "ready_deadline_s: 60.0", "ready_deadline_s: 12")
    guardian = product.layout.root / "deploy/listeners/guardian.py"
    guardian.write_text('raise SystemExit("no guardian today")\n', encoding="utf-8")
    try:
        done = product.launch("up")
        assert done.returncode == 1
        assert "not up:\n  guardian is " in done.stderr
        assert "last lines of var/log/guardian.log:\nno guardian today" in done.stderr
    finally:
        stopped(product)
