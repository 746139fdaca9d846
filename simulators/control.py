from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, cast

from .errors import CommandError, SimulatorError

__all__ = ["ControlClient", "ControlLine"]


class ControlLine(asyncio.Protocol):
    """Server side: one JSON object per line in, one JSON line out."""

    def __init__(self, dispatch: Callable[[Any], dict[str, Any]], line_bytes_max: int) -> None:
        self._dispatch = dispatch
        self._line_bytes_max = line_bytes_max
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        *lines, self._data = (self._data + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._transport.write(json.dumps(self._answer(line)).encode() + b"\n")
        if len(self._data) > self._line_bytes_max:
            self._transport.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            body = json.loads(line)
        except (ValueError, RecursionError):
            return {"ok": False, "error": f"line must be JSON, was {line[:60]!r}"}
        try:
            return {"ok": True, **self._dispatch(body)}
        except SimulatorError as error:
            return {"ok": False, "error": str(error)}


class ControlClient:
    """Client side, for tests and scripts: `ControlClient(port).call("freeze", symbol="SPY")`."""

    def __init__(self, port: int, host: str = "127.0.0.1", timeout_s: float = 10.0) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self._reader = self._socket.makefile("rb")

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, command: str, **fields: Any) -> dict[str, Any]:
        line = json.dumps({"command": command, **fields})
        self._socket.sendall(line.encode() + b"\n")
        reply = self._reader.readline()
        if not reply:
            raise CommandError(f"control port closed during command {command!r}")
        answer = cast("dict[str, Any]", json.loads(reply))
        if not answer["ok"]:
            raise CommandError(answer["error"])
        return answer

    def close(self) -> None:
        self._reader.close()
        self._socket.close()
