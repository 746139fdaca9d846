"""What the vendor feeds hand over, on its way to Redis: documents and the monitors beside them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.market.indicator import IndicatorReading
from shared.market.option import Chain
from shared.market.sentiment import News
from shared.store.indicators import IndicatorStore
from shared.store.keys import Keys
from shared.store.option_draft import Draft, Written
from shared.store.options import OptionsStore
from shared.store.sentiment import SentimentStore, sentiment_status
from shared.store.status_board import StatusBoard

Fields = Mapping[str, str | int | float | None]


class OptionsStoreOutlet:
    def __init__(self, options: OptionsStore, board: StatusBoard, keys: Keys) -> None:
        self.options = options
        self._board = board
        self._keys = keys

    def same(self, symbol: str, digest: int) -> bool:
        return self.options.same(symbol, digest)

    async def renew(self, symbol: str) -> Written | None:
        return await self.options.renew(symbol)

    def begin(self, symbol: str, fetched_ms: int) -> Draft:
        return self.options.begin(symbol, fetched_ms)

    async def write(self, chain: Chain, digest: int) -> Written:
        return await self.options.write(chain, digest)

    def status(self, symbol: str, fields: Fields) -> None:
        self._board.set(self._keys.options_monitor(symbol), fields)


class SentimentStoreOutlet:
    def __init__(
        self, news: SentimentStore, indicators: IndicatorStore, board: StatusBoard, keys: Keys
    ) -> None:
        self._news = news
        self._indicators = indicators
        self._board = board
        self._keys = keys

    async def write_news(self, news: News) -> None:
        await self._news.write(news)
        self.status(news.symbol, sentiment_status(news))

    async def write_reading(self, reading: IndicatorReading) -> None:
        await self._indicators.write(reading)

    def status(self, symbol: str, fields: Fields) -> None:
        self._board.set(self._keys.sentiment_monitor(symbol), fields)
