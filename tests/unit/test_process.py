from __future__ import annotations

from pathlib import Path

import pytest

from shared.process import EXIT_SETTINGS, Family, Health, Worker, run
from shared.settings import VARIABLES

FAMILY = Family("ibkr_ingestion", ("ibkr_depth",), has_flag=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No variable of the developer's counts, and nothing runs here."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TICKVISOR_HOME", str(tmp_path))
    monkeypatch.setenv("TICKVISOR_SOURCE", "live")
    return tmp_path


async def never(worker: Worker) -> None:
    raise AssertionError("main ran with unusable settings")


def test_a_worker_is_starting_and_not_connected_at_first() -> None:
    health = Health()
    assert (health.state, health.connected, health.detail) == ("starting", False, "")
    assert not health.changed.is_set()


@pytest.mark.parametrize(
    ("state", "connected", "detail"),
    [("running", False, ""), ("starting", True, ""), ("starting", False, "redis is away")],
)
def test_every_change_of_health_is_told(state: str, connected: bool, detail: str) -> None:
    health = Health()
    health.set(state, connected, detail)
    assert (health.state, health.connected, health.detail) == (state, connected, detail)
    assert health.changed.is_set()


def test_the_same_health_again_is_no_change() -> None:
    health = Health()
    health.set("running", True, "")
    health.changed.clear()
    health.set("running", True)
    assert not health.changed.is_set()


def test_without_a_redis_the_exit_code_is_78_and_the_remedy_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ibkr_depth", lambda _: FAMILY, never) == EXIT_SETTINGS == 78
    assert capsys.readouterr().err == (
        "ibkr_depth: unusable settings\n"
        "  redis.url: REDIS_URL is not set and no embedded redis runs; try `make up`\n"
    )


def test_all_faults_of_the_settings_are_named_one_a_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("IBKR_PORT", "70000")
    monkeypatch.setenv("IBKR_LOG_LEVEL", "LOUD")
    assert run("ibkr_depth", lambda _: FAMILY, never) == 78
    head, *problems = capsys.readouterr().err.splitlines()
    assert head == "ibkr_depth: unusable settings"
    assert len(problems) == 2
    assert "70000" in problems[0] + problems[1]
    assert "LOUD" in problems[0] + problems[1]
