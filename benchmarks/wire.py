"""What the lean gateways share: frames, a connection with its login, and orders over stdin."""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

_DETAILS = (
    "10|{req}|{symbol}|STK||0||{exchange}|USD|{symbol}|NMS|NMS|{con_id}|0.01||LMT,MKT|"
    "SMART,ARCA,NASDAQ,BATS|1|0|{symbol}|ARCA||||||US/Eastern|||||0|1||| 26||COMMON|1|1|100|"
)


_CONNECT_S = 60.0


def frame(*fields: object) -> bytes:
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


def rounds(rate: float, seconds: float, step_s: float) -> Iterator[tuple[float, int]]:
    """(due time from the start, frames of all symbols together) for a rate, in steps."""
    step_s = max(step_s, 1.0 / rate)
    total, sent, n = int(rate * seconds), 0, 0
    while sent < total:
        n += 1
        due = min(total, int(rate * step_s * n + 1e-9))
        if due > sent:
            yield n * step_s, due - sent
            sent = due


class Client(ABC):
    """One accepted connection: answers requests, and carries out orders once `complete`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""

    @abstractmethod
    def complete(self) -> bool:
        """Whether everything was asked for that the run needs."""

    @abstractmethod
    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send what is ordered; returns what was sent when."""

    @abstractmethod
    def request(self, fields: list[str]) -> None:
        """Answer a request for market data, or a cancel."""

    def serve_until_complete(self) -> None:
        hello = self._receive(4)
        if hello != b"API\0":
            raise SystemExit(f"not a TWS client, it sent {hello!r}")
        self._next()
        self.connection.sendall(frame(178, "20261121 09:30:00 EST"))
        while not self.complete():
            self._answer(self._next())

    def poll(self) -> None:
        """Answer what came in during a run (probes, cancels) without waiting."""
        while select.select([self.connection], [], [], 0)[0]:
            self._answer(self._next())

    def _answer(self, fields: list[str]) -> None:
        send = self.connection.sendall
        kind = fields[0]
        if kind == "71":
            send(frame(15, 1, "DU1") + frame(9, 1, 1))
        elif kind == "61":
            send(frame(62, 1))
        elif kind == "49":
            send(frame(49, 1, int(time.time())))
        elif kind == "9":
            details = _DETAILS.format(
                req=fields[2],
                symbol=fields[4],
                exchange=fields[10],
                con_id=1000 + sum(fields[4].encode()),
            )
            send(frame(*details.split("|")[:-1]) + frame(52, 1, fields[2]))
        else:
            self.request(fields)

    def _next(self) -> list[str]:
        length = struct.unpack(">I", self._receive(4))[0]
        return self._receive(length).decode().split("\0")[:-1]

    def _receive(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = self.connection.recv(65536)
            if not data:
                raise SystemExit("the client closed the connection")
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken


def serve(accepted: Callable[[socket.socket], Client]) -> None:
    """Tell the port, serve one client, then carry out orders until stdin ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    # A program under test that fails at its start must not be waited for.
    listener.settimeout(_CONNECT_S)
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = accepted(connection)
    client.serve_until_complete()
    print(json.dumps({"complete": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(client.run(json.loads(line))), flush=True)
        # Keep answering probes until the next command or the end.
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            try:
                client.poll()
            except (SystemExit, OSError):
                break
