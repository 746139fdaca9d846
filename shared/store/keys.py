"""Every Redis key of the product. Nothing else in the tree spells a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SOURCE: Final = "coord:source"
# Field of the stale hash that is always there: when the watchdog looked last.
STALE_CHECKED: Final = "_checked_ts"


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names under one prefix (`redis.key_prefix`, empty by default)."""

    prefix: str = ""

    # Depth, as mirrored

    def depth_stream(self, symbol: str) -> str:
        return f"{self.prefix}raw:ibkr:depth:stream:{symbol}"

    def depth_last(self, symbol: str) -> str:
        return f"{self.prefix}raw:ibkr:depth:last:{symbol}"

    def depth_heartbeat(self, symbol: str) -> str:
        return f"{self.prefix}raw:ibkr:depth:hb:{symbol}"

    # Market

    def venue_book(self, symbol: str, venue: str) -> str:
        return f"{self.prefix}market:{symbol}:{venue}:book"

    def book(self, symbol: str) -> str:
        return f"{self.prefix}market:{symbol}:book"

    def ticker(self, symbol: str) -> str:
        return f"{self.prefix}market:{symbol}:ticker"

    def last(self, symbol: str) -> str:
        return f"{self.prefix}market:{symbol}:last"

    def trades(self, symbol: str) -> str:
        return f"{self.prefix}market:{symbol}:trades"

    def bars_5s(self, symbol: str) -> str:
        return f"{self.prefix}market:{symbol}:bars:5s"

    def bars_1min(self, symbol: str) -> str:
        return f"{self.prefix}market:{symbol}:bars:1min"

    # Options, sentiment, technicals

    def calls(self, symbol: str) -> str:
        return f"{self.prefix}options:{symbol}:calls"

    def puts(self, symbol: str) -> str:
        return f"{self.prefix}options:{symbol}:puts"

    def chain(self, symbol: str) -> str:
        return f"{self.prefix}options:{symbol}:chain"

    def greeks(self, symbol: str, contract_id: str) -> str:
        return f"{self.prefix}options:{symbol}:{contract_id}:greeks"

    def options_monitor(self, symbol: str) -> str:
        return f"{self.prefix}monitoring:options:{symbol}"

    def sentiment(self, symbol: str) -> str:
        return f"{self.prefix}sentiment:{symbol}"

    def sentiment_monitor(self, symbol: str) -> str:
        return f"{self.prefix}monitoring:sentiment:{symbol}"

    def technicals(self, symbol: str, indicator: str) -> str:
        return f"{self.prefix}technicals:{symbol}:{indicator}"

    def events(self, key: str) -> str:
        """The channel that announces a change of `key`, which is one of ours with its prefix."""
        return f"{self.prefix}events:{key.removeprefix(self.prefix)}"

    def options_events(self, symbol: str) -> str:
        return f"{self.prefix}events:options:{symbol}"

    # Monitoring

    def market_session(self) -> str:
        return f"{self.prefix}market:session"

    def heartbeat(self, worker: str) -> str:
        return f"{self.prefix}heartbeat:{worker}"

    def family_heartbeat(self, family: str) -> str:
        """`family` is ``ibkr_ingestion`` or ``alpha_vantage``."""
        return f"{self.prefix}heartbeat:{family}"

    def ibkr_connected(self) -> str:
        return f"{self.prefix}ibkr:connected"

    def metrics(self, family: str) -> str:
        return f"{self.prefix}monitoring:{family}:metrics"

    def stale(self) -> str:
        return f"{self.prefix}monitoring:data:stale"

    def gaps(self) -> str:
        return f"{self.prefix}monitoring:gaps"

    def incidents(self) -> str:
        return f"{self.prefix}monitoring:incidents"

    def coverage(self) -> str:
        return f"{self.prefix}monitoring:depth:coverage"

    def rotation(self) -> str:
        return f"{self.prefix}monitoring:depth:rotation"

    # Coordination

    def source(self) -> str:
        return f"{self.prefix}{SOURCE}"

    def lease(self, worker: str) -> str:
        return f"{self.prefix}coord:lease:{worker}"

    def growing(self, symbol: str, document: str) -> str:
        """Where a chain's `calls`, `puts` or `chain` is written until it is whole."""
        return f"{self.prefix}coord:growing:{symbol}:{document}"

    def depth_live(self, symbol: str) -> str:
        return f"{self.prefix}coord:depth:live:{symbol}"

    def quote_times(self) -> str:
        """Hash: the newest quote time written, by symbol."""
        return f"{self.prefix}coord:quote:ts"

    def numbers(self, worker: str) -> str:
        """Hash: the newest number a worker gave, by kind and symbol."""
        return f"{self.prefix}coord:seq:{worker}"

    def covered(self, worker: str) -> str:
        """Hash: Unix ms up to which a worker's data is whole or its loss entered, by symbol."""
        return f"{self.prefix}coord:covered:{worker}"

    def depth_fallback(self) -> str:
        return f"{self.prefix}coord:depth:fallback"

    def rate_limit(self, account: str) -> str:
        """`account` is the start of the SHA-256 of the Alpha Vantage API key."""
        return f"{self.prefix}coord:ratelimit:alpha_vantage:{account}"

    def breakers(self, worker: str) -> str:
        """Hash: circuit state by `symbol:type`."""
        return f"{self.prefix}coord:breaker:{worker}"

    def control(self, worker: str) -> str:
        return f"{self.prefix}coord:control:{worker}"

    def owned_patterns(self) -> tuple[str, ...]:
        """Match patterns that cover every key of the product, for a reset."""
        families = (
            "raw:ibkr:*",
            "market:*",
            "options:*",
            "sentiment:*",
            "technicals:*",
            "monitoring:*",
            "heartbeat:*",
            "coord:*",
            "ibkr:connected",
        )
        return tuple(self.prefix + family for family in families)
