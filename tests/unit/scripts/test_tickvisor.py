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


COMMANDS = [
    ("status",),
    ("stale",),
    ("gaps",),
    ("incidents",),
    ("coverage",),
    ("book", "SPY"),
    ("chain", "SPY"),
    ("budget",),
    ("verify",),
    ("resubscribe", "SPY"),
    ("reconnect", "ibkr_depth"),
    ("source",),
]


def test_help_names_every_command_and_says_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    done = CliRunner().invoke(app, ["--help"])
    assert done.exit_code == 0
    rows = [line.strip("│ ").split(maxsplit=1) for line in done.stdout.splitlines()]
    told = {row[0]: row[1] for row in rows if len(row) == 2}
    for command in (*(words[0] for words in COMMANDS), "keys", "doctor", "redis-url", "acl"):
        assert told[command].endswith("."), command


@pytest.mark.parametrize(
    "command", [*(words[0] for words in COMMANDS), "keys", "doctor", "redis-url", "acl"]
)
def test_every_command_has_a_help_of_its_own(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"tickvisor {command}" in done.stdout or f"root {command}" in done.stdout


@pytest.mark.parametrize("words", COMMANDS)
def test_without_any_redis_every_command_says_so_in_one_line(
    unset: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    done = CliRunner().invoke(app, list(words))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "tickvisor: no redis: REDIS_URL is not set and no embedded redis runs, try `make up`\n"
    )


@pytest.mark.parametrize("words", [*COMMANDS, ("keys",), ("redis-url",), ("acl",)])
def test_every_command_refuses_unusable_settings(
    unset: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    unset.setenv("IBKR_PORT", "x")
    done = CliRunner().invoke(app, list(words))
    assert (done.exit_code, len(done.stderr.splitlines())) == (78, 2)


@pytest.mark.parametrize(
    "words",
    [
        ("book",),
        ("gaps", "--last", "0"),
        ("chain", "SPY", "--near", "x"),
        ("nothing",),
        ("keys", "zz"),
    ],
)
def test_wrong_usage_exits_2(unset: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, list(words)).exit_code == 2


def test_the_contract_is_shown_without_any_redis(unset: pytest.MonkeyPatch) -> None:
    unset.setenv("COLUMNS", "80")
    done = CliRunner().invoke(app, ["keys", "market:SPY:last"])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:3] == [
        "key      market:{symbol}:last",
        "type     string",
        "TTL      60 s",
    ]
