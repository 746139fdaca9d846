"""Technical indicators to Redis: the document of a symbol and indicator, and its event."""

from __future__ import annotations

import orjson

from shared.market.indicator import IndicatorReading
from shared.store.connection import Store
from shared.store.keys import Keys


class IndicatorStore:
    """Writes `technicals:SYMBOL:INDICATOR`. `source` is ``live``, ``sim`` or ``replay``."""

    def __init__(self, store: Store, keys: Keys, source: str, ttl_s: int) -> None:
        self._store = store
        self._keys = keys
        self._source = source
        self._ttl_s = ttl_s

    async def write(self, reading: IndicatorReading) -> None:
        """Replace the document, then announce it: whoever hears of it can read it.

        Raises:
            StoreUnavailable: whether it was written is not known; the same call may be repeated.
            StoreRefused: Redis answered with an error.
        """
        key = self._keys.technicals(reading.symbol, reading.indicator)
        async with self._store.client.pipeline(transaction=True) as pipe:
            pipe.set(key, self._document(reading), ex=self._ttl_s)
            pipe.publish(self._keys.events(key), _event(key, reading))
            await self._store.call(pipe.execute())

    def _document(self, reading: IndicatorReading) -> bytes:
        return orjson.dumps(
            {
                "symbol": reading.symbol,
                "indicator": reading.indicator,
                "interval": reading.interval,
                "params": reading.params,
                "ts": reading.ts_ms,
                "time_zone": reading.time_zone,
                "fetched_ts": reading.fetched_ms,
                "source": self._source,
                "values": reading.values,
                "history": reading.history,
                "delayed": reading.delayed,
            }
        )


def _event(key: str, reading: IndicatorReading) -> bytes:
    return orjson.dumps(
        {
            "key": key,
            "ts": reading.ts_ms,
            "fetched_ts": reading.fetched_ms,
            "symbol": reading.symbol,
            "indicator": reading.indicator,
            "values": reading.values,
        }
    )
