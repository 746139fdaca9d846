from __future__ import annotations

import http.client
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from supervisor.xmlrpc import SupervisorTransport


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    state: str
    pid: int
    description: str


class SupervisorClient:
    """supervisord's own XML-RPC over its unix socket; every call may raise OSError."""

    def __init__(self, socket: Path) -> None:
        self._transport = SupervisorTransport(None, None, f"unix://{socket}")
        # The URL only has to be one: the transport knows the socket.
        self._proxy: Any = xmlrpc.client.ServerProxy("http://127.0.0.1", self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._transport.close()

    def pid(self) -> int:
        return int(self._call("getPID"))

    def programs(self) -> list[Program]:
        return [
            Program(
                name=info["name"],
                state=info["statename"],
                pid=info["pid"],
                description=info["description"],
            )
            for info in self._call("getAllProcessInfo")
        ]

    def start(self, name: str) -> None:
        """Without waiting until it runs."""
        self._call("startProcess", name, False)

    def shutdown(self) -> None:
        self._call("shutdown")

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            return getattr(self._proxy.supervisor, method)(*arguments)
        except (xmlrpc.client.Error, http.client.HTTPException) as error:
            raise ConnectionError(f"supervisord refused {method}, {error}") from error


def running_pid(socket: Path) -> int | None:
    """The pid of the supervisord that answers on this socket."""
    try:
        with SupervisorClient(socket) as client:
            return client.pid()
    except OSError:
        return None
