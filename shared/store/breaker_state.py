"""Circuit states of a worker, kept so that a restart goes on with its suspensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

from loguru import logger

from shared.errors import StoreRefused
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.monitoring import Ledger

INCIDENT: Final = "breaker"
EVERY_SYMBOL: Final = "*"


class Change(Protocol):
    """A field of the hash (`SPY:options`), its value or "" to remove it, and a line or ""."""

    @property
    def field(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def text(self) -> str: ...


async def read_breakers(store: Store, keys: Keys, worker: str) -> dict[str, str]:
    """What a worker kept, by field; nothing where the key is not a hash.

    Raises:
        StoreUnavailable: Redis is away, which is not the same as nothing kept.
    """
    key = keys.breakers(worker)
    try:
        raw: Any = await store.call(store.client.hgetall(key))
    except StoreRefused as error:
        logger.error("{} cannot be read: {}", key, error)
        return {}
    return {_text(field): _text(value) for field, value in raw.items()}


class BreakerLog:
    """Writes changes through the ledger, which keeps them in order over an outage of Redis."""

    def __init__(self, ledger: Ledger, keys: Keys, worker: str) -> None:
        self._ledger = ledger
        self._key = keys.breakers(worker)

    def keep(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._ledger.set_field(self._key, change.field, change.value)
            if change.text:
                symbol = change.field.rpartition(":")[0]
                about = "" if symbol == EVERY_SYMBOL else symbol
                self._ledger.incident(INCIDENT, about, change.text)


def _text(raw: bytes) -> str:
    # Someone else's bytes are for the reader of the field to refuse.
    return raw.decode("utf-8", "replace")
