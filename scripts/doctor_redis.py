"""Is this Redis one that the product can be run on? Pure."""

from __future__ import annotations

import re
from typing import Final

from scripts.doctor_finding import Finding, fail, ok, warn
from shared.settings import Settings, redacted_url
from shared.store.redis_health import RedisHealth

CHECK: Final = "redis"
_OLDEST: Final = (6, 2)
_SLOW_MS: Final = 20.0
_NEARLY_FULL: Final = 0.8
_FULL: Final = 0.95
# Of a depth stream, as measured (benchmarks/limits_files.py).
_ENTRY_BYTES: Final = 500
_NOBODY_WORDS: Final = ("connect call failed", "connection refused", "no such file")
_LOGIN_WORDS: Final = ("auth", "username-password", "noperm", "wrongpass", "permission")
# Words of Redis, of redis-py and of OpenSSL, and what to do; the first that fits.
_REMEDIES: Final = (
    (
        ("wrongpass", "username-password"),
        "check user and password in REDIS_URL; embedded: another REDIS_PASSWORD than at its start"
        " (`make down`, `make up`), or another Redis at this address",
    ),
    (
        ("noauth", "authentication required"),
        "this Redis wants a login: user and password in REDIS_URL, or redis.worker_users",
    ),
    (
        ("noperm", "permission"),
        "this user may not do that: `tickvisor acl` has the rights that are needed",
    ),
    (
        ("hostname mismatch", "ip address mismatch"),
        "the certificate is of another host: name the server in REDIS_URL as its certificate does",
    ),
    (("certificate has expired",), "the server's certificate has expired: renew it"),
    (
        ("certificate verify failed",),
        "name the authority of the server's certificate in redis.ssl_ca_certs",
    ),
    (
        ("wrong version number", "record layer failure", "unexpected eof", "eof occurred"),
        "the port does not speak TLS, or wants redis.ssl_certfile: see REDIS_URL",
    ),
)
_START_IT: Final = "start it, or correct REDIS_URL (`make up` starts the embedded one)"


def absent(settings: Settings) -> Finding:
    """Neither a REDIS_URL nor an embedded one that runs."""
    text = "REDIS_URL is not set and no embedded Redis runs"
    return warn(CHECK, text, "`make up` starts one; or set REDIS_URL")


def unreachable(settings: Settings, reason: str) -> Finding:
    url, lowered = redacted_url(settings.redis.url), reason.lower()
    if any(word in lowered for word in _NOBODY_WORDS):
        return fail(CHECK, f"nothing listens at {url}", _START_IT)
    fitting = (remedy for words, remedy in _REMEDIES if any(word in lowered for word in words))
    remedy = next(fitting, _START_IT)
    refused = any(word in lowered for word in (*_LOGIN_WORDS, "certificate"))
    what = "no use of" if refused else "no answer at"
    return fail(CHECK, f"{what} {url}, {reason}", remedy)


def judge(settings: Settings, health: RedisHealth) -> list[Finding]:
    findings = [_server(settings, health)]
    if not health.refused:
        findings += [_role(health), _eviction(health), _saving(health), _memory(health)]
        findings += _streams(settings, health)
    return [*findings, _latency(health), _source(settings, health)]


def _server(settings: Settings, health: RedisHealth) -> Finding:
    url = redacted_url(settings.redis.url)
    if health.refused:
        text = f"{url} answers, and refuses INFO: {health.refused}"
        return warn(CHECK, text, "allow this user INFO; version, policy and saving stay unknown")
    text = f"{url}, version {health.version}"
    if version_of(health.version) < _OLDEST:
        return fail(CHECK, text, "6.2 or later is needed")
    if health.cluster:
        return fail(
            CHECK, f"{text}, a cluster", "scripts use keys of several slots; use one server"
        )
    return ok(CHECK, text)


def version_of(text: str) -> tuple[int, ...]:
    """The first two numbers; an unreadable version passes for new."""
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else _OLDEST


def _role(health: RedisHealth) -> Finding:
    if health.role != "master":
        text = f"this server is a {health.role or 'unknown role'}: nothing can be written"
        return fail("redis-role", text, "let REDIS_URL name the primary")
    return ok("redis-role", "primary, takes writes")


def _eviction(health: RedisHealth) -> Finding:
    check, policy = "redis-eviction", health.policy or "unknown"
    if policy == "noeviction":
        return ok(check, "maxmemory-policy is noeviction")
    text = f"maxmemory-policy is {policy}"
    remedy = "keys vanish without a word when memory is full; set `maxmemory-policy noeviction`"
    if health.maxmemory:
        return fail(check, text, remedy)
    return warn(check, f"{text}, and no maxmemory is set yet", remedy)


def _saving(health: RedisHealth) -> Finding:
    check = "redis-saving"
    if health.write_fault:
        text = f"{health.write_fault} failed last"
        return fail(check, text, "free the disk and look at the log of Redis; it may refuse writes")
    if not health.appendonly:
        text = "appendonly is off"
        return warn(check, text, "a restart of Redis loses what was written; set `appendonly yes`")
    return ok(check, "appendonly is on")


def _memory(health: RedisHealth) -> Finding:
    check, used = "redis-memory", f"{health.used_bytes / 1_048_576:.1f} MB used"
    if not health.maxmemory:
        return ok(check, f"{used}, no limit")
    share = health.used_bytes / health.maxmemory
    text = f"{used} of {health.maxmemory / 1_048_576:.0f} MB"
    remedy = "raise maxmemory (embedded: redis.maxmemory_mb), or lower IBKR_STREAM_MAXLEN"
    if share >= _FULL:
        return fail(check, text, remedy)
    return warn(check, text, remedy) if share >= _NEARLY_FULL else ok(check, text)


def _streams(settings: Settings, health: RedisHealth) -> list[Finding]:
    """Whether full depth streams leave room for anything else."""
    symbols, maxlen = len(settings.depth_symbols()), settings.ibkr.stream_maxlen
    needed = symbols * maxlen * _ENTRY_BYTES
    if not health.maxmemory or needed < _NEARLY_FULL * health.maxmemory:
        return []
    text = (
        f"{symbols} depth streams of {maxlen} entries need about {needed / 1_048_576:.0f} MB,"
        f" maxmemory is {health.maxmemory / 1_048_576:.0f} MB"
    )
    remedy = "raise maxmemory (embedded: redis.maxmemory_mb), or lower IBKR_STREAM_MAXLEN"
    return [warn("redis-streams", text, remedy)]


def _latency(health: RedisHealth) -> Finding:
    check, text = "redis-latency", f"a PING takes {health.ping_ms:.2f} ms"
    if health.ping_ms > _SLOW_MS:
        return warn(check, text, "move Redis nearer, or see what holds it up (SLOWLOG GET)")
    return ok(check, text)


def _source(settings: Settings, health: RedisHealth) -> Finding:
    check = "source"
    if not health.source:
        return ok(check, f"{settings.source}, this Redis holds no data yet")
    if health.source == settings.source:
        return ok(check, f"{settings.source}, and so is the data in Redis")
    text = f"is set to {settings.source}, this Redis holds {health.source} data"
    return fail(check, text, "use another Redis, or `tickvisor source --reset` deletes all of it")
