from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from simulators.commands import Values
from simulators.control import ControlLine
from simulators.scenario import Scenario

from .command_set import COMMANDS
from .connection import Connection
from .http_wire import HEAD_BYTES_MAX
from .moment import Moment
from .service import Vendor
from .setup import Setup

__all__ = ["Ports", "Server"]

_SCENARIO_TICK_S: Final = 0.02
_IDLE_TICK_S: Final = 1.0
_CONTROL_BYTES_MAX: Final = 1 << 20


@dataclass(slots=True)
class Counters:
    connections: int = 0
    connections_most: int = 0
    malformed: int = 0
    gone_early: int = 0
    bytes_sent: int = 0
    redirects_followed: int = 0


@dataclass(frozen=True, slots=True)
class Ports:
    host: str
    port: int
    control_port: int


class Server:
    """The running simulator: sockets around the Vendor."""

    def __init__(self, setup: Setup, ports: Ports, scenario: Scenario) -> None:
        self.vendor = Vendor(setup, time.time())
        self.counters = Counters()
        self.connections: set[asyncio.Task[None]] = set()
        self.port = ports.port
        self.control_port = ports.control_port
        self.scenario_errors: list[str] = []
        self.hung_released = asyncio.Event()
        self._host = ports.host
        self._scenario = scenario
        self._started_s = time.monotonic()
        self._stopping = asyncio.Event()
        self._listeners: list[asyncio.Server] = []

    def moment(self) -> Moment:
        return Moment(time.monotonic() - self._started_s, time.time())

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.port = self._add(
            await asyncio.start_server(
                self._serve, self._host, self.port, limit=HEAD_BYTES_MAX, backlog=512
            )
        )
        self.control_port = self._add(
            await loop.create_server(self._new_control, self._host, self.control_port)
        )
        elsewhere = self._add(await asyncio.start_server(self._notice, self._host, 0))
        self.vendor.elsewhere = f"http://{self._host}:{elsewhere}/query"

    async def run(self) -> None:
        while not self._stopping.is_set():
            asked = self.vendor.ledger.requests > 0
            self.scenario_errors += self._scenario.play(self.moment().mono_s, asked, self._dispatch)
            tick_s = _SCENARIO_TICK_S if self._scenario else _IDLE_TICK_S
            try:
                await asyncio.wait_for(self._stopping.wait(), tick_s)
            except TimeoutError:
                continue

    async def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for task in self.connections:
            task.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    def stop(self) -> None:
        self._stopping.set()

    def release_hung(self) -> None:
        self.hung_released.set()
        self.hung_released = asyncio.Event()

    def _add(self, listener: asyncio.Server) -> int:
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        self.counters.connections += 1
        most = max(self.counters.connections_most, len(self.connections))
        self.counters.connections_most = most
        try:
            await Connection(self, reader, writer).run()
        except asyncio.CancelledError:
            # The streams module would log the task of a connection that ends as cancelled.
            return
        finally:
            self.connections.discard(task)

    async def _notice(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Where a redirect leads; nobody has any business here."""
        self.counters.redirects_followed += 1
        # What is left unread would make a reset of the end.
        with suppress(ConnectionError, asyncio.CancelledError):
            await reader.read(HEAD_BYTES_MAX)
        writer.close()

    def _new_control(self) -> ControlLine:
        return ControlLine(self._dispatch, _CONTROL_BYTES_MAX)

    def _dispatch(self, body: Any) -> Values:
        return COMMANDS.dispatch(self, body)
