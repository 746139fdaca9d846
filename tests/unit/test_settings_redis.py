"""Logins, sockets and TLS files of the settings; no Redis is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio.connection import parse_url

from shared.errors import SettingsError
from shared.settings import WORKERS, Secret, Settings, load_settings
from shared.settings_redis import (
    as_user,
    own_address,
    password_of,
    secrets_of,
    socket_path,
    url_as,
)

SECRET = "correct-horse-battery"
OPERATOR_URL = "redis://operator:pw@127.0.0.1:6380/0"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "var/run").mkdir(parents=True)
    (tmp_path / "config/ibkr_symbols.yaml").write_text("symbols: {SPY: {venues: [ARCA]}}\n")
    return tmp_path


def load(root: Path, yaml: str = "", **env: str) -> Settings:
    (root / "config/ingestion.yaml").write_text(f"symbols: {{level2: [SPY]}}\n{yaml}")
    return load_settings(env, root)


def options(url: str) -> dict[str, Any]:
    """As the redis client reads the URL."""
    return dict(parse_url(url))


def problems(root: Path, yaml: str = "", **env: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(root, yaml, **env)
    return caught.value.problems


def test_every_user_has_a_password_of_its_own_that_is_always_the_same() -> None:
    found = [password_of(Secret(SECRET), user).reveal() for user in (*WORKERS, "operator")]
    assert len(set(found)) == len(found)
    assert found[0] == password_of(Secret(SECRET), WORKERS[0]).reveal()
    assert password_of(Secret("another secret"), WORKERS[0]).reveal() not in found
    assert all(len(one) == 64 for one in found)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379/0", "redis://me:p%2Fw@127.0.0.1:6379/0"),
        ("redis://other:word@db/2", "redis://me:p%2Fw@db/2"),
        ("rediss://db:6390/0?ssl_ca_certs=/ca", "rediss://me:p%2Fw@db:6390/0?ssl_ca_certs=/ca"),
        ("unix:///run/redis.sock?db=1", "unix://me:p%2Fw@/run/redis.sock?db=1"),
    ],
)
def test_a_login_replaces_the_one_that_is_there(url: str, expected: str) -> None:
    assert url_as(url, "me", Secret("p/w")) == expected
    assert options(expected)["password"] == "p/w"


def test_our_processes_take_the_socket_of_the_embedded_redis(root: Path) -> None:
    (root / "var/run/redis.url").write_text(f"{OPERATOR_URL}\n")
    settings = load(root)
    assert settings.redis.url == f"unix://operator:pw@{root}/var/run/redis.sock?db=0"
    assert settings.embedded_url == Secret(OPERATOR_URL)
    assert "pw" not in repr(settings.redis) + repr(settings.embedded_url)


def test_a_path_with_a_blank_survives_the_url(tmp_path: Path) -> None:
    home = tmp_path / "a b%20c"
    assert options(own_address(OPERATOR_URL, home))["path"] == f"{home}/var/run/redis.sock"


@pytest.mark.parametrize(("length", "by_socket"), [(107, True), (108, False)])
def test_a_socket_whose_path_is_too_long_is_left_for_the_port(length: int, by_socket: bool) -> None:
    home = Path("/" + "x" * (length - len("//var/run/redis.sock")))
    assert (socket_path(home) is not None) is by_socket
    assert own_address(OPERATOR_URL, home).startswith("unix://" if by_socket else OPERATOR_URL)


def test_an_address_without_a_user_is_used_as_it_is(root: Path) -> None:
    (root / "var/run/redis.url").write_text("redis://127.0.0.1:6380/0\n")
    settings = load(root)
    assert settings.redis.url == "redis://127.0.0.1:6380/0"
    assert as_user(settings, "ibkr_depth") == settings


def test_a_worker_logs_in_to_the_embedded_redis_as_itself(root: Path) -> None:
    (root / "var/run/redis.url").write_text(OPERATOR_URL)
    settings = as_user(load(root, REDIS_PASSWORD=SECRET), "ibkr_depth")
    found = options(settings.redis.url)
    expected = password_of(Secret(SECRET), "ibkr_depth").reveal()
    assert (found["username"], found["password"]) == ("ibkr_depth", expected)
    assert found["path"] == f"{root}/var/run/redis.sock"
    assert SECRET not in repr(settings)


def test_without_the_secret_a_worker_says_what_is_missing(root: Path) -> None:
    (root / "var/run/redis.url").write_text(OPERATOR_URL)
    settings = load(root)
    assert as_user(settings, "operator") == settings
    with pytest.raises(SettingsError, match="REDIS_PASSWORD: is missing"):
        as_user(settings, "ibkr_depth")


def test_a_redis_of_the_users_own_is_used_with_the_urls_user(root: Path) -> None:
    settings = load(root, REDIS_URL="redis://me:pw@db/0", REDIS_PASSWORD=SECRET)
    assert as_user(settings, "ibkr_depth").redis.url == "redis://me:pw@db/0"


def test_worker_users_give_each_process_its_login_there_too(root: Path) -> None:
    yaml = "redis: {worker_users: true}"
    settings = load(root, yaml, REDIS_URL="redis://db/0", REDIS_PASSWORD=SECRET)
    assert options(as_user(settings, "watchdog").redis.url)["username"] == "watchdog"
    assert options(as_user(settings, "operator").redis.url)["username"] == "operator"


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        (
            {"REDIS_PASSWORD": SECRET},
            "redis.worker_users: was True, is for a REDIS_URL; the embedded Redis always has them",
        ),
        (
            {"REDIS_PASSWORD": SECRET, "REDIS_URL": "redis://me:pw@db/0"},
            "redis.worker_users: was True, then redis.url must name no user and no password",
        ),
        (
            {"REDIS_URL": "redis://db/0"},
            "REDIS_PASSWORD: is missing, redis.worker_users needs it",
        ),
    ],
)
def test_worker_users_that_cannot_be_are_refused(
    root: Path, env: dict[str, str], problem: str
) -> None:
    assert problems(root, "redis: {worker_users: true}", **env) == (problem,)


def test_a_weak_password_is_refused_without_showing_it(root: Path) -> None:
    assert problems(root, REDIS_PASSWORD="hunter2") == (
        "REDIS_PASSWORD: was 7 characters, must be at least 12, printable ASCII",
    )


def test_a_password_must_not_stand_in_the_yaml_file(root: Path) -> None:
    assert problems(root, "redis: {password: hunter2hunter2}") == (
        "redis.password: must not stand in this file, set REDIS_PASSWORD in .env",
    )


def test_a_password_that_was_not_spelled_as_in_a_url_is_not_shown(root: Path) -> None:
    [problem] = problems(root, REDIS_URL="redis://:a/hunter2@db:6379/0")
    assert problem.startswith("redis.url: was 'redis://:***@db:6379/0', must have a host and")


def test_every_spelling_of_a_password_is_known_as_secret(root: Path) -> None:
    url = "redis://me:p%2Fw%40rd@db/0?password=second"
    settings = load(root, REDIS_URL=url, REDIS_PASSWORD=SECRET)
    assert set(secrets_of(settings.redis)) == {"p%2Fw%40rd", "p/w@rd", "second", SECRET}
    assert secrets_of(load(root, REDIS_URL="redis://db/0").redis) == []


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem with its key ca.key, and junk.pem."""
    folder = tmp_path_factory.mktemp("pem")
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -keyout ca.key -out ca.pem -subj /CN=test"
    )
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    (folder / "junk.pem").write_text("not a certificate\n")
    return folder


def test_tls_files_of_the_settings_reach_the_client(root: Path, pem: Path) -> None:
    settings = load(
        root,
        REDIS_URL="rediss://db/0",
        REDIS_SSL_CA_CERTS=f"{pem}/ca.pem",
        REDIS_SSL_CERTFILE=f"{pem}/ca.pem",
        REDIS_SSL_KEYFILE=f"{pem}/ca.key",
    )
    found = options(settings.redis.url)
    assert {name: found[name] for name in found if name.startswith("ssl_")} == {
        "ssl_ca_certs": f"{pem}/ca.pem",
        "ssl_certfile": f"{pem}/ca.pem",
        "ssl_keyfile": f"{pem}/ca.key",
    }


def test_a_relative_tls_file_counts_from_the_root(root: Path, pem: Path) -> None:
    (root / "config/ca.pem").write_bytes((pem / "ca.pem").read_bytes())
    settings = load(root, "redis: {url: 'rediss://db/0', ssl_ca_certs: config/ca.pem}")
    assert options(settings.redis.url)["ssl_ca_certs"] == f"{root}/config/ca.pem"


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("url: 'redis://db/0', ssl_ca_certs: {pem}/ca.pem",
         "redis.ssl_ca_certs: is for a redis.url that starts with rediss://"),
        ("url: 'rediss://db/0', ssl_ca_certs: {pem}/none.pem",
         "redis.ssl_ca_certs: was '{pem}/none.pem', must be certificates in PEM,"
         " No such file or directory"),
        ("url: 'rediss://db/0', ssl_ca_certs: {pem}/junk.pem",
         "redis.ssl_ca_certs: was '{pem}/junk.pem', must be certificates in PEM,"
         " NO_CERTIFICATE_OR_CRL_FOUND"),
        ("url: 'rediss://db/0?ssl_ca_certs={pem}/none.pem'",
         "redis.ssl_ca_certs: was '{pem}/none.pem', must be certificates in PEM,"
         " No such file or directory"),
        ("url: 'rediss://db/0', ssl_certfile: {pem}/none.pem",
         "redis.ssl_certfile: was '{pem}/none.pem', must be a readable file,"
         " No such file or directory"),
        ("url: 'rediss://db/0', ssl_certfile: {pem}/ca.pem, ssl_keyfile: {pem}/none.key",
         "redis.ssl_keyfile: was '{pem}/none.key', must be a readable file,"
         " No such file or directory"),
        ("url: 'rediss://db/0', ssl_keyfile: {pem}/ca.key",
         "redis.ssl_keyfile: needs ssl_certfile beside it"),
        ("url: 'rediss://db/0?ssl_ca_certs={pem}/ca.pem', ssl_ca_certs: {pem}/ca.pem",
         "redis.ssl_ca_certs: stands in redis.url too, must be in one place"),
    ],
)  # fmt: skip
def test_tls_files_that_cannot_be_used_are_named(
    root: Path, pem: Path, yaml: str, problem: str
) -> None:
    section = yaml.replace("{pem}", str(pem))
    assert problems(root, f"redis: {{{section}}}") == (problem.replace("{pem}", str(pem)),)


def test_a_certificate_without_its_key_is_named(root: Path, pem: Path) -> None:
    env = {"REDIS_URL": "rediss://db/0", "REDIS_SSL_CERTFILE": f"{pem}/ca.pem"}
    [problem] = problems(root, **env)
    assert problem.startswith(f"redis.ssl_certfile: was '{pem}/ca.pem', must be a certificate and")
