from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy import processes, report
from deploy.dotenv import add_redis_password, ensure_dotenv
from deploy.layout import Layout
from deploy.plan import Plan, make_plan
from deploy.ports import is_free
from deploy.programs import write_programs
from deploy.readiness import Expected, expected_of, hopeless, missing, read_data
from deploy.redis_binary import find_redis_server
from deploy.supervisor_client import Program, SupervisorClient, running_pid
from shared.errors import SettingsError, StoreUnavailable, TickvisorError
from shared.settings import READERS, Settings, load_settings, redacted_url
from shared.settings_redis import OPERATOR, as_user

_POLL_S: Final = 0.5
_SUPERVISORD_DEADLINE_S: Final = 20.0
_BESIDE: Final = ("redis", "tws_simulator", "alphavantage_simulator", "guardian")


def start(layout: Layout) -> int:
    if running_pid(layout.socket) is not None:
        return _already_up(layout)
    ensure_dotenv(layout)
    _clear_remains(layout)
    settings = _settings(layout)
    if not (settings.redis.url or settings.redis.password):
        add_redis_password(layout)
        settings = _settings(layout)
    plan = make_plan(settings, find_redis_server, is_free)
    for note in (*plan.notes, *_unreachable(settings)):
        print(f"note: {note}")
    write_programs(plan, layout)
    settings = _settings(layout)
    since_ms = time.time_ns() // 1_000_000
    _spawn_supervisord(layout)
    return _wait_until_up(layout, settings, plan, since_ms)


def status(layout: Layout) -> int:
    if running_pid(layout.socket) is None:
        print("not running")
        return 1
    settings = _settings(layout)
    programs = _programs(layout)
    print(report.summary(settings, programs))
    return int(any(not _well(program) for program in _wanted(settings, programs)))


def _already_up(layout: Layout) -> int:
    print("already up (`make down` first to apply changed settings)")
    return status(layout)


def _wanted(settings: Settings, programs: Sequence[Program]) -> list[Program]:
    """All but those that the settings leave out."""
    chosen = (*settings.supervision.workers(), *settings.readers())
    return [one for one in programs if one.name in chosen or one.name in _BESIDE]


def _well(program: Program) -> bool:
    """`make up` does not wait for those that only read."""
    return program.state == "RUNNING" or (program.state == "STARTING" and program.name in READERS)


def _clear_remains(layout: Layout) -> None:
    """Two Redis servers on one directory would ruin it, so nothing of an earlier run may live."""
    survivors = processes.find_ours(layout)
    if survivors:
        names = ", ".join(f"{one.name} {one.pid}" for one in survivors)
        print(f"stopping what an earlier run left behind: {names}")
        processes.stop(survivors)
    addresses = (layout.redis_url, layout.tws_address, layout.vendor_address)
    readers = map(layout.reader_address, READERS)
    for leftover in (*addresses, *readers, layout.socket):
        leftover.unlink(missing_ok=True)


def _settings(layout: Layout) -> Settings:
    settings = load_settings(os.environ, layout.root)
    if Path(settings.home).resolve() != layout.root:
        raise SettingsError(
            [f"TICKVISOR_HOME: was {settings.home!r}, must be unset: supervisord.conf names var/"]
        )
    return settings


def _unreachable(settings: Settings) -> list[str]:
    """A Redis of the user's must answer before anything is started; a gateway may come later."""
    if settings.redis.url:
        try:
            with _connect(as_user(settings, OPERATOR)) as client:
                client.ping()
        except redis.RedisError as error:
            url = redacted_url(settings.redis.url)
            raise StoreUnavailable(f"REDIS_URL: no Redis answers at {url}, {error}") from error
    if settings.source == "sim":
        return []
    address = (settings.ibkr.host, settings.ibkr.port)
    try:
        socket.create_connection(address, settings.ibkr.connect_timeout_s).close()
    except OSError as error:
        return [f"no gateway answers at {address[0]}:{address[1]} (IBKR_HOST, IBKR_PORT), {error}"]
    return []


def _connect(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(
        settings.redis.url,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=settings.redis.connect_timeout_s,
        socket_connect_timeout=settings.redis.connect_timeout_s,
    )


def _spawn_supervisord(layout: Layout) -> None:
    if not layout.python.exists():
        raise TickvisorError(f"{layout.python}: missing, run `make install`")
    done = subprocess.run(
        [str(layout.python), "-m", "supervisor.supervisord", "-c", str(layout.supervisord_conf)],
        cwd=layout.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        # It opens its own log before it reads of the umask in its configuration.
        umask=0o077,
    )
    if done.returncode != 0:
        raise TickvisorError(f"supervisord did not start:\n{done.stdout.strip()}")
    until = time.monotonic() + _SUPERVISORD_DEADLINE_S
    while running_pid(layout.socket) is None:
        if time.monotonic() > until:
            log = report.last_lines(layout.log / "supervisord.log")
            raise TickvisorError(f"supervisord does not answer:\n{log}")
        time.sleep(0.1)


def _programs(layout: Layout) -> list[Program]:
    try:
        with SupervisorClient(layout.socket) as client:
            return client.programs()
    except OSError as error:
        log = report.last_lines(layout.log / "supervisord.log")
        raise TickvisorError(f"supervisord ended, {error}:\n{log}") from error


def _wait_until_up(layout: Layout, settings: Settings, plan: Plan, since_ms: int) -> int:
    expected = expected_of(settings, plan.left_out, _programs(layout), since_ms)
    until = time.monotonic() + settings.supervision.ready_deadline_s
    said: list[str] = []
    with _connect(as_user(settings, OPERATOR)) as client:
        while True:
            programs = _programs(layout)
            lacking = missing(expected, programs, read_data(client, settings, since_ms))
            if not lacking:
                print(report.summary(settings, programs))
                return 0
            if lacking != said:
                print(f"waiting: {'; '.join(lacking)}", flush=True)
                said = lacking
            if hopeless(expected, programs) or time.monotonic() > until:
                _fail(layout, expected, programs, lacking)
                return 1
            time.sleep(_POLL_S)


def _fail(
    layout: Layout, expected: Expected, programs: Sequence[Program], lacking: Sequence[str]
) -> None:
    suspects = [
        one.name for one in programs if one.name in expected.programs and one.state != "RUNNING"
    ]
    text = report.failure(lacking, suspects or list(expected.programs), layout.log)
    print(text, file=sys.stderr)
