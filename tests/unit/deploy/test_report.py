from __future__ import annotations

from pathlib import Path

from deploy.report import failure, last_lines, summary
from deploy.supervisor_client import Program
from shared.settings import load_settings, repository_root

PROGRAMS = [Program("ibkr_depth", "RUNNING", 42, "pid 42, uptime 0:00:03")]


def test_the_summary_names_source_redis_and_programs_without_the_password(tmp_path: Path) -> None:
    env = {
        "TICKVISOR_HOME": str(tmp_path),
        "TICKVISOR_SOURCE": "sim",
        "REDIS_URL": "redis://:hunter2@127.0.0.1:6379/0",
    }
    settings = load_settings(env, repository_root())
    assert summary(settings, PROGRAMS).splitlines() == [
        "source   sim",
        "redis    redis://:***@127.0.0.1:6379/0 (yours, REDIS_URL)",
        "gateway  127.0.0.1:7497 (simulated)",
        "vendor   http://127.0.0.1:7480/query (simulated)",
        "page     http://127.0.0.1:9473/",
        "metrics  http://127.0.0.1:9472/metrics",
        "",
        "program     state      detail",
        "ibkr_depth  RUNNING    pid 42, uptime 0:00:03",
    ]


def test_the_embedded_redis_is_named_as_others_reach_it(tmp_path: Path) -> None:
    (tmp_path / "var/run").mkdir(parents=True)
    (tmp_path / "var/run/redis.url").write_text("redis://operator:hunter2@127.0.0.1:6380/0\n")
    settings = load_settings({"TICKVISOR_HOME": str(tmp_path)}, repository_root())
    assert summary(settings, PROGRAMS).splitlines()[1] == (
        "redis    redis://operator:***@127.0.0.1:6380/0 (embedded)"
    )


def test_only_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "redis.log"
    log.write_bytes(b"first\nsecond\xff\nthird\n")
    assert last_lines(log, 2) == "second\ufffd\nthird"


def test_a_missing_log_is_said(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "redis.log") == "(no log: No such file or directory)"


def test_a_failure_names_what_is_missing_and_ends_with_the_logs(tmp_path: Path) -> None:
    (tmp_path / "ibkr_depth.log").write_text("no gateway\n")
    assert failure(["ibkr_depth is FATAL"], ["ibkr_depth"], tmp_path).splitlines() == [
        "not up:",
        "  ibkr_depth is FATAL",
        "",
        "last lines of var/log/ibkr_depth.log:",
        "no gateway",
        "",
        "what did start goes on running: `make logs` to watch, `make down` to stop",
    ]
