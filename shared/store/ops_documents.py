"""Reads for operators: what is missing or cannot be read is absent, it never ends a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from shared.store.connection import Store
from shared.store.kept import OTHER_TYPE, raised, text

Document = dict[str, Any]


async def replies(store: Store, pipe: Any) -> list[Any]:
    """The replies of a pipeline; a key of another type counts as absent (None).

    Raises:
        StoreUnavailable: Redis is away or loading.
        StoreRefused: every command was refused.
    """
    found = await store.call(pipe.execute(raise_on_error=False))
    failed = [one for one in found if isinstance(one, Exception)]
    if failed and len(failed) == len(found) and not str(failed[0]).startswith(OTHER_TYPE):
        await store.call(raised(failed[0]))
    return [None if isinstance(one, Exception) else one for one in found]


def texts(found: Mapping[bytes, bytes] | None) -> dict[str, str]:
    return {text(name): text(value) for name, value in (found or {}).items()}


def document(value: Any) -> Document | None:
    """A JSON object, or None."""
    try:
        found = orjson.loads(value)
    except (orjson.JSONDecodeError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def words(value: Any) -> tuple[str, ...]:
    """A JSON array of texts; empty for anything else."""
    try:
        found = orjson.loads(value)
    except (orjson.JSONDecodeError, TypeError):
        return ()
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def documents(found: Mapping[bytes, bytes] | None) -> dict[str, Document]:
    """The fields of a hash that hold a JSON object."""
    pairs = ((text(name), document(value)) for name, value in (found or {}).items())
    return {name: one for name, one in pairs if one is not None}


def whole(value: Any) -> int:
    """0 for what is no whole number."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
