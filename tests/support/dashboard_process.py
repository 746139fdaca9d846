"""The dashboard as a process of its own, and who looks at it without a browser."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.ports import free_port
from tests.support.worker_process import WorkerProcess, write_settings, write_universe

TOKEN: Final = "operator-token-of-the-tests"
START_S: Final = 20.0
DEADLINE_S: Final = 15.0

Parts = dict[tuple[str, str], Any]


class Dashboard(WorkerProcess):
    def __init__(self, home: Path, redis_url: str, venues: Mapping[str, tuple[str, ...]]) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        settings = write_settings(home, {"dashboard": {"port": self.port}})
        env = {
            "REDIS_URL": redis_url,
            "TICKVISOR_CONFIG": str(settings),
            "SYMBOL_CONFIG_PATH": str(write_universe(home, venues)),
            "TICKVISOR_DASHBOARD_TOKEN": TOKEN,
        }
        super().__init__(home, env, "dashboard")

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def started(self) -> Dashboard:
        self.start()
        self.wait_until(self._answers, START_S, "an answer of the dashboard")
        return self

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; an underscore in a header's name stands for a hyphen."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()
        finally:
            connection.close()

    def order(self, wish: Mapping[str, Any], **changes: str) -> tuple[int, dict[str, Any]]:
        headers = {
            "origin": f"http://{self.host}",
            "content_type": "application/json",
            "authorization": f"Bearer {TOKEN}",
            **changes,
        }
        status, _, body = self.ask("/resubscribe", "POST", json.dumps(wish), **headers)
        return status, json.loads(body)

    def shown(self, topics: str, enough: Callable[[Parts], bool]) -> Parts:
        """Newest value of each part, as soon as there is enough."""
        found: Parts = {}
        with self.watching(topics) as events:
            for topic, part, value in events:
                found[topic, part] = value
                if enough(found):
                    return found
        raise AssertionError(f"{topics}: not within {DEADLINE_S} s, was {found}")

    @contextmanager
    def watching(self, topics: str) -> Iterator[Iterator[tuple[str, str, Any]]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request("GET", f"/events?topics={topics}")
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            yield _events(answer)
        finally:
            connection.close()

    def _answers(self) -> bool:
        try:
            return self.ask("/healthz")[0] in (200, 503)
        except OSError:
            return False


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str, Any]]:
    """Ends at the deadline: pulses come all the time."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        line = answer.readline()
        if line.startswith(b"data: "):
            one = json.loads(line.removeprefix(b"data: "))
            yield one["topic"], one["part"], one["value"]
