"""A real worker on a Redis behind TLS, with a user of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.certificates import TlsRedis, make_certificates
from tests.support.depth_rig import DepthPlan, DepthRig
from tests.support.redis_server import RedisServer
from tests.support.redis_users import SECRET
from tests.support.worker_process import WorkerProcess, write_settings, write_universe


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_a_worker_feeds_a_redis_behind_tls_as_itself(tmp_path: Path, certificates: Path) -> None:
    ca = f"{certificates}/ca.pem"
    with TlsRedis(tmp_path / "redis", certificates, "server", wants_ours=False).running() as server:
        plan = DepthPlan(redis={"worker_users": True, "ssl_ca_certs": ca})
        rig = DepthRig(tmp_path / "rig", server.url_of("admin", ssl_ca_certs=ca), plan)
        login = {"REDIS_URL": server.url, "REDIS_PASSWORD": SECRET.reveal()}
        rig.worker = WorkerProcess(rig.home, rig.environment(**login))
        try:
            rig.worker.start()
            rig.wait_fresh(30)
            with server.redis.client() as client:
                users = {one["user"] for one in client.client_list()}
                assert users == {"ibkr_depth", "admin"}
                assert client.acl_log() == []
            rig.worker.terminate()
            assert rig.worker.wait(10) == 0
        finally:
            rig.close()
        assert SECRET.reveal() not in rig.worker.log.read_text()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_universe(tmp_path, {"SPY": ["ARCA"]})
    return tmp_path


def worker(home: Path, url: str, ca: str, **settings: object) -> WorkerProcess:
    section = {"worker_users": True, "ssl_ca_certs": ca, **settings}
    write_settings(home, {"redis": section})
    env = {
        "REDIS_URL": url,
        "REDIS_PASSWORD": SECRET.reveal(),
        "TICKVISOR_SOURCE": "sim",
        "TICKVISOR_CONFIG": str(home / "ingestion.yaml"),
        "SYMBOL_CONFIG_PATH": str(home / "ibkr_symbols.yaml"),
    }
    return WorkerProcess(home, env)


def complaints(process: WorkerProcess) -> list[str]:
    """What the worker said of Redis, a line each."""
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    return [one["event"] for one in lines if one["event"].startswith("waiting for redis")]


@pytest.mark.parametrize(
    ("name", "ca", "reason"),
    [
        ("server", "stranger", "certificate verify failed: "),
        ("elsewhere", "ca", "certificate verify failed: IP address mismatch"),
        ("expired", "ca", "certificate verify failed: certificate has expired"),
    ],
)
def test_a_server_that_cannot_be_trusted_gets_nothing_and_that_is_one_line(
    home: Path, certificates: Path, name: str, ca: str, reason: str
) -> None:
    with TlsRedis(home / "redis", certificates, name, wants_ours=False).running() as server:
        process = worker(home, server.url, f"{certificates}/{ca}.pem").start()
        try:
            process.wait_until(lambda: process.log.exists() and complaints(process), 20, reason)
            process.terminate()
            assert process.wait(10) == 0
        finally:
            process.close()
        [line] = complaints(process)
        assert reason in line
        with server.redis.client() as client:
            assert client.dbsize() == 0
            # Nobody even tried to log in.
            assert client.acl_log() == []


def test_a_certificate_file_that_is_not_there_is_exit_code_78(home: Path) -> None:
    process = worker(home, "rediss://127.0.0.1:1/0", f"{home}/none.pem").start()
    assert process.wait(20) == 78
    # A long path is shortened.
    said = process.log.read_text()
    assert re.search(r"redis\.ssl_ca_certs: was '/.*, No such file or directory", said), said


@pytest.fixture
def unguarded(home: Path) -> Iterator[redis.Redis]:
    server = RedisServer(home / "foreign")
    server.start()
    with server.client() as client:
        yield client
    server.stop()


def test_a_worker_that_cannot_log_in_says_so_once_and_writes_nothing(
    home: Path, unguarded: redis.Redis
) -> None:
    port = unguarded.get_connection_kwargs()["port"]
    process = worker(home, f"redis://127.0.0.1:{port}/0", "").start()
    try:
        process.wait_until(lambda: process.log.exists() and complaints(process), 20, "a complaint")
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.close()
    [line] = complaints(process)
    assert line.startswith("waiting for redis: AuthenticationError: invalid username-password")
    assert unguarded.dbsize() == 0
    assert SECRET.reveal() not in process.log.read_text()
