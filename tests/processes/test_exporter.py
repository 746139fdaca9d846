"""The exporter as a process: where it listens, how it ends, and that Redis need not be there."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.listeners.guardian import is_worker
from deploy.supervisor_client import Program
from tests.support.ports import free_port
from tests.support.worker_process import WorkerProcess

NOBODY = "redis://127.0.0.1:1/0"


class Exporter:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.process: WorkerProcess | None = None
        (home / "var/run").mkdir(parents=True)
        address = {"host": "127.0.0.1", "port": self.port}
        (home / "var/run/exporter.json").write_text(json.dumps(address))

    def start(self, redis_url: str, **env: str) -> WorkerProcess:
        self.process = WorkerProcess(self.home, {"REDIS_URL": redis_url, **env}, "exporter")
        return self.process.start()

    def answers(self) -> bool:
        try:
            return self.get("/healthz") == (200, "ok\n")
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    found = Exporter(tmp_path)
    yield found
    if found.process is not None:
        found.process.close()


def test_it_answers_and_ends_with_code_0_when_asked(exporter: Exporter, redis_url: str) -> None:
    process = exporter.start(redis_url)
    process.wait_until(exporter.answers, 20, "an answer")
    status, text = exporter.get("/metrics")
    assert (status, "tickvisor_redis_up 1.0" in text.splitlines()) == (200, True)
    assert "tickvisor_up 0.0" in text.splitlines()
    process.terminate()
    assert process.wait(10) == 0
    assert '"event":"stopped"' in process.log_text()


def test_it_comes_up_without_redis_and_says_so(exporter: Exporter) -> None:
    process = exporter.start(NOBODY)
    process.wait_until(exporter.answers, 20, "an answer")
    for _ in range(2):
        assert "tickvisor_redis_up 0.0" in exporter.get("/metrics")[1].splitlines()
    # Once, however often it is asked.
    assert process.log_text().count("redis was not read") == 1


def test_a_port_that_is_taken_is_a_failed_start(exporter: Exporter) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", exporter.port))
        other.listen()
        process = exporter.start(NOBODY)
        assert process.wait(20) == 3
    assert f"127.0.0.1:{exporter.port}: " in process.log_text()


@pytest.mark.parametrize(
    ("redis_url", "env", "said"),
    [
        ("", {}, "REDIS_URL is not set"),
        (NOBODY, {"TICKVISOR_DASHBOARD_TOKEN": "short"}, "TICKVISOR_DASHBOARD_TOKEN: was 5"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    exporter: Exporter, redis_url: str, env: dict[str, Any], said: str
) -> None:
    process = exporter.start(redis_url, **env)
    assert process.wait(20) == 78
    assert said in process.log_text()


@pytest.mark.parametrize(("name", "judged"), [("exporter", False), ("ibkr_depth", True)])
def test_the_guardian_expects_no_heartbeat_of_it(tmp_path: Path, name: str, judged: bool) -> None:
    process = WorkerProcess(tmp_path, {"REDIS_URL": NOBODY}, name).start()
    try:
        command = Path(f"/proc/{process.pid}/cmdline")
        process.wait_until(lambda: b"workers." in command.read_bytes(), 20, "it is started")
        assert is_worker(Program(name, "RUNNING", process.pid, "")) is judged
    finally:
        process.kill()
