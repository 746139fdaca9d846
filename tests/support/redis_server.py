from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import redis

from deploy.redis_binary import find_redis_server
from tests.support.ports import free_port


class RedisServer:
    """A real server on a loopback port that keeps its port and its data over restarts.

    With `appendonly` every acknowledged write is on disk, so a kill loses nothing.
    """

    def __init__(
        self, directory: Path, *, appendonly: bool = False, options: tuple[str, ...] = ()
    ) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._directory = directory
        self._appendonly = appendonly
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "server is not running"
        return self._process.pid

    def start(self, deadline_s: float = 10.0) -> RedisServer:
        assert self._process is None, "server is already running"
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait_until_ready(deadline_s)
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """The port still accepts, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, decode_responses=True)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "server is not running"
        self._process.send_signal(number)

    def _command(self) -> list[str]:
        options = {
            "--bind": "127.0.0.1",
            "--port": str(self.port),
            "--dir": str(self._directory),
            "--save": "",
            "--appendonly": "yes" if self._appendonly else "no",
            "--appendfsync": "always",
            "--maxmemory-policy": "noeviction",
            "--enable-debug-command": "local",
        }
        flat = [part for pair in options.items() for part in pair]
        return [str(find_redis_server()), *flat, *self._options]

    def _wait_until_ready(self, deadline_s: float) -> None:
        assert self._process is not None
        until = time.monotonic() + deadline_s
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except (redis.ConnectionError, redis.BusyLoadingError) as error:
                    log = (self._directory / "redis.log").read_text(errors="replace")[-2000:]
                    if self._process.poll() is not None:
                        raise AssertionError(f"redis ended at start:\n{log}") from error
                    if time.monotonic() > until:
                        raise AssertionError(
                            f"redis not ready in {deadline_s} s:\n{log}"
                        ) from error
                    time.sleep(0.02)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
