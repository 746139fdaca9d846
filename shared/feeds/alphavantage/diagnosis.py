"""Two small calls that tell what a key may do: an indicator, and a part of an option chain."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import msgspec

from shared.errors import BudgetExhausted
from shared.feeds.alphavantage.client import Answer, Request, VendorClient
from shared.feeds.alphavantage.sentiment import indicator_params
from shared.settings import AlphaVantageSettings

_CONNECT_S: Final = 2.5
_TOTAL_S: Final = 4.5
_FRIDAY: Final = 4
# The symbol of the sample chain that a key without options gets.
_SAMPLE: Final = b"XXYYZZ"


@dataclass(frozen=True, slots=True)
class VendorReport:
    """`unasked` says why a call was not made; `skew_s`: how far the vendor's clock is ahead."""

    indicator: Answer | None = None
    options: Answer | None = None
    unasked: str = ""
    skew_s: float | None = None


async def diagnose(
    settings: AlphaVantageSettings,
    agent: str,
    symbol: str,
    acquire: Callable[[], Awaitable[None]],
) -> VendorReport:
    """Two calls at most, each with leave of its own; `acquire` may raise BudgetExhausted."""
    client = DatedClient(_impatient(settings), agent, acquire)
    answers: list[Answer] = []
    unasked = ""
    try:
        for request in (_indicator(settings, symbol), _options(settings, symbol, date.today())):
            await acquire()
            answers.append(await client.get(request))
            if answers[-1].kind == "transport":
                unasked = "the call before it got no answer"
                break
    except BudgetExhausted as error:
        unasked = str(error)
    finally:
        await client.close()
    first, second = (*answers, None, None)[:2]
    return VendorReport(first, _without_sample(second), unasked, client.skew_s)


class DatedClient(VendorClient):
    """Reads the vendor's clock off its answers; the header has whole seconds."""

    skew_s: float | None = None

    def _opened(self) -> Any:
        line = super()._opened()
        line.http.event_hooks = {"response": [self._note_date]}
        return line

    async def _note_date(self, response: httpx.Response) -> None:
        try:
            sent = parsedate_to_datetime(response.headers.get("date", ""))
        except ValueError:
            return
        self.skew_s = sent.timestamp() + 0.5 - time.time()


def _impatient(settings: AlphaVantageSettings) -> AlphaVantageSettings:
    return msgspec.structs.replace(
        settings,
        connect_timeout_s=min(settings.connect_timeout_s, _CONNECT_S),
        read_timeout_s=min(settings.read_timeout_s, _TOTAL_S),
        request_timeout_s=min(settings.request_timeout_s, _TOTAL_S),
        max_attempts=1,
    )


def _indicator(settings: AlphaVantageSettings, symbol: str) -> Request:
    name = settings.indicators[0] if settings.indicators else "RSI"
    params = {"function": name, "symbol": symbol, "interval": settings.indicator_interval}
    params |= {key: str(value) for key, value in indicator_params(settings, name)}
    if settings.entitlement:
        params["entitlement"] = settings.entitlement
    return Request(params, "Technical Analysis")


def _options(settings: AlphaVantageSettings, symbol: str, today: date) -> Request:
    """One expiration alone: a whole chain may have ten megabytes."""
    params = {
        "function": settings.options_function,
        "symbol": symbol,
        "expiration": next_friday(today).isoformat(),
    }
    if settings.options_function == "HISTORICAL_OPTIONS" and settings.options_date:
        params["date"] = settings.options_date
        params["expiration"] = next_friday(date.fromisoformat(settings.options_date)).isoformat()
    return Request(params, "data")


def next_friday(today: date) -> date:
    """The first one behind this day: what expires today may be gone already."""
    return today + timedelta(days=(_FRIDAY - today.weekday() - 1) % 7 + 1)


def _without_sample(answer: Answer | None) -> Answer | None:
    """A sample chain that came without its warning is no data either."""
    if answer is None or answer.kind != "data" or _SAMPLE not in answer.body:
        return answer
    return Answer("entitlement", text="the chain is an artificial sample")
