"""Redis 200 ms away: a process between the workers and their Redis that hands on what it reads,
at once or later.

The product is not told: in the rig's copy the address that `make up` writes down is replaced by
this one. Whoever checks goes to Redis itself.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.ports import free_port

__all__ = ["DIRECT", "FarRedis", "put_between"]

_STEP_S: Final = 1e-6
_PATIENCE_S: Final = 20.0
# Runs in the copy of the product, behind the function that writes the address down.
_PATCH: Final = '''

_written_as_it_is = write_programs


def write_programs(plan: Plan, layout: Layout) -> None:
    """Put there by a test: the workers meet a proxy of Redis."""
    _written_as_it_is(plan, layout)
    if plan.redis is not None:
        url = layout.redis_url.read_text(encoding="utf-8")
        write_private(layout.run / "{direct}", url)
        assert url.count(f":{{plan.redis.port}}") == 1, "the address must hold the port once"
        write_private(layout.redis_url, url.replace(f":{{plan.redis.port}}", ":{port}"))
'''
DIRECT: Final = "redis.direct"


def put_between(root: Path, port: int) -> None:
    path = root / "deploy/programs.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + _PATCH.format(direct=DIRECT, port=port), encoding="utf-8")
    # The workers take the port when the path of the socket is too long for them: it always is.
    path = root / "shared/settings_redis.py"
    text, usual = path.read_text(encoding="utf-8"), "_MAX_SOCKET_PATH: Final = 107"
    assert text.count(usual) == 1, f"{path} must hold {usual!r}"
    path.write_text(text.replace(usual, "_MAX_SOCKET_PATH: Final = 0"), encoding="utf-8")


class FarRedis:
    """The proxy's process; 0 s of delay until somebody says otherwise."""

    def __init__(self, redis_port: int) -> None:
        self.port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self.port), str(redis_port)],
            stdin=subprocess.PIPE,
            text=True,
        )

    def delay(self, round_trip_s: float) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{round_trip_s / 2}\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(_PATIENCE_S)


class _Delay:
    """Of one way, for all connections."""

    one_way_s = 0.0


class _End(asyncio.Protocol):
    """One end of a connection: what it reads is written to the other one, later but in order."""

    def __init__(self, delay: _Delay, redis_port: int | None = None) -> None:
        """With `redis_port`: the workers' end, which opens the other one."""
        self._delay = delay
        self._redis_port = redis_port
        self._due_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._opening: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport
        self.other: _End

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._redis_port is not None:
            transport.pause_reading()
            self._opening = self._loop.create_task(self._open(self._redis_port))

    async def _open(self, redis_port: int) -> None:
        try:
            _, self.other = await self._loop.create_connection(
                lambda: _End(self._delay), "127.0.0.1", redis_port
            )
        except OSError:
            # The connect succeeded, and then there is nobody.
            self.transport.abort()
            return
        self.other.other = self
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        now_s = self._loop.time()
        # Never before what came before it, also when the delay has just ended.
        self._due_s = max(now_s + self._delay.one_way_s, self._due_s + _STEP_S)
        if self._due_s <= now_s:
            self.other.transport.write(data)
        else:
            self._loop.call_at(self._due_s, self.other.transport.write, data)

    def connection_lost(self, error: Exception | None) -> None:
        if hasattr(self, "other"):
            self.other.transport.abort()


async def _run(port: int, redis_port: int) -> None:
    """Until stdin, from which the delay is read line by line, is closed."""
    delay, loop = _Delay(), asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await loop.connect_read_pipe(lambda: protocol, sys.stdin)
    server = await loop.create_server(lambda: _End(delay, redis_port), "127.0.0.1", port)
    while line := await lines.readline():
        delay.one_way_s = float(line)
    server.close()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2])))
