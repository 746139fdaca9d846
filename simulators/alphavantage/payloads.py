from __future__ import annotations

import datetime
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from simulators.errors import Refused, WireError

from .body import Body, document_body
from .chain import rows_body
from .contract import Row
from .distort import distort_document, distort_rows
from .faults import Fault
from .indicators import INDICATORS, IndicatorQuery, bar_times, indicator_document
from .market import ChainSizes, Market, is_index, is_known
from .moment import Calendar, Moment
from .news import NewsQuery, NewsRoom, feed_document, parse_time
from .setup import Setup
from .texts import ARTIFICIAL
from .truth import SentChain, SentDocument

__all__ = ["ENDPOINTS", "FUNCTIONS", "Call", "Payloads"]

ENDPOINTS: Final = {
    "REALTIME_OPTIONS": "Realtime Options",
    "HISTORICAL_OPTIONS": "Historical Options",
}
FUNCTIONS: Final = (*ENDPOINTS, "NEWS_SENTIMENT", *INDICATORS)
_SORTS: Final = ("LATEST", "EARLIEST", "RELEVANCE")
_FIRST_DAY: Final = datetime.date(2008, 1, 1)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let through, with what is wrong with its answer."""

    function: str
    symbol: str
    query: dict[str, str]
    # The time the data is of: `now`, or when the symbol was frozen.
    data_wall_s: float
    frozen: bool
    now: Moment
    distortions: list[Fault]
    faults: tuple[str, ...]


class Payloads:
    """The true answer of every function, and the record of what was sent."""

    def __init__(self, setup: Setup, calendar: Calendar) -> None:
        self._setup = setup
        self.calendar = calendar
        self.sizes = ChainSizes(setup.contracts)
        self.sizes.by_symbol.update(setup.contracts_of)
        self._market = Market(setup.seed, self.sizes)
        self._news = NewsRoom(setup.seed, setup.news_every_s)
        self._random = Random(f"{setup.seed}:distortions")
        self._sent = 0
        self.chains: dict[tuple[str, str], SentChain] = {}
        self.documents: dict[tuple[str, str], SentDocument] = {}
        self._last_bodies: dict[tuple[str, str], Body] = {}

    def body(self, call: Call) -> Body:
        """Raises Refused with the kind of refusal for what cannot be answered."""
        if call.function == "REALTIME_OPTIONS":
            return self._realtime(call)
        if call.function == "HISTORICAL_OPTIONS":
            return self._historical(call)
        if call.function == "NEWS_SENTIMENT":
            return self._document(call, self._feed(call))
        return self._document(call, self._indicator(call))

    def sent_rows(self, call: Call, rows: list[Row], endpoint: str) -> None:
        self._sent += 1
        now = call.now
        self.chains[call.function, call.symbol] = SentChain(
            rows, endpoint, now.mono_s, now.wall_s, self._sent, call.faults
        )

    def _realtime(self, call: Call) -> Body:
        if not _has_chain(call):
            return document_body({})
        if not self._setup.sees_realtime_options():
            return document_body(ARTIFICIAL)
        today = self.calendar.today(call.data_wall_s)
        _check_expiration(call, today)
        chain, new = self._market.today(call.symbol, today)
        if not new and not call.frozen:
            chain.move(self._setup.moving)
        greeks = call.query.get("require_greeks", "").lower() == "true"
        rows = self._rows(call, chain.rows)
        endpoint = self._endpoint(call)
        if rows is chain.rows:
            self.sent_rows(call, list(rows) if greeks else _bare(rows), endpoint)
            return chain.body(endpoint, greeks)
        rows = rows if greeks else _bare(rows)
        self.sent_rows(call, rows, endpoint)
        return rows_body(endpoint, rows)

    def _historical(self, call: Call) -> Body:
        if not _has_chain(call):
            return document_body({})
        date = self._historical_date(call)
        if date.weekday() > 4 or date > self.calendar.today(call.data_wall_s):
            raise Refused("opt_no_data_day")
        chain = self._market.past(call.symbol, date)
        rows, endpoint = self._rows(call, chain.rows), self._endpoint(call)
        self.sent_rows(call, rows, endpoint)
        return chain.body(endpoint, True) if rows is chain.rows else rows_body(endpoint, rows)

    def _historical_date(self, call: Call) -> datetime.date:
        text = call.query.get("date")
        if text is None:
            return self.calendar.previous_session(call.data_wall_s)
        date = _date(text)
        if date < _FIRST_DAY:
            raise Refused("err_invalid_call")
        return date

    def _rows(self, call: Call, rows: list[Row]) -> list[Row]:
        expiration, contract = call.query.get("expiration"), call.query.get("contract")
        if expiration:
            rows = [row for row in rows if row[2] == expiration]
        if contract:
            rows = [row for row in rows if row[0] == contract]
        return distort_rows(rows, call.distortions, self._random)

    def _endpoint(self, call: Call) -> str:
        names = dict(ENDPOINTS)
        if any(fault.kind == "wrong_endpoint" for fault in call.distortions):
            names = dict(zip(names, reversed(names.values()), strict=True))
        return names[call.function]

    def _feed(self, call: Call) -> dict[str, Any]:
        query = _news_query(call.query)
        articles = self._news.articles(query, self.calendar.utc(call.data_wall_s))
        if not articles:
            raise Refused("info_news_no_articles")
        return feed_document(articles)

    def _indicator(self, call: Call) -> dict[str, Any]:
        try:
            query = IndicatorQuery.parse(call.query)
        except (WireError, ValueError) as error:
            raise Refused("err_invalid_call") from error
        if not _has_chain(call):
            return {}
        realtime = call.query.get("entitlement") == "realtime"
        eastern = self.calendar.eastern(call.data_wall_s)
        times = bar_times(query, eastern, realtime, self._setup.rows)
        return indicator_document(query, times, self._setup.seed)

    def _document(self, call: Call, document: dict[str, Any]) -> Body:
        document = distort_document(document, call.distortions, self._random)
        self._sent += 1
        now = call.now
        self.documents[call.function, call.symbol] = SentDocument(
            document, now.mono_s, now.wall_s, self._sent, call.faults
        )
        body = document_body(document)
        last = self._last_bodies.get((call.function, call.symbol))
        if last is not None and last.plain() == body.plain():
            # It has been compressed already.
            return last
        self._last_bodies[call.function, call.symbol] = body
        return body


def _bare(rows: list[Row]) -> list[Row]:
    return [row[:14] for row in rows]


def _has_chain(call: Call) -> bool:
    if not call.symbol or not (is_known(call.symbol) or is_index(call.symbol)):
        raise Refused("err_invalid_call")
    return not is_index(call.symbol)


def _date(text: str) -> datetime.date:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise Refused("err_invalid_call") from error


def _check_expiration(call: Call, today: datetime.date) -> None:
    text = call.query.get("expiration")
    if text and _date(text) < today:
        raise Refused("err_invalid_call")


def _news_query(query: dict[str, str]) -> NewsQuery:
    tickers = tuple(filter(None, query.get("tickers", "").upper().split(",")))
    sort = query.get("sort", "LATEST")
    if not tickers or not all(is_known(t.rpartition(":")[2]) for t in tickers):
        raise Refused("info_news_invalid_inputs")
    if sort not in _SORTS:
        raise Refused("info_news_invalid_inputs")
    try:
        limit = int(query.get("limit", 50))
        times = [parse_time(query[n]) if n in query else None for n in ("time_from", "time_to")]
    except ValueError as error:
        raise Refused("info_news_invalid_inputs") from error
    return NewsQuery(tickers, limit, sort, times[0], times[1])
