"""redis-py clients for everything but the hot path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from shared.errors import StoreRefused, StoreUnavailable
from shared.store.scripts import script

Result = TypeVar("Result")

# Redis says "not now". redis-py strips the code from the text where it has a class for it.
_PASSING: Final = (
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
_PASSING_CODES: Final = ("MISCONF", "BUSY", "NOREPLICAS")


class Store:
    """A Redis client whose failures are ours: `StoreUnavailable` or `StoreRefused`."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self.client: Redis = Redis.from_url(
            url,
            socket_connect_timeout=timeout_s,
            socket_timeout=timeout_s + 3.0,
            max_connections=8,
        )

    async def call(self, work: Awaitable[Result]) -> Result:
        """Await a client call.

        Raises:
            StoreUnavailable: Redis is away, loading, or did not answer.
            StoreRefused: Redis answered with an error.
        """
        try:
            return await work
        except NoScriptError:
            raise
        except ResponseError as error:
            if isinstance(error, _PASSING) or str(error).startswith(_PASSING_CODES):
                raise StoreUnavailable(f"{type(error).__name__}: {error}") from None
            raise StoreRefused(str(error)) from None
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from None
        finally:
            _honour_cancellation()

    async def run(self, name: str, keys: list[str], args: list[str | bytes | int]) -> Any:
        """Run `lua/<name>.lua` by its hash, loading it where Redis does not have it."""
        lua = script(name)
        parts: list[Any] = [*keys, *args]
        try:
            return await self.call(self._evalsha(lua.sha, len(keys), parts))
        except NoScriptError:
            return await self.call(self.client.eval(lua.text, len(keys), *parts))

    async def _evalsha(self, sha: str, numkeys: int, parts: list[Any]) -> Any:
        return await self.client.evalsha(sha, numkeys, *parts)

    async def wait_until_up(self, stop: asyncio.Event, report: Callable[[str], None]) -> bool:
        """Ping until Redis answers; False when `stop` came first. Each reason is told once."""
        told: set[str] = set()
        while not stop.is_set():
            try:
                await self.call(self.client.ping())
            except (StoreUnavailable, StoreRefused) as error:
                if (reason := str(error)) not in told:
                    told.add(reason)
                    report(reason)
                try:
                    async with asyncio.timeout(0.25):
                        await stop.wait()
                except TimeoutError:
                    continue
            else:
                return True
        return False

    async def close(self) -> None:
        await self.client.aclose()


def _honour_cancellation() -> None:
    """Raise the cancellation that redis-py may have lost on the way.

    It waits with `asyncio.wait_for`, which before Python 3.12 drops a cancellation that comes in
    the instant the awaited thing is done (python/cpython#86296); a loop would then never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
