"""The vendor's refusals, word for word; each is named like the recording it agrees with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ALIASES", "ARTIFICIAL", "HEROKU_503", "REFUSALS", "Asked", "burst", "refusal"]

_PREMIUM: Final = "https://www.alphavantage.co/premium/"
_NEWS_PAGE: Final = (
    "Please refer to the API documentation https://www.alphavantage.co/documentation#newsapi"
    " and try again."
)
_BURST: Final = (
    "Burst pattern detected. Please consider spreading out your API requests more evenly across"
    " a 1-minute window and query no more than {per_second} requests per second. Please contact"
    " support@alphavantage.co if you are targeting a higher API request volume."
)
_DAILY_KEY: Final = (
    "We have detected your API key as {key} and our standard API rate limit is 25 requests per"
    " day. Please "
)
_SUBSCRIBE: Final = (
    f"subscribe to any of the premium plans at {_PREMIUM} to instantly remove all daily rate"
    " limits."
)
_TARGETING: Final = f"visit {_PREMIUM} if you would like to target a higher API call frequency."

# kind -> (key, text)
REFUSALS: Final[dict[str, tuple[str, str]]] = {
    **{
        f"info_burst_{n}": ("Information", _BURST.format(per_second=n))
        for n in (1, 5, 10, 20, 30)
    },
    "info_minute_premium": (
        "Information",
        "Minute-level rate limit exceed. Please stay under the number of API requests per minute"
        " for your premium subscription plan. Please contact support@alphavantage.co if you are"
        " targeting a higher API request volume.",
    ),
    "info_free_1ps_2026": (
        "Information",
        "Thank you for using Alpha Vantage! Please consider spreading out your free API requests"
        " more sparingly (1 request per second). You may subscribe to any of the premium plans at"
        f" {_PREMIUM} to lift the free key rate limit (25 requests per day), raise the per-second"
        " burst limit, and instantly unlock all premium endpoints",
    ),
    "info_daily25_withkey": ("Information", _DAILY_KEY + _SUBSCRIBE),
    "note_daily25_withkey": ("Note", _DAILY_KEY + _TARGETING),
    "info_daily25_nokey": (
        "Information",
        "Thank you for using Alpha Vantage! Our standard API rate limit is 25 requests per day."
        f" Please {_SUBSCRIBE}",
    ),
    "note_5pm_500pd": (
        "Note",
        "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute"
        f" and 500 calls per day. Please {_TARGETING}",
    ),
    "info_contact_premium": (
        "Information",
        "Thank you for using Alpha Vantage! Please contact premium@alphavantage.co if you are"
        " targeting a higher API call volume.",
    ),
    "info_premium_endpoint": (
        "Information",
        "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any"
        f" of the premium plans at {_PREMIUM} to instantly unlock all premium endpoints",
    ),
    "info_demo_key": (
        "Information",
        "The **demo** API key is for demo purposes only. Please claim your free API key at"
        " (https://www.alphavantage.co/support/#api-key) to explore our full API offerings. It"
        " takes fewer than 20 seconds.",
    ),
    "info_not_entitled_delayed": (
        "Information",
        "Your API key is not yet entitled to 15-minute delayed US market data",
    ),
    "info_news_invalid_inputs": ("Information", f"Invalid inputs. {_NEWS_PAGE}"),
    "info_news_no_articles": (
        "Information",
        "No articles found. Please adjust the time range or"
        f" {_NEWS_PAGE.removeprefix('Please ')}",
    ),
    "err_invalid_call": (
        "Error Message",
        "Invalid API call. Please retry or visit the documentation"
        " (https://www.alphavantage.co/documentation/) for {function}.",
    ),
    "err_apikey": (
        "Error Message",
        "the parameter apikey is invalid or missing. Please claim your free API key on"
        " (https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds.",
    ),
    "err_no_function": ("Error Message", "This API function ({function}) does not exist."),
    "detail_accept_406": ("detail", "Could not satisfy the request Accept header."),
}  # fmt: skip
ALIASES: Final = {
    "err_invalid_call_rsi": "err_invalid_call",
    "no_articles": "info_news_no_articles",
    "invalid_inputs": "info_news_invalid_inputs",
    "key_echo": "info_daily25_withkey",
    "no_data_day": "opt_no_data_day",
    "heroku_503": "html_503",
}
HEROKU_503: Final = """<!DOCTYPE html>
\t<html>
\t  <head>
\t\t<meta name="viewport" content="width=device-width, initial-scale=1">
\t\t<meta charset="utf-8">
\t\t<title>Application Error</title>
\t\t<style media="screen">
\t\t  html,body,iframe {
\t\t\tmargin: 0;
\t\t\tpadding: 0;
\t\t  }
\t\t  html,body {
\t\t\theight: 100%;
\t\t\toverflow: hidden;
\t\t  }
\t\t  iframe {
\t\t\twidth: 100%;
\t\t\theight: 100%;
\t\t\tborder: 0;
\t\t  }
\t\t</style>
\t  </head>
\t  <body>
\t\t<iframe src="//www.herokucdn.com/error-pages/application-error.html"></iframe>
\t  </body>
\t</html>"""
_ARTIFICIAL_TEXT: Final = (
    "This is a premium endpoint. ***THE SAMPLE DATA SCHEMA BELOW IS ARTIFICIAL AND FOR"
    " ILLUSTRATION PURPOSES ONLY***. To access the actual data, please subscribe to either the"
    " 600 requests per minute or the 1200 requests per minute premium plan at"
    f" {_PREMIUM} if you would like to access realtime US options data for personal"
    " non-professional use. For professional/commercial use, please contact support at"
    " support@alphavantage.co."
)


def _artificial_row(kind: str, strike: str) -> dict[str, str]:
    contract = f"XXYYZZ999999{kind[0].upper()}000{strike}000"
    return {
        "contractID": contract, "symbol": "XXYYZZ", "expiration": "2099-99-99",
        "strike": f"{strike}.00", "type": kind, "last": "100.00", "mark": "100.10",
        "bid": "100.05", "bid_size": "100", "ask": "100.15", "ask_size": "100",
        "volume": "100", "open_interest": "100", "date": "2049-99-99",
    }  # fmt: skip


# What a key without the entitlement gets: it parses as a chain, and is none.
ARTIFICIAL: Final[dict[str, Any]] = {
    "endpoint": "Realtime Options",
    "message": _ARTIFICIAL_TEXT,
    "data": [_artificial_row(kind, strike) for strike in ("20", "30") for kind in ("call", "put")],
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request the texts repeat."""

    function: str = ""
    symbol: str = ""
    key: str = ""
    date: str = ""
    endpoint: str = "Historical Options"


def refusal(kind: str, asked: Asked) -> dict[str, Any]:
    if kind == "empty_object":
        return {}
    if kind == "opt_no_data_day":
        text = (
            f"No data for symbol {asked.symbol} on date {asked.date}. Please specify a valid"
            " combination of symbol and trading day."
        )
        return {"endpoint": asked.endpoint, "message": text, "data": []}
    key, text = REFUSALS[kind]
    return {key: text.replace("{key}", asked.key).replace("{function}", asked.function)}


def burst(per_second: int) -> dict[str, str]:
    return {"Information": _BURST.format(per_second=per_second)}
