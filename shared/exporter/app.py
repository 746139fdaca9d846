"""What the exporter answers over HTTP: /metrics for Prometheus, /healthz for whoever watches it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, cast

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from shared.exporter.scrape import Scrape
from shared.exporter.sheet import Sheet, finite
from shared.settings import Settings
from shared.settings_redis import READER, as_user
from shared.store.connection import Store

# Prometheus says how long it waits; an answer that comes later is thrown away.
_PATIENCE: Final = b"x-prometheus-scrape-timeout-seconds"
_SHARE: Final = 0.8
_DEADLINE_S: Final = 5.0
_PLAIN: Final = "text/plain; charset=utf-8"
_METHODS: Final = ("GET", "HEAD")

ReadSheet = Callable[[float], Awaitable[Sheet]]


class Answer(NamedTuple):
    status: int
    body: bytes
    kind: str = _PLAIN


@asynccontextmanager
async def exporter(settings: Settings) -> AsyncIterator[MetricsApp]:
    redis = as_user(settings, READER).redis
    store = Store(redis.url, redis.connect_timeout_s)
    try:
        yield MetricsApp(Scrape(settings, store).sheet)
    finally:
        await store.close()


class MetricsApp:
    """An ASGI application."""

    def __init__(self, sheet: ReadSheet) -> None:
        self._sheet = sheet

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        answer = await self._answer(scope["method"], scope["path"], dict(scope["headers"]))
        headers = {
            "content-type": answer.kind,
            "content-length": str(len(answer.body)),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        if answer.status == 405:
            headers["allow"] = ", ".join(_METHODS)
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": _encoded(headers.items()),
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> Answer:
        if method not in _METHODS:
            return Answer(405, b"only GET and HEAD\n")
        if path == "/healthz":
            return Answer(200, b"ok\n")
        if path == "/":
            return Answer(200, b"figures for Prometheus: /metrics\n")
        if path != "/metrics":
            return Answer(404, b"there are /metrics and /healthz\n")
        sheet = await self._sheet(deadline_s(headers.get(_PATIENCE, b"")))
        encode, kind = choose_encoder(headers.get(b"accept", b"").decode("latin-1"))
        return Answer(200, encode(cast(Collector, sheet)), kind)


def deadline_s(patience: bytes) -> float:
    """Sooner than who asks gives up, and never for ever."""
    try:
        wanted = finite(float(patience))
    except ValueError:
        wanted = None
    return min(_DEADLINE_S, wanted * _SHARE) if wanted and wanted > 0 else _DEADLINE_S


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
