"""Who logs in to Redis how: users and their passwords, sockets, TLS."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlencode, urlsplit

import msgspec

from shared.errors import SettingsError
from shared.settings_sections import RedisSettings, Secret
from shared.settings_words import shown

if TYPE_CHECKING:
    from shared.settings import Settings

# Beside the workers, who are users by their names.
GUARDIAN: Final = "guardian"
OPERATOR: Final = "operator"
READER: Final = "reader"
ADMIN: Final = "admin"

_MIN_PASSWORD: Final = 12
# sockaddr_un holds 108 bytes, the last one 0.
_MAX_SOCKET_PATH: Final = 107
# Settings and query parameters of the URL have the names of the redis client's options.
_TLS_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def password_of(secret: Secret, user: str) -> Secret:
    """Each user's own, all from one: nobody has to keep a list of them."""
    key = secret.reveal().encode()
    return Secret(hmac.new(key, f"tickvisor redis {user}".encode(), hashlib.sha256).hexdigest())


def url_as(url: str, user: str, password: Secret) -> str:
    """The same address with this login."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(
        netloc=f"{quote(user, safe='')}:{quote(password.reveal(), safe='')}@{place}"
    ).geturl()


def secrets_of(redis: RedisSettings) -> list[str]:
    """Every text that must stand in no log, as it is and as a URL spells it."""
    found = {redis.password.reveal()}
    parts = urlsplit(redis.url)
    for spelled in (parts.password or "", *parse_qs(parts.query).get("password", ())):
        plain = unquote(spelled)
        found |= {spelled, plain, quote(plain, safe="")}
    return sorted((one for one in found if one), key=len, reverse=True)


def socket_path(home: Path) -> Path | None:
    """The embedded Redis's unix socket; None where its path is too long for clients."""
    path = home.absolute() / "var/run/redis.sock"
    return path if len(str(path).encode()) <= _MAX_SOCKET_PATH else None


def own_address(public_url: str, home: Path) -> str:
    """How our own processes reach the embedded Redis: by its socket where that can be.

    While this Redis is down anybody may take its port, and nobody its socket. An address without
    a user was not left by `make up`, and is used as it is.
    """
    parts, path = urlsplit(public_url), socket_path(home)
    if not parts.username or path is None:
        return public_url
    login = parts.netloc.rpartition("@")[0]
    return f"unix://{login}@{quote(str(path))}?db={parts.path.strip('/') or 0}"


def as_user(settings: Settings, user: str) -> Settings:
    """The same settings, with the login of one process where each has its own.

    Raises:
        SettingsError: the secret that the passwords come from is missing.
    """
    redis = settings.redis
    if not (settings.embedded_url or redis.worker_users):
        return settings
    if settings.embedded_url and user == OPERATOR:
        # `make up` left this one beside the address.
        return settings
    if not redis.password:
        raise SettingsError([missing_password()])
    url = url_as(redis.url, user, password_of(redis.password, user))
    return msgspec.structs.replace(settings, redis=msgspec.structs.replace(redis, url=url))


def missing_password() -> str:
    return "REDIS_PASSWORD: is missing, each process has its own login; `make up` writes it to .env"


def with_tls_files(redis: RedisSettings, root: Path) -> RedisSettings:
    """The files that the settings name go into the URL, where the redis client looks for them."""
    chosen = {name: getattr(redis, name) for name in _TLS_FILES if getattr(redis, name)}
    parts = _parsed(redis.url)
    if not chosen or parts is None or parts.scheme != "rediss":
        return redis
    added = urlencode({name: str(root / path) for name, path in chosen.items()}, safe="/")
    query = "&".join(part for part in (parts.query, added) if part)
    return msgspec.structs.replace(redis, url=parts._replace(query=query).geturl())


def login_faults(redis: RedisSettings) -> list[str]:
    """Of a URL that can be read."""
    parts = urlsplit(redis.url)
    return [
        *_password_faults(redis.password),
        *_user_faults(redis, parts),
        *_tls_faults(redis, parts),
    ]


def _parsed(url: str) -> SplitResult | None:
    """None where no client could read it; that is said elsewhere."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _password_faults(password: Secret) -> Iterator[str]:
    text = password.reveal()
    if text and (len(text) < _MIN_PASSWORD or not (text.isascii() and text.isprintable())):
        yield (
            f"REDIS_PASSWORD: was {len(text)} characters, must be at least {_MIN_PASSWORD},"
            " printable ASCII"
        )


def _user_faults(redis: RedisSettings, parts: SplitResult) -> Iterator[str]:
    if not redis.worker_users:
        return
    if not redis.url:
        yield "redis.worker_users: was True, is for a REDIS_URL; the embedded Redis always has them"
    elif parts.username or parts.password:
        yield "redis.worker_users: was True, then redis.url must name no user and no password"
    elif not redis.password:
        yield "REDIS_PASSWORD: is missing, redis.worker_users needs it"


def _tls_faults(redis: RedisSettings, parts: SplitResult) -> Iterator[str]:
    named = {f"redis.{name}": getattr(redis, name) for name in _TLS_FILES}
    chosen = [name for name, path in named.items() if path]
    if parts.scheme != "rediss":
        if chosen:
            yield f"{chosen[0]}: is for a redis.url that starts with rediss://"
        return
    query = parse_qs(parts.query)
    files = {name: query.get(name, [""])[-1] for name in _TLS_FILES}
    for name in _TLS_FILES:
        if len(query.get(name, ())) > 1:
            yield f"redis.{name}: stands in redis.url too, must be in one place"
    if files["ssl_keyfile"] and not files["ssl_certfile"]:
        yield "redis.ssl_keyfile: needs ssl_certfile beside it"
    yield from _unusable_ca(files["ssl_ca_certs"])
    if "ssl_password" not in query:
        yield from _unusable_certificate(files["ssl_certfile"], files["ssl_keyfile"])


def _unusable_ca(path: str) -> Iterator[str]:
    if not path:
        return
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        yield f"redis.ssl_ca_certs: was {shown(path)}, must be certificates in PEM, {_why(error)}"


def _unusable_certificate(path: str, key: str) -> Iterator[str]:
    if not path:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, file in (("ssl_certfile", path), ("ssl_keyfile", key)):
        try:
            Path(file or path).read_bytes()
        except OSError as error:
            yield f"redis.{name}: was {shown(file)}, must be a readable file, {_why(error)}"
            return
    try:
        # A key with a pass phrase must not make the worker ask for it.
        context.load_cert_chain(path, key or None, password=lambda: b"")
    except (OSError, ValueError) as error:
        yield (
            f"redis.ssl_certfile: was {shown(path)}, must be a certificate and its key in PEM,"
            f" {_why(error)}"
        )


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not PEM"
    return getattr(error, "strerror", None) or type(error).__name__
