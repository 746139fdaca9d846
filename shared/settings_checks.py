"""Settings that are each in bounds and do not fit together."""

from __future__ import annotations

from datetime import date
from typing import Final
from urllib.parse import urlsplit

from shared.settings_sections import (
    AlphaVantageSettings,
    IbkrSettings,
    RedisSettings,
    Secret,
    SymbolSettings,
    Ttls,
)
from shared.settings_words import redacted, shown
from shared.universe import Universe

_REDIS_SCHEMES: Final = ("redis", "rediss", "unix")
# Of random letters and digits: too many to try over a loopback connection.
_LEAST_TOKEN: Final = 16
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def redis_faults(redis: RedisSettings) -> list[str]:
    if not redis.url:
        return []
    if redis.url.partition("://")[0].lower() not in _REDIS_SCHEMES:
        was = redacted(redis.url)
        return [f"redis.url: was {was}, must start with redis://, rediss:// or unix://"]
    return _address_faults("redis.url", redis.url)


def host_of(url: str) -> str:
    """The host that a URL names; empty where it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _address_faults(name: str, url: str) -> list[str]:
    try:
        _ = urlsplit(url).port
    except ValueError:
        return [f"{name}: was {redacted(url)}, must have a host and a port from 0 to 65535"]
    return []


def operator_token_faults(token: Secret) -> list[str]:
    """Empty is allowed: then nobody may give orders."""
    text = token.reveal()
    usable = text.isascii() and text.isprintable() and " " not in text
    if not text or (usable and len(text) >= _LEAST_TOKEN):
        return []
    return [
        f"TICKVISOR_DASHBOARD_TOKEN: was {len(text)} characters,"
        f" must be at least {_LEAST_TOKEN}, printable and without blanks"
    ]


def symbol_contradictions(
    symbols: SymbolSettings, universe: Universe, depth: tuple[str, ...]
) -> list[str]:
    known = universe.symbols()
    lists = {"level2": symbols.level2, "standard": symbols.standard}
    problems = [
        f"symbols.{name}: was {shown(symbol)}, must be in the universe file"
        for name, chosen in lists.items()
        for symbol in chosen
        if symbol not in known
    ]
    problems += [
        f"symbols.standard: was {shown(symbol)}, must not be in level2 too"
        for symbol in symbols.standard
        if symbol in symbols.level2
    ]
    problems += [
        f"pinned: was {shown(symbol)}, must be a depth symbol"
        for symbol in universe.pinned
        if symbol in known and symbol not in depth
    ]
    return problems


def client_id_overlaps(ibkr: IbkrSettings) -> list[str]:
    """Two workers counting upwards into one range would throw each other out (TWS error 326)."""
    starts = {
        "client_id": ibkr.client_id,
        "trades_client_id": ibkr.trades_client_id,
        "probe_client_id": ibkr.probe_client_id,
    }
    ordered = sorted(starts.items(), key=lambda item: item[1])
    return [
        f"ibkr.{name}: was {start}, must be more than {ibkr.client_id_max_offset} above {below}"
        f" {ordered[index][1]}"
        for index, (name, start) in enumerate(ordered[1:])
        for below in (ordered[index][0],)
        if start - ordered[index][1] <= ibkr.client_id_max_offset
    ]


def vendor_contradictions(vendor: AlphaVantageSettings, ttls: Ttls) -> list[str]:
    problems = _key_faults(vendor) + _interval_faults(vendor, ttls)
    if vendor.safety_buffer >= vendor.calls_per_min:
        problems.append(
            f"alpha_vantage.safety_buffer: was {vendor.safety_buffer},"
            f" must be less than calls_per_min {vendor.calls_per_min}"
        )
    if vendor.failure_backoff_max_s < vendor.failure_backoff_s:
        problems.append(
            f"alpha_vantage.failure_backoff_max_s: was {vendor.failure_backoff_max_s},"
            f" must be at least failure_backoff_s {vendor.failure_backoff_s}"
        )
    if vendor.macd_fast >= vendor.macd_slow:
        problems.append(
            f"alpha_vantage.macd_fast: was {vendor.macd_fast},"
            f" must be less than macd_slow {vendor.macd_slow}"
        )
    return problems + _date_faults(vendor)


def _key_faults(vendor: AlphaVantageSettings) -> list[str]:
    """The key stands in the URL of every request."""
    problems = []
    key = vendor.api_key.reveal()
    if not (key.isascii() and key.isprintable()) or " " in key:
        problems.append(
            f"ALPHA_VANTAGE_API_KEY: was {len(key)} characters, must be printable without blanks"
        )
    problems += _address_faults("alpha_vantage.base_url", vendor.base_url)
    host = host_of(vendor.base_url)
    if vendor.base_url.startswith("http:") and host not in LOOPBACK:
        problems.append(
            f"alpha_vantage.base_url: was http to {shown(host)},"
            " must be https: the API key stands in it"
        )
    return problems


def _interval_faults(vendor: AlphaVantageSettings, ttls: Ttls) -> list[str]:
    """A document must not expire between two polls of it, outside market hours either."""
    intervals = {
        "options": (vendor.options_interval_s, min(ttls.options, ttls.greeks)),
        "sentiment": (vendor.sentiment_interval_s, ttls.sentiment),
        "technicals": (vendor.technicals_interval_s, ttls.technicals),
    }
    slowest = vendor.closed_slowdown * (1 + vendor.interval_jitter)
    return [
        f"alpha_vantage.{name}_interval_s: was {interval_s:g}, times closed_slowdown and jitter"
        f" {interval_s * slowest:g}, must be less than the ttl of {ttl_s}"
        for name, (interval_s, ttl_s) in intervals.items()
        if interval_s * slowest >= ttl_s
    ]


def _date_faults(vendor: AlphaVantageSettings) -> list[str]:
    text = vendor.options_date
    if not text:
        return []
    try:
        date.fromisoformat(text)
    except ValueError:
        return [f"alpha_vantage.options_date: was {shown(text)}, must be a day, YYYY-MM-DD"]
    if vendor.options_function != "HISTORICAL_OPTIONS":
        return [
            f"alpha_vantage.options_date: was {shown(text)},"
            f" must be empty for options_function {vendor.options_function}"
        ]
    return []
