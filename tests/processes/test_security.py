"""What others on the machine can read, reach or take over of a product that runs."""

from __future__ import annotations

import json
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy import processes
from shared.settings import WORKERS, Secret
from shared.settings_environment import read_dotenv
from shared.settings_redis import password_of
from shared.store.acl import USERS
from tests.support.listening import tcp_listeners, unix_listeners
from tests.support.product import REPOSITORY, Product, wait_for
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("security"))
    shutil.copytree(REPOSITORY / "scripts", product.layout.root / "scripts")
    # As somebody may have left them.
    product.layout.var.mkdir(mode=0o755)
    product.layout.run.mkdir(mode=0o755)
    done = product.launch("up")
    assert done.returncode == 0, done.stdout + done.stderr
    yield product
    product.launch("down")


@pytest.fixture
def admin(product: Product) -> Iterator[redis.Redis]:
    with product.client() as found:
        yield found


def pids(product: Product) -> list[int]:
    return [one.pid for one in processes.find_ours(product.layout)]


def secrets(product: Product) -> list[str]:
    secret = read_dotenv(product.layout.root / ".env", [])["REDIS_PASSWORD"].text
    return [secret, *(password_of(Secret(secret), user).reveal() for user in USERS)]


def beat(client: redis.Redis, worker: str) -> dict[str, Any]:
    found = json.loads(str(client.get(f"heartbeat:{worker}") or "{}"))
    assert isinstance(found, dict)
    return found


def test_nothing_that_is_kept_is_open_to_others(product: Product) -> None:
    modes = {path: path.lstat().st_mode for path in product.layout.var.rglob("*")}
    modes[product.layout.var] = product.layout.var.stat().st_mode
    modes[product.layout.root / ".env"] = (product.layout.root / ".env").stat().st_mode
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    found = {stat.S_IMODE(mode) for mode in modes.values() if stat.S_ISDIR(mode)}
    assert found == {0o700}
    sockets = {path.name: stat.S_IMODE(mode) for path, mode in modes.items() if stat.S_ISSOCK(mode)}
    assert sockets == {"redis.sock": 0o700, "supervisor.sock": 0o700}
    holders = ("redis.url", "users.acl", ".env")
    assert {stat.S_IMODE(mode) for path, mode in modes.items() if path.name in holders} == {0o600}


def test_every_port_is_on_loopback_and_every_socket_in_a_private_directory(
    product: Product,
) -> None:
    ports = tcp_listeners(pids(product))
    # Redis, and two of each simulator.
    assert len(ports) >= 5
    assert {port for port, loopback in ports.items() if not loopback} == set()
    names = {Path(one).name.partition(".sock")[0] for one in unix_listeners(pids(product))}
    assert names == {"redis", "supervisor"}


def test_no_password_is_in_the_process_list_a_log_or_redis(
    product: Product, admin: redis.Redis
) -> None:
    hidden = [one.encode() for one in secrets(product)]
    shown = [product.supervisorctl("status").stdout.encode()]
    for pid in pids(product):
        shown += [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
    assert len(shown) > 2 * len(WORKERS)
    assert not any(secret in text for text in shown for secret in hidden)
    files = [path for path in product.layout.var.rglob("*") if path.is_file()]
    holding = {path.name for path in files for one in hidden if one in path.read_bytes()}
    assert holding == {"redis.url"}
    # The append-only file, which was among them, holds every value.
    assert admin.dbsize() > 100


def test_each_process_comes_by_the_socket_as_itself_and_asks_for_nothing_it_may_not(
    product: Product, admin: redis.Redis
) -> None:
    def by_socket() -> set[str]:
        clients: list[dict[str, str]] = admin.client_list()
        return {one["user"] for one in clients if ".sock" in one["addr"]}

    # `make up` does not wait for the dashboard, which comes as a reader.
    wait_for(lambda: "reader" in by_socket(), 20, "the dashboard reads")
    assert by_socket() == {*WORKERS, "guardian", "reader"}
    for command in ("status", "stale", "budget", "verify"):
        done = product.run([".venv/bin/python", "scripts/tickvisor.py", command])
        assert done.returncode == 0, done.stdout + done.stderr
    assert admin.acl_log() == []


def test_a_foreign_redis_that_takes_the_port_gets_nothing(
    product: Product, admin: redis.Redis, tmp_path: Path
) -> None:
    port = int(admin.get_connection_kwargs()["port"])
    product.supervisorctl("stop", "redis")
    wait_for(lambda: port not in tcp_listeners(pids(product)), 10, "the port is free")
    foreign = RedisServer(tmp_path / "foreign")
    foreign.port, foreign.url = port, f"redis://127.0.0.1:{port}/0"
    foreign.start()
    try:
        with foreign.client() as client:
            before = client.info("stats")["total_connections_received"]
            # Each worker tries again several times a second.
            time.sleep(3.0)
            assert client.dbsize() == 0
            assert client.info("stats")["total_connections_received"] == before
            done = product.run([".venv/bin/python", "scripts/tickvisor.py", "source"])
            assert (done.returncode, "redis.sock" in done.stderr) == (1, True)
    finally:
        foreign.stop()
    back_ms = time.time_ns() // 1_000_000
    product.supervisorctl("start", "redis")
    wait_for(lambda: all(_ts(admin, worker) > back_ms for worker in WORKERS), 30, "all beat again")


def _ts(client: redis.Redis, worker: str) -> int:
    try:
        return int(beat(client, worker).get("ts", 0))
    except redis.RedisError:
        return 0
