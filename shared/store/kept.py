"""What an earlier run kept in Redis, where somebody else may have written over it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from loguru import logger

from shared.errors import StoreRefused
from shared.store.connection import Store

# Redis's scripts count in floats: whole numbers are exact up to here.
_LARGEST: Final = 2**53 - 1
_DIGITS: Final = 16
# For what is read every second.
DEBUG: Final = "DEBUG"
OTHER_TYPE: Final = "WRONGTYPE"


def number(raw: object) -> int:
    """A number or time of ours; 0 for what cannot be one."""
    if not isinstance(raw, bytes) or not raw.isdigit() or len(raw) > _DIGITS:
        return 0
    found = int(raw)
    return found if found <= _LARGEST else 0


def text(raw: object) -> str:
    """Someone else's bytes are for the reader of the text to refuse."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


async def read(
    store: Store, key: str, work: Awaitable[Any], nothing: Any, level: str = "ERROR"
) -> Any:
    """The reply about a key of ours; `nothing` where the key is of another type.

    Raises:
        StoreUnavailable: Redis is away, which is not the same as nothing kept.
        StoreRefused: for any other reason.
    """
    try:
        return await store.call(work)
    except StoreRefused as error:
        if not str(error).startswith(OTHER_TYPE):
            raise
        logger.log(level, "{} cannot be read: {}", key, error)
        return nothing


async def replies(store: Store, pipe: Any) -> list[Any]:
    """Those of a pipeline; None for a key of another type, which must not hide all others.

    Raises:
        StoreUnavailable, StoreRefused: a command failed for any other reason.
    """
    found = await store.call(pipe.execute(raise_on_error=False))
    for one in found:
        if isinstance(one, Exception) and not str(one).startswith(OTHER_TYPE):
            await store.call(raised(one))
    return [None if isinstance(one, Exception) else one for one in found]


async def raised(error: Exception) -> None:
    """A command of a pipeline failed: to be told as that of a single one."""
    raise error
