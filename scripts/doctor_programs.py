"""Does supervisord run, and what does it say of its programs?"""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from scripts.doctor_finding import Finding, fail, ok, warn

CHECK: Final = "supervisord"
_DEADLINE_S: Final = 2.0
_RUNNING: Final = "RUNNING"
_WELL: Final = frozenset({_RUNNING, "STARTING"})
_BESIDE: Final = ("redis", "tws_simulator", "alphavantage_simulator", "guardian")


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket, with a deadline: supervisor's own transport has none."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_DEADLINE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_DEADLINE_S)
        self.sock.connect(str(self._path))


def states(path: Path) -> dict[str, str] | None:
    """Each program's state; None when nothing listens there.

    Raises:
        OSError: it listens and gives no answer.
    """
    connection = _UnixConnection(path)
    try:
        try:
            connection.connect()
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        body = xmlrpc.client.dumps((), "supervisor.getAllProcessInfo")
        connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
        (programs,), _ = xmlrpc.client.loads(connection.getresponse().read().decode())
        return {str(one["name"]): str(one["statename"]) for one in _rows(programs)}
    except (http.client.HTTPException, xmlrpc.client.Error, ValueError) as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def judge(found: Mapping[str, str] | None, wanted: Collection[str]) -> Finding:
    """`wanted`: the workers and readers that the settings ask for."""
    if found is None:
        return warn(CHECK, "not running", "`make up` starts everything")
    text = _told(found)
    expected = [name for name in found if name in wanted or name in _BESIDE]
    stopped = [name for name in expected if found[name] == "STOPPED"]
    broken = [name for name in expected if found[name] not in (*_WELL, "STOPPED")]
    if broken:
        logs = ", ".join(f"var/log/{name}.log" for name in broken)
        return fail(CHECK, text, f"look at {logs}, then `supervisorctl start`")
    if stopped:
        names = " ".join(stopped)
        return warn(CHECK, text, f"`supervisorctl start {names}`")
    return ok(CHECK, text)


def _told(found: Mapping[str, str]) -> str:
    """Those that run are counted, so that the others are seen."""
    others = [f"{name} {found[name]}" for name in sorted(found) if found[name] != _RUNNING]
    well = len(found) - len(others)
    return ", ".join([f"{well} of {len(found)} programs {_RUNNING}", *others])


def silent(reason: str) -> Finding:
    return fail(CHECK, f"listens and gives no answer, {reason}", "`make down`, then `make up`")


def running(found: Mapping[str, str] | None) -> set[str]:
    return {name for name, state in (found or {}).items() if state in _WELL}


def _rows(programs: object) -> list[dict[str, object]]:
    return [one for one in programs if isinstance(one, dict)] if isinstance(programs, list) else []
