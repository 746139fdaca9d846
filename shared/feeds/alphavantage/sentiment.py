"""News and technical indicators: what to ask for, and from an answer to something readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

from shared.control.schedule import Poll
from shared.feeds.alphavantage.client import Answer, Request
from shared.feeds.alphavantage.refusals import check_says_empty
from shared.market.indicator import IndicatorReading
from shared.market.sentiment import News, no_news
from shared.normalize.av_indicators import IndicatorRequest, parse_indicator
from shared.normalize.av_news import parse_news
from shared.settings import AlphaVantageSettings
from shared.universe import Universe

NEWS: Final = "sentiment"


class SentimentOutlet(Protocol):
    async def write_news(self, news: News) -> None:
        """Make a symbol's news readable."""

    async def write_reading(self, reading: IndicatorReading) -> None:
        """Make an indicator readable."""

    def status(self, symbol: str, fields: Mapping[str, str | int | float | None]) -> None:
        """Fields of the symbol's news monitor."""


class SentimentHandler:
    def __init__(
        self, settings: AlphaVantageSettings, universe: Universe, outlet: SentimentOutlet
    ) -> None:
        self._settings = settings
        self._universe = universe
        self._outlet = outlet
        self._counts: Counter[str] = Counter()

    def request(self, poll: Poll) -> Request:
        vendor_symbol = self._vendor_symbol(poll.symbol)
        settings = self._settings
        if poll.kind == NEWS:
            params = {"tickers": vendor_symbol, "sort": "LATEST", "limit": str(settings.news_limit)}
            return Request({"function": "NEWS_SENTIMENT", **params}, "feed")
        params = {"symbol": vendor_symbol, "interval": settings.indicator_interval}
        params.update({name: str(value) for name, value in indicator_params(settings, poll.kind)})
        if settings.entitlement:
            params["entitlement"] = settings.entitlement
        return Request({"function": poll.kind, **params}, "Technical Analysis")

    async def read(self, poll: Poll, answer: Answer) -> News | IndicatorReading | None:
        """None: the vendor has too little history for this indicator. Raises BadDocument."""
        vendor_symbol, now_ms = self._vendor_symbol(poll.symbol), answer.received_ms
        if poll.kind == NEWS:
            if answer.kind == "empty":
                check_says_empty(answer.text)
                return no_news(poll.symbol, now_ms)
            return parse_news(answer.body, poll.symbol, vendor_symbol, now_ms)
        if answer.kind == "empty":
            return None
        settings = self._settings
        params = dict(indicator_params(settings, poll.kind))
        request = IndicatorRequest(
            poll.symbol, vendor_symbol, poll.kind, settings.indicator_interval, params
        )
        return parse_indicator(answer.body, request, now_ms)

    async def write(self, poll: Poll, document: News | IndicatorReading | None) -> None:
        """Raises StoreUnavailable, StoreRefused."""
        counts = self._counts
        if isinstance(document, News):
            await self._outlet.write_news(document)
            counts["news"] += 1
            counts["articles"] += len(document.articles)
            counts["dropped_articles"] += document.dropped
            counts["bad_values"] += document.bad_values
            status = "ok" if document.articles else "empty"
            self._outlet.status(document.symbol, {"status": status, "error": ""})
        elif isinstance(document, IndicatorReading):
            await self._outlet.write_reading(document)
            counts["readings"] += 1
            counts["delayed_readings"] += document.delayed
            counts["bad_values"] += document.bad_values
        else:
            counts["no_readings"] += 1

    def tell(self, poll: Poll, status: str, text: str) -> None:
        """Indicators have no monitor of their own: the worker's metrics name what is suspended."""
        if poll.kind == NEWS:
            self._outlet.status(poll.symbol, {"status": status, "error": text})

    def metrics(self) -> dict[str, Any]:
        """Counters since the start."""
        return dict(self._counts)

    def _vendor_symbol(self, symbol: str) -> str:
        return self._universe.by_symbol(symbol).alpha_vantage_name


def indicator_params(settings: AlphaVantageSettings, indicator: str) -> list[tuple[str, int | str]]:
    """The vendor's parameters of an indicator, as the settings have them."""
    series: tuple[str, int | str] = ("series_type", settings.series_type)
    params: dict[str, list[tuple[str, int | str]]] = {
        "RSI": [("time_period", settings.rsi_period), series],
        "ATR": [("time_period", settings.atr_period)],
        "MACD": [
            ("fastperiod", settings.macd_fast), ("slowperiod", settings.macd_slow),
            ("signalperiod", settings.macd_signal), series,
        ],
        "BBANDS": [
            ("time_period", settings.bbands_period), series,
            ("nbdevup", settings.bbands_up), ("nbdevdn", settings.bbands_down),
        ],
    }  # fmt: skip
    return params[indicator]
