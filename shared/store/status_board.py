"""Monitoring hashes whose subjects change more rarely than the hashes expire."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from loguru import logger

from shared.errors import StoreRefused, StoreUnavailable
from shared.store.connection import Store

_RETRY_S: Final = 0.5
# Hashes of one round trip.
_BATCH: Final = 50


class StatusBoard:
    """Keeps hashes in Redis as they are here, which is their only writer.

    A poll every five minutes must not leave its status to expire after two: all hashes are written
    anew every third of `ttl_s`. Each is replaced as a whole, so that fields of an earlier process
    go and a write whose outcome is unknown may be repeated.
    """

    def __init__(self, store: Store, ttl_s: int) -> None:
        self._store = store
        self._ttl_s = ttl_s
        self._hashes: dict[str, dict[str, str]] = {}
        # Keys whose hash Redis may not have as it is here, in the order of their change.
        self._changed: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._failures = 0

    def set(self, key: str, fields: Mapping[str, str | int | float | None]) -> None:
        """Replace the named fields and leave the others; None or a number without value removes."""
        found = self._hashes.setdefault(key, {})
        for name, value in fields.items():
            text = _text(value)
            if text is None:
                found.pop(name, None)
            else:
                found[name] = text
        self._to_write([key])

    async def run(self) -> None:
        """Write for ever; cancelled by the process after `flush`."""
        renewal_s = self._ttl_s / 3
        due = time.monotonic() + renewal_s
        while True:
            await self._woken(due - time.monotonic())
            if time.monotonic() >= due:
                self._to_write(self._hashes)
                due = time.monotonic() + renewal_s
            if not await self._written():
                await asyncio.sleep(_RETRY_S)

    async def flush(self, timeout_s: float) -> bool:
        """Write what has changed; False when it did not fit into `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await self._written():
                    await asyncio.sleep(_RETRY_S)
        except TimeoutError:
            return False
        return True

    def _to_write(self, keys: Iterable[str]) -> None:
        self._changed.update(dict.fromkeys(keys))
        self._wake.set()

    async def _woken(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _written(self) -> bool:
        """Write the changed hashes; False when Redis did not take them all."""
        async with self._writing:
            self._wake.clear()
            while self._changed:
                keys = list(self._changed)[:_BATCH]
                for key in keys:
                    del self._changed[key]
                if not await self._replaced(keys):
                    return False
        return True

    async def _replaced(self, keys: list[str]) -> bool:
        try:
            await self._replace(keys)
        except (StoreUnavailable, StoreRefused) as error:
            # All of them: it may have restarted empty.
            self._to_write(self._hashes)
            self._failures += 1
            if self._failures == 1:
                logger.warning("status not written: {}", error)
            return False
        except BaseException:
            # A cancellation: whether they were written is not known.
            self._to_write(keys)
            raise
        if self._failures:
            logger.info("status written again after {} failures", self._failures)
            self._failures = 0
        return True

    async def _replace(self, keys: list[str]) -> None:
        async with self._store.client.pipeline(transaction=True) as pipe:
            for key in keys:
                pipe.delete(key)
                # redis-py's mapping is of every type a name may have.
                fields: Any = self._hashes[key]
                if fields:
                    pipe.hset(key, mapping=fields)
                    pipe.expire(key, self._ttl_s)
            await self._store.call(pipe.execute())


def _text(value: str | int | float | None) -> str | None:
    """As Redis keeps it; None for what must not be there."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    text = str(int(value) if isinstance(value, bool) else value)
    # Half a surrogate pair (an error text quoting a vendor) is nothing Redis could be sent.
    return text.encode("utf-8", "replace").decode()
