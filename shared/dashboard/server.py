"""The dashboard over HTTP: one page, its files, a stream of events, and one order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import orjson
from loguru import logger
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from shared.control.freshness import OWNERS
from shared.dashboard.assets import PAGE, Asset, assets
from shared.dashboard.background import Background
from shared.dashboard.guard import Guard, order_fault
from shared.dashboard.hub import Hub, TooManyBrowsers
from shared.dashboard.sampler import Sampler
from shared.dashboard.topics import Topics
from shared.errors import StoreError
from shared.settings import Settings
from shared.settings_redis import OPERATOR, READER, as_user
from shared.store.connection import Store
from shared.store.dashboard_reader import impatient
from shared.store.keys import Keys
from shared.store.ops_orders import DONE, Order, answered
from shared.store.ops_reader import OpsReader

NAME: Final = "dashboard"
_MOST_TOPICS: Final = 8
_MOST_BODY: Final = 1_024
# After a wrong token: whoever guesses is slow.
_PENALTY_S: Final = 1.0


class _Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: str
    worker: str = ""


class Dashboard:
    def __init__(self, settings: Settings, store: Store, keys: Keys, ending: asyncio.Event) -> None:
        self._ending = ending
        self._settings = settings
        self._store = store
        self._keys = keys
        self._assets = assets()
        self._hub = Hub()
        self._background = Background(settings, store, keys)
        self._topics = Topics(settings, store, keys, self._background)
        self._sampler = Sampler(self._hub, self._topics, self._background)
        self._barred_until_s = 0.0

    async def run(self) -> None:
        await self._sampler.run()

    def app(self) -> ASGIApp:
        routes = [
            Route("/", self._page, methods=["GET"]),
            Route("/assets/{name}", self._asset, methods=["GET"]),
            Route("/events", self._events, methods=["GET"]),
            Route("/heat/{symbol}", self._heat, methods=["GET"]),
            Route("/healthz", self._healthz, methods=["GET"]),
            Route("/resubscribe", self._resubscribe, methods=["POST"]),
        ]
        return Guard(Starlette(routes=routes))

    async def _page(self, request: Request) -> Response:
        return _file(request, self._assets[PAGE])

    async def _asset(self, request: Request) -> Response:
        found = self._assets.get(request.path_params["name"])
        return _file(request, found) if found else Response("no such file", 404)

    async def _healthz(self, _: Request) -> Response:
        fault = self._sampler.fault
        return _json({"ok": not fault, "fault": fault or None}, 503 if fault else 200)

    async def _heat(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]
        if symbol not in self._topics.symbols:
            return _json({"error": "unknown symbol"}, 404)
        return _json({"columns": self._background.heat(symbol).columns()})

    async def _events(self, request: Request) -> Response:
        names = [one for one in request.query_params.get("topics", "").split(",") if one]
        if len(names) > _MOST_TOPICS or not all(map(self._topics.exists, names)):
            return _json({"error": "unknown topic"}, 404)
        if self._hub.full():
            return _json({"error": "too many browsers"}, 503)
        return StreamingResponse(self._stream(names), media_type="text/event-stream")

    async def _stream(self, names: list[str]) -> AsyncIterator[bytes]:
        try:
            with self._hub.browser(names) as browser:
                self._sampler.look_now()
                while not self._ending.is_set():
                    yield await browser.take()
        except TooManyBrowsers:
            return

    async def _resubscribe(self, request: Request) -> Response:
        status, why = self._fault(request)
        if status:
            return _json({"ok": False, "answer": why}, status)
        try:
            wish = msgspec.json.decode(await _body(request), type=_Wish)
        except (msgspec.DecodeError, ValueError):
            return _json({"ok": False, "answer": "must be a symbol, and a worker or none"}, 400)
        if wish.symbol not in self._topics.symbols or wish.worker not in ("", *OWNERS.values()):
            return _json({"ok": False, "answer": "unknown symbol or worker"}, 404)
        try:
            worker, answer = await self._ordered(wish)
        except StoreError:
            return _json({"ok": False, "answer": "Redis does not answer"}, 503)
        return _json({"ok": answer.endswith(DONE), "worker": worker, "answer": answer})

    def _fault(self, request: Request) -> tuple[int, str]:
        now_s = time.monotonic()
        if now_s < self._barred_until_s:
            return 429, "a wrong token was given a moment ago"
        token = self._settings.dashboard.operator_token.reveal()
        status, why = order_fault(request.headers, token)
        if status == 401:
            self._barred_until_s = now_s + _PENALTY_S
            logger.warning("an order with a wrong token was refused")
        return status, why

    async def _ordered(self, wish: _Wish) -> tuple[str, str]:
        worker = wish.worker
        if not worker:
            # A parked symbol has nothing at the depth worker that could be asked for anew.
            live = await OpsReader(self._store, self._keys).is_live(wish.symbol)
            worker = "ibkr_depth" if live else "ibkr_trades"
        logger.bind(symbol=wish.symbol).info("{} is asked to resubscribe", worker)
        order = Order(worker, "resubscribe", wish.symbol, NAME)
        # Who only reads may give no order.
        redis = as_user(self._settings, OPERATOR).redis
        orders = Store(redis.url, redis.connect_timeout_s)
        try:
            return worker, await answered(orders, self._keys, order)
        finally:
            await orders.close()


@asynccontextmanager
async def application(settings: Settings, ending: asyncio.Event) -> AsyncIterator[ASGIApp]:
    """The application, and its reading of Redis for as long as this is open."""
    redis = as_user(settings, READER).redis
    store = impatient(Store(redis.url, redis.connect_timeout_s))
    found = Dashboard(settings, store, Keys(settings.redis.key_prefix), ending)
    reading = asyncio.ensure_future(found.run())
    reading.add_done_callback(_ended)
    try:
        yield found.app()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await store.close()


def _ended(reading: asyncio.Future[None]) -> None:
    """Who cannot read must not go on showing: supervisord starts the process anew."""
    if not reading.cancelled() and (error := reading.exception()) is not None:
        logger.opt(exception=error).critical("the reading of redis ended")
        asyncio.get_running_loop().call_soon(_exit)


def _exit() -> None:
    raise SystemExit(3)


async def _body(request: Request) -> bytes:
    """Raises ValueError for one that is too large."""
    found = b""
    async for piece in request.stream():
        found += piece
        if len(found) > _MOST_BODY:
            raise ValueError("body too large")
    return found


def _file(request: Request, found: Asset) -> Response:
    headers = {"etag": found.etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


def _json(found: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(found), status, media_type="application/json")
