"""One request of the vendor's API: sent, read under bounds, judged, and repeated where it may help.

The API key stands in the URL, and one refusal repeats it in its body: no text leaves this module
before the key is taken out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, urlsplit

import httpx
from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_random_exponential

from shared.errors import BudgetExhausted, VendorUnavailable
from shared.feeds.alphavantage.body import Body, Room, Share
from shared.feeds.alphavantage.refusals import Kind, Verdict, classify
from shared.settings import AlphaVantageSettings

_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "gzip"}
_WAIT_BASE_S: Final = 0.5
_WAIT_MAX_S: Final = 8.0
_KEEP_ALIVE_S: Final = 60.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_HIDDEN: Final = "***"
# As many of the largest bodies as may be in memory together.
LARGEST_TOGETHER: Final = 8


@dataclass(frozen=True, slots=True)
class Request:
    """`wanted`: how the key of the document starts that is asked for."""

    params: Mapping[str, str]
    wanted: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is empty unless `kind` is data; `fetch_ms` covers the last attempt.

    Its `share` of the room is held until nobody has use for it: a document may wait for Redis.
    """

    kind: Kind
    body: bytes = b""
    text: str = ""
    certain: bool = True
    fetch_ms: float = 0.0
    received_ms: int = 0
    attempts: int = 1
    share: Share | None = None


class VendorClient:
    """HTTP/1.1 with connections kept alive; `acquire` gives leave for one call."""

    def __init__(
        self, settings: AlphaVantageSettings, agent: str, acquire: Callable[[], Awaitable[None]]
    ) -> None:
        self._key = settings.api_key.reveal()
        self._url = settings.base_url
        self._total_s = settings.request_timeout_s
        self._limit_bytes = settings.max_body_mb * 1_048_576
        self._room = Room(LARGEST_TOGETHER * self._limit_bytes)
        self._attempts = settings.max_attempts
        self._acquire = acquire
        self._agent = agent
        self._settings = settings
        self._line = self._opened()

    async def get(self, request: Request) -> Answer:
        """The judged answer; a transport fault is repeated, each time with leave of its own.

        The first call's leave is the caller's to get. Never raises for what the vendor does.
        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(multiplier=_WAIT_BASE_S, max=_WAIT_MAX_S),
            retry=_may_help,
            retry_error_callback=_last_answer,
        )
        found: Answer = await retrying(self._attempt, request, _Count())
        return found

    async def reconnect(self) -> None:
        """Idle connections are closed now, one in use as soon as its answer is in."""
        old, self._line = self._line, self._opened()
        if not old.users:
            await old.http.aclose()

    async def close(self) -> None:
        await self._line.http.aclose()

    def _opened(self) -> _Line:
        settings = self._settings
        http = httpx.AsyncClient(
            headers={**_HEADERS, "User-Agent": self._agent},
            timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
            limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_S),
            follow_redirects=False,
            # A proxy of the environment is for the way out, not for this machine.
            trust_env=urlsplit(settings.base_url).hostname not in _LOOPBACK,
        )
        return _Line(http)

    async def _attempt(self, request: Request, count: _Count) -> Answer:
        if count.attempts:
            try:
                await self._acquire()
            except BudgetExhausted as error:
                return Answer("transport", text=f"not repeated, {error}", attempts=count.attempts)
        count.attempts += 1
        started_s = time.monotonic()
        share = Share(self._room)
        body, verdict = await self._exchange(request, share)
        is_data = verdict.kind == "data"
        return Answer(
            verdict.kind,
            body if is_data else b"",
            self._redacted(verdict.text),
            verdict.certain,
            round((time.monotonic() - started_s) * 1000, 1),
            time.time_ns() // 1_000_000,
            count.attempts,
            share if is_data else None,
        )

    async def _exchange(self, request: Request, share: Share) -> tuple[bytes, Verdict]:
        try:
            async with asyncio.timeout(self._total_s):
                status, body = await self._read(request, share)
        except TimeoutError:
            return b"", Verdict("transport", f"no whole answer within {self._total_s:g} s")
        except VendorUnavailable as error:
            return b"", Verdict("transport", str(error))
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
            return b"", Verdict("transport", f"{type(error).__name__}: {error}")
        return body, classify(status, body, request.wanted)

    async def _read(self, request: Request, share: Share) -> tuple[int, bytes]:
        params = {**request.params, "apikey": self._key}
        line = self._line
        line.users += 1
        try:
            async with line.http.stream("GET", self._url, params=params) as response:
                return response.status_code, await self._body(response, share)
        finally:
            line.users -= 1
            if line is not self._line and not line.users:
                await line.http.aclose()

    async def _body(self, response: httpx.Response, share: Share) -> bytes:
        encoding = response.headers.get("content-encoding", "").lower()
        body = Body(encoding, self._limit_bytes, share)
        async for raw in response.aiter_raw():
            for _ in body.feed(raw):
                await asyncio.sleep(0)
        return body.whole()

    def _redacted(self, text: str) -> str:
        for secret in (self._key, quote_plus(self._key)):
            text = text.replace(secret, _HIDDEN) if secret else text
        return text


@dataclass(slots=True)
class _Line:
    """A pool of connections, and how many requests are using it."""

    http: httpx.AsyncClient
    users: int = 0


@dataclass(slots=True)
class _Count:
    attempts: int = 0


def _may_help(state: RetryCallState) -> bool:
    """Transport faults, and an unknown answer once: neither says that the request is wrong."""
    outcome = state.outcome
    if outcome is None or outcome.failed:
        return False
    answer: Answer = outcome.result()
    return answer.kind == "transport" or (answer.kind == "unknown" and answer.attempts < 2)


def _last_answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None
    found: Answer = state.outcome.result()
    return found
