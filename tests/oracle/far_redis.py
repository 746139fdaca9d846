"""Redis 200 ms away: a process between the workers and their Redis that hands on what it reads,
at once or later.

The product is not told. Whoever checks goes to Redis by its port, past the proxy.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["FarRedis"]

_STEP_S: Final = 1e-6
_PATIENCE_S: Final = 20.0
_FAR: Final = "far.sock"
_USUAL: Final = "unixsocket ../run/redis.sock"


class FarRedis:
    """The proxy's process; 0 s of delay until somebody says otherwise."""

    def __init__(self, root: Path) -> None:
        """Redis gets another socket, and the proxy the one where the workers look for it."""
        conf, run = root / "deploy/redis.conf", root / "var/run"
        text = conf.read_text(encoding="utf-8")
        assert text.count(_USUAL) == 1, f"{conf} must hold {_USUAL!r}"
        conf.write_text(text.replace(_USUAL, f"unixsocket {run}/{_FAR}"), encoding="utf-8")
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(run / "redis.sock"), str(run / _FAR)],
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

    def __init__(self, delay: _Delay, far: str | None = None) -> None:
        """With `far`, Redis's socket: the workers' end, which opens the other one."""
        self._delay = delay
        self._far = far
        self._due_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._opening: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport
        self.other: _End

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._far is not None:
            transport.pause_reading()
            self._opening = self._loop.create_task(self._open(self._far))

    async def _open(self, far: str) -> None:
        try:
            _, self.other = await self._loop.create_unix_connection(lambda: _End(self._delay), far)
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


async def _run(near: str, far: str) -> None:
    """Until stdin, from which the delay is read line by line, is closed."""
    delay, loop = _Delay(), asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await loop.connect_read_pipe(lambda: protocol, sys.stdin)
    server = await loop.create_unix_server(lambda: _End(delay, far), near)
    while line := await lines.readline():
        delay.one_way_s = float(line)
    server.close()


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
