from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from shared.control.schedule import Poll
from shared.errors import BadDocument
from shared.feeds.alphavantage.client import Answer
from shared.feeds.alphavantage.options import OptionsHandler
from shared.feeds.alphavantage.sentiment import SentimentHandler
from shared.market.sentiment import News
from shared.settings import AlphaVantageSettings, Instrument, Universe

UNIVERSE = Universe(
    tuple(
        Instrument(name, "STK", (), "", "USD", name, name.replace(".", "-"))
        for name in ("SPY", "BRK.B")
    ),
    (),
)


class Statuses:
    """Keeps what the monitors are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Mapping[str, Any]]] = []

    def status(self, symbol: str, fields: Mapping[str, Any]) -> None:
        self.told.append((symbol, fields))

    def same(self, symbol: str, digest: int) -> bool:
        return False


def options(**changes: Any) -> OptionsHandler:
    settings = msgspec.structs.replace(AlphaVantageSettings(), **changes)
    return OptionsHandler(settings, UNIVERSE, Statuses())  # type: ignore[arg-type]


def sentiment(**changes: Any) -> SentimentHandler:
    settings = msgspec.structs.replace(AlphaVantageSettings(), **changes)
    return SentimentHandler(settings, UNIVERSE, Statuses())  # type: ignore[arg-type]


def test_realtime_chains_are_asked_for_with_greeks() -> None:
    found = options().request(Poll("BRK.B", "options", 10.0))
    assert found.params == {
        "function": "REALTIME_OPTIONS", "symbol": "BRK-B", "require_greeks": "true",
    }  # fmt: skip


def test_historical_chains_have_greeks_anyway_and_a_date_where_one_is_set() -> None:
    poll = Poll("SPY", "options", 10.0)
    last = options(options_function="HISTORICAL_OPTIONS").request(poll)
    assert last.params == {"function": "HISTORICAL_OPTIONS", "symbol": "SPY"}
    day = options(options_function="HISTORICAL_OPTIONS", options_date="2017-11-15").request(poll)
    assert day.params["date"] == "2017-11-15"


def test_news_are_asked_for_newest_first() -> None:
    found = sentiment(news_limit=200).request(Poll("BRK.B", "sentiment", 300.0))
    assert found.params == {
        "function": "NEWS_SENTIMENT", "tickers": "BRK-B", "sort": "LATEST", "limit": "200",
    }  # fmt: skip
    assert found.wanted == "feed"


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        ("RSI", {"time_period": "14", "series_type": "close"}),
        ("ATR", {"time_period": "14"}),
        (
            "MACD",
            {"fastperiod": "12", "slowperiod": "26", "signalperiod": "9", "series_type": "close"},
        ),
        (
            "BBANDS",
            {"time_period": "20", "nbdevup": "2", "nbdevdn": "2", "series_type": "close"},
        ),
    ],
)
def test_an_indicator_is_asked_for_with_its_own_parameters(
    indicator: str, expected: dict[str, str]
) -> None:
    found = sentiment().request(Poll("SPY", indicator, 60.0))
    base = {"function": indicator, "symbol": "SPY", "interval": "5min"}
    assert found.params == {**base, **expected}


def test_the_entitlement_is_named_where_it_is_set_and_only_for_indicators() -> None:
    handler = sentiment(entitlement="delayed")
    assert handler.request(Poll("SPY", "RSI", 60.0)).params["entitlement"] == "delayed"
    assert "entitlement" not in handler.request(Poll("SPY", "sentiment", 300.0)).params
    assert "entitlement" not in options(entitlement="delayed").request(Poll("SPY", "x", 1)).params


@pytest.mark.parametrize("kind", ["options", "sentiment"])
def test_an_empty_object_is_not_taken_for_an_empty_document(kind: str) -> None:
    answer = Answer("empty", text="an empty object", received_ms=1)
    handler: Any = options() if kind == "options" else sentiment()
    with pytest.raises(BadDocument, match="body: was an empty object"):
        asyncio.run(handler.read(Poll("SPY", kind, 10.0), answer))


def test_no_data_for_a_symbol_is_an_empty_chain() -> None:
    answer = Answer("empty", text="No data for symbol SPY on date 2025-01-09.", received_ms=77)
    found = asyncio.run(options().read(Poll("SPY", "options", 10.0), answer))
    assert found.chain is not None
    assert (found.chain.symbol, found.chain.contracts, found.chain.fetched_ms) == ("SPY", [], 77)


def test_no_articles_are_news_without_articles() -> None:
    answer = Answer("empty", text="No articles found.", received_ms=77)
    found = asyncio.run(sentiment().read(Poll("SPY", "sentiment", 300.0), answer))
    assert isinstance(found, News)
    assert (found.articles, found.fetched_ms) == ((), 77)


def test_an_indicator_without_history_is_nothing_to_publish() -> None:
    answer = Answer("empty", text="an empty object", received_ms=77)
    assert asyncio.run(sentiment().read(Poll("SPY", "RSI", 60.0), answer)) is None
