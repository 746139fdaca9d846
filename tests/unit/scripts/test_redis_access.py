from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.tickvisor import app
from shared.settings import Secret
from shared.settings_environment import PLACES, VARIABLES
from shared.settings_redis import password_of
from shared.store.acl import acl_file

SECRET = "correct-horse-battery"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The embedded Redis stands on port 6380."""
    for name in (*VARIABLES, *PLACES):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TICKVISOR_HOME", str(tmp_path))
    monkeypatch.setenv("REDIS_PASSWORD", SECRET)
    (tmp_path / "var/run").mkdir(parents=True)
    (tmp_path / "var/run/redis.url").write_text("redis://operator:pw@127.0.0.1:6380/0\n")
    return tmp_path


def said(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.stdout + done.stderr


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("user", ["reader", "operator", "admin"])
def test_a_login_for_other_programs_is_printed(user: str) -> None:
    password = password_of(Secret(SECRET), user).reveal()
    words = ("redis-url",) if user == "reader" else ("redis-url", user)
    assert said(*words) == (0, f"redis://{user}:{password}@127.0.0.1:6380/0\n")


@pytest.mark.usefixtures("home")
def test_the_login_of_a_worker_is_not_given_away() -> None:
    code, text = said("redis-url", "ibkr_depth")
    assert (code, "must be one of reader, operator, admin" in text) == (2, True)


@pytest.mark.usefixtures("home")
def test_the_users_are_printed_as_a_file() -> None:
    assert said("acl") == (0, acl_file(Secret(SECRET), ""))


@pytest.mark.usefixtures("home")
def test_a_url_with_a_login_of_its_own_has_no_other_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://me:hunter2@db/0")
    code, text = said("redis-url")
    assert (code, text) == (
        1,
        "tickvisor: REDIS_URL has a login of its own, and redis.worker_users is off\n",
    )


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["redis-url", "acl"])
def test_without_the_secret_there_is_nothing_to_print(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "")
    code, text = said(command)
    assert (code, text.startswith("tickvisor: REDIS_PASSWORD: is missing")) == (1, True)
