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
_OTHER_TYPE: Final = "WRONGTYPE"


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
        if not str(error).startswith(_OTHER_TYPE):
            raise
        logger.log(level, "{} cannot be read: {}", key, error)
        return nothing
