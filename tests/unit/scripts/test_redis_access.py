from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.tickvisor import app
from shared.settings import Secret
from shared.settings_environment import PLACES, VARIABLES
from shared.settings_redis import password_of
from shared.store.acl import acl_file
from tests.support.certificates import make_certificates

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
def test_redis_cli_is_given_the_login_without_its_password_in_the_process_list() -> None:
    password = password_of(Secret(SECRET), "reader").reveal()
    assert said("redis-url", "--shell") == (
        0,
        f"redis-cli() {{ REDISCLI_AUTH={password} command redis-cli -h 127.0.0.1 -p 6380 -n 0"
        ' --user reader "$@"; }\n',
    )


@pytest.mark.usefixtures("home")
def test_redis_cli_is_given_the_files_of_tls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ca = make_certificates(tmp_path) / "ca.pem"
    (tmp_path / "ingestion.yaml").write_text("redis: {worker_users: true}")
    monkeypatch.setenv("TICKVISOR_CONFIG", str(tmp_path / "ingestion.yaml"))
    monkeypatch.setenv("REDIS_URL", "rediss://db:6390/2")
    monkeypatch.setenv("REDIS_SSL_CA_CERTS", str(ca))
    code, text = said("redis-url", "operator", "--shell")
    assert (code, text.partition("command ")[2]) == (
        0,
        f'redis-cli -h db -p 6390 -n 2 --user operator --tls --cacert {ca} "$@"; }}\n',
    )


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
