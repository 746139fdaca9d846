from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from simulators.commands import Values
from simulators.control import ControlLine
from simulators.scenario import Scenario

from .command_set import COMMANDS
from .depth import Subscription
from .link import Link
from .streams import Stream
from .timers import Timers
from .world import Moment, World

__all__ = ["Gateway", "Ports"]

_CLIENTS_MAX: Final = 32
# Far above a tick: what came in between was read late.
_LATE_TICK_S: Final = 0.3
_CONTROL_BYTES_MAX: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Ports:
    host: str
    port: int
    control_port: int
    tick_ms: int


class Gateway:
    """The running simulator: sockets around the World, one tick loop, no other tasks."""

    def __init__(self, world: World, ports: Ports, scenario: Scenario) -> None:
        self.world = world
        self.timers = Timers()
        self.links: dict[int, Link] = {}
        self.port = ports.port
        self.control_port = ports.control_port
        self.scenario_errors: list[str] = []
        # Bytes per write to every client; 0 = as they come.
        self.chunk_bytes = 0
        self.accept_silent = False
        # Connections to leave unanswered after a restart.
        self.silent_connects = 0
        # symbol -> when it was broken, to be healed by a later subscription.
        self.heal_on_resubscribe: dict[str, float] = {}
        # What has gone silent -> since when.
        self.silent_since_s: dict[str, float] = {}
        # Kept but silent while another session of the same user has the data.
        self.muted_by_session: list[Stream | Subscription] = []
        self._ports = ports
        self._scenario = scenario
        self._started_s = time.monotonic()
        self._listener: asyncio.Server | None = None
        self._refusing_until_s: float | None = None
        self._connections = 0
        self._stopping = False

    def moment(self) -> Moment:
        return Moment(time.monotonic() - self._started_s, time.time())

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        await self._listen()
        control = await loop.create_server(self._new_control, self._ports.host, self.control_port)
        self.control_port = control.sockets[0].getsockname()[1]

    async def run(self) -> None:
        tick_s = self._ports.tick_ms / 1000
        last_s = due_s = self.moment().mono_s
        while not self._stopping:
            now_s = self.moment().mono_s
            if self._refusing_until_s is not None and now_s >= self._refusing_until_s:
                self._refusing_until_s = None
                await self._listen()
            self._tick(self.moment(), now_s - last_s)
            last_s = now_s
            due_s = max(due_s + tick_s, now_s)
            await asyncio.sleep(max(0.0, due_s - self.moment().mono_s))

    async def close(self) -> None:
        self._stop_listening()
        for link in list(self.links.values()):
            link.close()
        await asyncio.sleep(0)

    def stop(self) -> None:
        self._stopping = True

    def refuse_for(self, for_s: float) -> None:
        self._stop_listening()
        self._refusing_until_s = self.moment().mono_s + for_s

    def send_output(self, output: dict[int, list[bytes]]) -> None:
        for connection, parts in output.items():
            link = self.links.get(connection)
            if link:
                link.write(b"".join(parts))

    def blocked(self) -> set[int]:
        return {link.number for link in self.links.values() if link.blocked}

    def links_of(self, client_id: int | None) -> list[Link]:
        """The links a fault is meant for: one client's, or all that have logged in."""
        links = self.links.values()
        return [x for x in links if x.ready and client_id in (None, x.session.client_id)]

    def send_error(self, links: Iterable[Link], req_id: int, code: int, text: str) -> int:
        sent = 0
        for link in links:
            link.perform([link.session.error(req_id, code, text)])
            sent += 1
        return sent

    def later(self, after_s: float, action: Any) -> None:
        self.timers.at(self.moment().mono_s + after_s, action)

    def link_opened(self, link: Link) -> None:
        self.links[link.number] = link
        self.world.counters.connections += 1
        if len(self.links) > _CLIENTS_MAX:
            self.world.counters.connections_refused += 1
            link.close()

    def link_closed(self, link: Link) -> None:
        self.links.pop(link.number, None)

    def _new_link(self) -> Link:
        self._connections += 1
        silent = self.accept_silent or self.silent_connects > 0
        self.silent_connects = max(0, self.silent_connects - 1)
        return Link(self, self._connections, silent)

    def _new_control(self) -> ControlLine:
        return ControlLine(self._dispatch, _CONTROL_BYTES_MAX)

    def _dispatch(self, body: Any) -> Values:
        return COMMANDS.dispatch(self, body)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            self._new_link, self._ports.host, self.port, reuse_address=True
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    def _tick(self, now: Moment, elapsed_s: float) -> None:
        now_s = now.mono_s
        self.world.counters.late_ticks += elapsed_s > _LATE_TICK_S
        self.world.desk.journal.now_ms = now.wall_ms
        self.world.desk.expire(now_s)
        self.timers.run_due(now_s)
        self._run_scenario(now_s)
        self._heal_resubscribed()
        self.send_output(self.world.feed.tick(elapsed_s, self.blocked()))
        ticks = self.world.ticks
        self.send_output(ticks.tick(now_s, now.wall_ms, elapsed_s, self.blocked()))
        for link in list(self.links.values()):
            link.release(now_s)

    def _run_scenario(self, now_s: float) -> None:
        opened = bool(self.world.desk.counts.records or self.world.streams.counts.records)
        self.scenario_errors += self._scenario.play(now_s, opened, self._dispatch)

    def _heal_resubscribed(self) -> None:
        for symbol, broken_s in list(self.heal_on_resubscribe.items()):
            if any(s.opened_s > broken_s for s in self.world.desk.of_symbol(symbol)):
                del self.heal_on_resubscribe[symbol]
                self.send_output(self.world.feed.distort(symbol, "heal", self.blocked()))
