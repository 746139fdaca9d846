from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from scripts import doctor, doctor_probes
from scripts.doctor_finding import Finding, fail, ok
from shared.settings import Settings, load_settings, repository_root
from shared.settings_environment import PLACES, VARIABLES

PROBES = ("redis", "programs", "gateway", "vendor")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    env = {"TICKVISOR_HOME": str(tmp_path), "TICKVISOR_SOURCE": "sim"}
    return load_settings(env, repository_root())


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What each probe finds, or the error it ends with; no variable of ours is set."""
    found: dict[str, Any] = {name: [ok(name, "well")] for name in PROBES}
    for name in (*VARIABLES, *PLACES):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TICKVISOR_HOME", str(tmp_path))
    for name in PROBES:

        async def probe(*_: Any, name: str = name) -> list[Finding]:
            if isinstance(found[name], Exception):
                raise found[name]
            result: list[Finding] = found[name]
            return result

        monkeypatch.setattr(doctor_probes, name, probe)
    return found


def invoked(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(doctor.doctor_command)
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.stdout


@pytest.mark.usefixtures("probes")
def test_nothing_failed_is_exit_code_0(settings: Settings) -> None:
    assert doctor.doctor(settings, live_probe=True) == 0
    assert invoked()[0] == 0


def test_one_failure_is_exit_code_1(settings: Settings, probes: dict[str, Any]) -> None:
    probes["gateway"] = [fail("gateway", "silent", "look")]
    assert doctor.doctor(settings, live_probe=False) == 1
    code, text = invoked("--json")
    assert code == 1
    row = {"check": "gateway", "state": "fail", "finding": "silent", "remedy": "look"}
    assert row in json.loads(text)


def test_a_check_that_breaks_costs_no_other_and_tells_no_secret(
    settings: Settings, probes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    probes["vendor"] = ZeroDivisionError("https://vendor/?apikey=sesame")
    assert doctor.doctor(settings, live_probe=True) == 1
    said = capsys.readouterr().out
    assert "the check broke, ZeroDivisionError at test_doctor.py:" in said
    assert "sesame" not in said
    assert [line.split()[0] for line in said.splitlines() if " well" in line] == ["ok"] * 3


@pytest.mark.usefixtures("probes")
def test_unusable_settings_are_exit_code_78_and_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBKR_PORT", "x")
    monkeypatch.setenv("IBKR_ROTATION_SECS", "0")
    code, text = invoked("--json")
    assert code == 78
    assert [row["finding"].split(":")[0] for row in json.loads(text)] == [
        "IBKR_PORT",
        "IBKR_ROTATION_SECS",
    ]
