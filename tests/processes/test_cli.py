"""tickvisor against everything that `make up` starts."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
import redis

from deploy import processes
from tests.support.product import REPOSITORY, Product, wait_for

TICKVISOR: Final = "scripts/tickvisor.py"
WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
BESIDE: Final = ("redis", "alphavantage_simulator", "tws_simulator")
NOBODY_CHECKS: Final = "nobody checks: the watchdog does not run"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("cli"))
    target = product.layout.root / "scripts"
    if not target.exists():
        shutil.copytree(REPOSITORY / "scripts", target)
    try:
        done = product.launch("up", IBKR_ROTATION_SECS="8")
        assert done.returncode == 0, done.stdout + done.stderr
        yield product
    finally:
        product.launch("down")
        processes.stop(processes.find_ours(product.layout))


@pytest.fixture
def client(product: Product) -> Iterator[redis.Redis]:
    with product.client() as client:
        yield client


def tickvisor(product: Product, *words: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return product.run([".venv/bin/python", TICKVISOR, *words], COLUMNS=str(columns))


def shown(product: Product, *words: str, columns: int = 80) -> list[str]:
    """Lines of a command that ends well; none is wider than the terminal."""
    done = tickvisor(product, *words, columns=columns)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert max(map(len, lines)) <= columns, done.stdout
    return lines


def told(product: Product, *words: str, code: int = 0) -> Any:
    done = tickvisor(product, *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def watched(client: redis.Redis) -> bool:
    """Whether a watchdog runs here."""
    return bool(client.exists("heartbeat:watchdog"))


def live_symbol(client: redis.Redis) -> str:
    """One with a depth slot whose turn has just begun."""
    before = set(client.keys("coord:depth:live:*"))
    found: list[str] = []

    def has_changed() -> bool:
        found[:] = [str(key) for key in client.keys("coord:depth:live:*") if key not in before]
        return bool(found)

    wait_for(has_changed, 40, "the next turn of the rotation")
    return found[0].rpartition(":")[2]


@pytest.mark.parametrize("columns", [80, 160])
def test_status_shows_every_program_with_its_rate(product: Product, columns: int) -> None:
    done = tickvisor(product, "status", columns=columns)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("source sim   market ")
    rows = {line.split()[0]: line.split() for line in lines[3:] if line[:1].isalpha()}
    for name in WORKERS:
        assert (rows[name][1], rows[name][3], rows[name][5]) == ("RUNNING", "1", "yes")
    # The longest name may be cut.
    assert sum(row[1:2] == ["RUNNING"] for row in rows.values()) >= len((*WORKERS, *BESIDE))
    assert max(map(len, lines)) <= columns or "wrong: " in done.stdout


def test_status_is_wrong_only_where_nobody_checks(product: Product, client: redis.Redis) -> None:
    if not watched(client):
        found = told(product, "status", code=1)
        assert found["wrong"] == [NOBODY_CHECKS]
        return
    wait_for(lambda: tickvisor(product, "status").returncode == 0, 60, "all is well")


def test_rates_are_those_of_the_simulators(product: Product) -> None:
    found = json.loads(tickvisor(product, "status", "--json").stdout)
    rates = {one["name"]: one["rate_per_s"] for one in found["processes"]}
    assert 20 < rates["ibkr_depth"] < 100
    assert 5 < rates["ibkr_trades"] < 200
    assert 0 < rates["av_options"] < 10


def test_stale_says_nothing_is_or_that_nobody_checks(product: Product, client: redis.Redis) -> None:
    if watched(client):
        wait_for(lambda: tickvisor(product, "stale").returncode == 0, 60, "nothing stale")
        assert tickvisor(product, "stale").stdout.startswith("nothing is stale, checked ")
        return
    done = tickvisor(product, "stale")
    assert (done.returncode, done.stdout) == (1, f"{NOBODY_CHECKS}\n")


def test_a_live_book_has_ten_levels_a_side_and_the_tape(
    product: Product, client: redis.Redis
) -> None:
    symbol = live_symbol(client)
    found = told(product, "book", symbol)
    assert (found["state"], found["age_s"] < 10) == ("live", True)
    assert (len(found["bids"]), len(found["asks"]), len(found["trades"])) == (10, 10, 10)
    for columns in (80, 160):
        lines = shown(product, "book", symbol, columns=columns)
        assert lines[0].startswith(f"{symbol}")
        assert " bps)" in lines[1]
        assert len(lines) == 14


def test_a_chain_has_its_expirations_and_their_strikes(product: Product) -> None:
    listed = told(product, "chain", "SPY")
    expiration = listed["expirations"][0]
    found = told(product, "chain", "SPY", "--expiration", expiration["expiration"], "--near", "0")
    calls = [one for one in found["strikes"] if one["call"]]
    assert (len(calls), found["left_out"]) == (expiration["calls"], 0)
    assert sum(one["at_the_money"] for one in found["strikes"]) == 1
    lines = shown(product, "chain", "SPY", "--expiration", expiration["expiration"])
    assert sum("▸" in line for line in lines) == 1


def test_coverage_says_who_holds_the_slots(product: Product, client: redis.Redis) -> None:
    live_symbol(client)
    found = told(product, "coverage")
    assert len(found["symbols"]) == 10
    assert 1 <= len(found["slots"]) <= 3
    assert shown(product, "coverage")[0].split()[:3] == ["symbol", "live", "share"]


def test_the_budget_counts_the_calls_of_both_workers(product: Product) -> None:
    found = told(product, "budget")
    assert found["bucket"]["granted"] > 0
    assert [one["worker"] for one in found["calls"]] == ["av_options", "av_sentiment"]
    assert all(one["answers"]["data"] > 0 for one in found["calls"])
    assert all(sum(one["types"].values()) == one["requests"] for one in found["calls"])
    assert shown(product, "budget")[-1] == "nothing is suspended"


def test_a_resubscribe_is_acknowledged_by_the_worker(product: Product) -> None:
    done = tickvisor(product, "resubscribe", "SPY", "--worker", "ibkr_trades")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ibkr_trades: resubscribe SPY, asked by tickvisor, id ")
    assert done.stdout.endswith(": done\n")


def test_a_resubscribe_of_a_live_symbol_goes_to_depth(
    product: Product, client: redis.Redis
) -> None:
    done = tickvisor(product, "resubscribe", live_symbol(client))
    assert (done.returncode, done.stdout[:12]) == (0, "ibkr_depth: "), done.stderr


@contextmanager
def lasting(product: Product, *words: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """A command that goes on until Ctrl-C, and then ends well; gives its documents, one by one."""
    process = subprocess.Popen(
        [str(product.layout.python), TICKVISOR, *words, "--json"],
        cwd=product.layout.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = process.stdout
        yield lambda: dict(json.loads(lines.readline()))
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=10)
        assert (process.returncode, error) == (0, "")
    finally:
        process.kill()
        process.communicate()


def test_incidents_follow_until_ctrl_c(product: Product) -> None:
    with lasting(product, "incidents", "--follow", "--kind", "connected", "--last", "1") as read:
        assert read()["text"].startswith("client id ")
        done = tickvisor(product, "reconnect", "ibkr_trades")
        assert done.returncode == 0, done.stderr
        found = read()
        assert (found["worker"], found["kind"]) == ("ibkr_trades", "connected")
        assert found["text"].endswith("generation 2")


def test_a_watch_ends_well_on_ctrl_c(product: Product) -> None:
    with lasting(product, "status", "--watch") as read:
        first, second = read(), read()
        assert len(first["processes"]) == len(second["processes"]) >= len((*WORKERS, *BESIDE))


def test_verify_finds_no_fault(product: Product) -> None:
    done = tickvisor(product, "verify", "--seconds", "3")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].endswith(", no fault")


def test_the_installed_command_finds_the_same_product(product: Product) -> None:
    home = str(product.layout.root)
    done = product.run(["tickvisor", "source"], TICKVISOR_HOME=home, TICKVISOR_SOURCE="sim")
    assert (done.returncode, done.stdout) == (0, "sim\n"), done.stderr


def test_a_stopped_worker_is_wrong_and_a_start_is_counted(product: Product) -> None:
    product.supervisorctl("stop", "av_sentiment")
    try:
        wrong = told(product, "status", code=1)["wrong"]
        assert wrong[0].startswith("av_sentiment is STOPPED")
    finally:
        product.supervisorctl("start", "av_sentiment")
    found = json.loads(tickvisor(product, "status", "--json").stdout)
    restarts = {one["name"]: one["restarts"] for one in found["processes"]}
    assert (restarts["av_sentiment"], restarts["av_options"]) == (1, 0)


def test_without_redis_status_still_says_what_runs(product: Product) -> None:
    product.supervisorctl("stop", "redis")
    try:
        done = tickvisor(product, "status", columns=160)
        assert done.returncode == 1
        assert "wrong: redis is STOPPED" in done.stdout
        assert "wrong: redis at unix://operator:***@/" in done.stdout
        assert tickvisor(product, "book", "SPY").returncode == 1
    finally:
        product.supervisorctl("start", "redis")
