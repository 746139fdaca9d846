from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.exporter.app import MetricsApp, deadline_s
from shared.exporter.sheet import Sheet

OPEN_METRICS = b"application/openmetrics-text; version=1.0.0"


class Asked:
    """What the application sent for one request, and how long it let Redis take."""

    def __init__(self, method: str, path: str, **headers: bytes) -> None:
        self.sent: list[dict[str, Any]] = []
        self.deadlines: list[float] = []
        pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": pairs}
        asyncio.run(MetricsApp(self._sheet)(scope, None, self._send))

    async def _sheet(self, deadline_s: float) -> Sheet:
        self.deadlines.append(deadline_s)
        sheet = Sheet()
        sheet.put("redis_up", 1)
        return sheet

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> str:
        return "".join(message["body"].decode() for message in self.sent[1:])


def test_metrics_are_plain_text() -> None:
    asked = Asked("GET", "/metrics")
    assert asked.status == 200
    assert asked.headers[b"content-type"].startswith(b"text/plain; version=0.0.4")
    assert asked.headers[b"cache-control"] == b"no-store"
    assert int(asked.headers[b"content-length"]) == len(asked.body)
    assert asked.body.splitlines()[1:] == [
        "# TYPE tickvisor_redis_up gauge",
        "tickvisor_redis_up 1.0",
    ]


def test_open_metrics_are_given_to_who_asks_for_them() -> None:
    asked = Asked("GET", "/metrics", accept=OPEN_METRICS)
    assert asked.headers[b"content-type"].startswith(b"application/openmetrics-text")
    assert asked.body.endswith("# EOF\n")


def test_health_is_told_without_a_look_at_redis() -> None:
    asked = Asked("GET", "/healthz")
    assert (asked.status, asked.body, asked.deadlines) == (200, "ok\n", [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/metrics/", 404),
        ("GET", "/../metrics", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/healthz", 405),
        ("HEAD", "/metrics", 200),
    ],
)
def test_nothing_else_is_answered(method: str, path: str, status: int) -> None:
    asked = Asked(method, path)
    assert asked.status == status
    assert (asked.headers.get(b"allow") == b"GET, HEAD") == (status == 405)


@pytest.mark.parametrize(
    ("patience", "expected"),
    [
        (b"", 5.0),
        (b"1", 0.8),
        (b"10.000000", 5.0),
        (b"0", 5.0),
        (b"-3", 5.0),
        (b"nan", 5.0),
        (b"inf", 5.0),
        (b"soon", 5.0),
        (b"\xff", 5.0),
    ],
)
def test_redis_has_no_longer_than_prometheus_waits(patience: bytes, expected: float) -> None:
    assert deadline_s(patience) == expected
    asked = Asked("GET", "/metrics", x_prometheus_scrape_timeout_seconds=patience)
    assert asked.deadlines == [expected]
