from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.tickvisor import app
from shared.settings_environment import PLACES, VARIABLES


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No variable of ours is set and no product runs; a developer's .env does not count."""
    for name in (*VARIABLES, *PLACES):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TICKVISOR_HOME", str(tmp_path))
    return monkeypatch


def test_without_any_redis_the_reason_is_one_line(unset: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(app, ["source"])
    assert done.exit_code == 1
    assert done.stderr == (
        "tickvisor: no redis: REDIS_URL is not set and no embedded redis runs, try `make up`\n"
    )


def test_unusable_settings_exit_78_with_every_fault(unset: pytest.MonkeyPatch) -> None:
    unset.setenv("IBKR_PORT", "x")
    unset.setenv("IBKR_ROTATION_SECS", "0")
    done = CliRunner().invoke(app, ["source"])
    assert done.exit_code == 78
    assert done.stderr.splitlines()[0] == "tickvisor: unusable settings"
    assert len(done.stderr.splitlines()) == 3
