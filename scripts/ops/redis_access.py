"""tickvisor redis-url, tickvisor acl: the way into Redis for other programs, and its users."""

from __future__ import annotations

import shlex
from typing import Annotated, Final
from urllib.parse import parse_qs, unquote, urlsplit

import typer

from scripts.configured import fail, settings_or_exit
from scripts.ops.asking import PROGRAM, chosen, no_redis
from shared.settings import Settings
from shared.settings_redis import ADMIN, OPERATOR, READER, missing_password, password_of, url_as
from shared.store.acl import acl_file

# Those of people and their programs; what a worker may do is for that worker.
LOGINS: Final = (READER, OPERATOR, ADMIN)
_TLS_FLAGS: Final = (
    ("ssl_ca_certs", "--cacert"),
    ("ssl_certfile", "--cert"),
    ("ssl_keyfile", "--key"),
)

User = Annotated[
    str,
    typer.Argument(
        metavar="[reader|operator|admin]",
        help="reader sees all keys and events; operator may give commands and reset, as tickvisor"
        " does; admin may do everything.",
    ),
]


def redis_url(
    user: User = READER,
    shell: Annotated[
        bool,
        typer.Option(
            "--shell",
            help='For eval "$(...)" in bash or zsh: redis-cli then logs in so, and its password'
            " is not in the process list.",
        ),
    ] = False,
) -> None:
    """Print the URL of Redis with a login, for other programs; the password stands in it.

    Exit codes: 0 printed, 1 there is none to give.
    """
    settings = settings_or_exit(PROGRAM)
    url = _url_of(settings, chosen("user", user, LOGINS))
    print(_shell_function(url) if shell else url)


def acl() -> None:
    """Print the users of Redis as an ACL file, for a server of your own (Redis 7 or later).

    Passwords stand in it as SHA-256. Exit codes: 0 printed, 1 there is no REDIS_PASSWORD.
    """
    redis = settings_or_exit(PROGRAM).redis
    if not redis.password:
        raise fail(PROGRAM, missing_password())
    print(acl_file(redis.password, redis.key_prefix), end="")


def _url_of(settings: Settings, user: str) -> str:
    address = settings.embedded_url.reveal()
    if settings.redis.worker_users:
        address = settings.redis.url
    if not address:
        own = "REDIS_URL has a login of its own, and redis.worker_users is off"
        raise fail(PROGRAM, own if settings.redis.url else no_redis())
    if not settings.redis.password:
        raise fail(PROGRAM, missing_password())
    return url_as(address, user, password_of(settings.redis.password, user))


def _shell_function(url: str) -> str:
    """`redis-cli` with this login; it takes the password from its environment."""
    parts, words = urlsplit(url), ["command", "redis-cli"]
    if parts.scheme == "unix":
        words += ["-s", unquote(parts.path)]
    else:
        words += ["-h", parts.hostname or "127.0.0.1", "-p", str(parts.port or 6379)]
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    database = query.get("db") or ("" if parts.scheme == "unix" else parts.path.strip("/"))
    words += ["-n", database or "0", "--user", unquote(parts.username or "")]
    if parts.scheme == "rediss":
        words.append("--tls")
        words += [
            part for name, flag in _TLS_FLAGS if name in query for part in (flag, query[name])
        ]
    password = shlex.quote(unquote(parts.password or ""))
    return f'redis-cli() {{ REDISCLI_AUTH={password} {shlex.join(words)} "$@"; }}'
