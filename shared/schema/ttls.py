"""How long keys live, as the documents say it and as it is checked."""

from __future__ import annotations

from typing import Final

from shared.schema.row import Ttl

NEVER: Final = Ttl("-")
FREE: Final = Ttl("-, or as the writer sets it", free=True)
MARKET_DATA: Final = Ttl("`ttls.market_data`, 60 s", lambda limits: limits.market_data_s)
ORDER_BOOK: Final = Ttl("`ttls.order_book`, 60 s", lambda limits: limits.order_book_s)
TRADES: Final = Ttl("`ttls.trades`, 86400 s", lambda limits: limits.trades_s)
BARS: Final = Ttl("`ttls.bars`, 86400 s", lambda limits: limits.bars_s)
BARS_1MIN: Final = Ttl("`ttls.bars_1min`, 432000 s", lambda limits: limits.bars_1min_s)
OPTIONS: Final = Ttl("`ttls.options`, 180 s", lambda limits: limits.options_s)
GREEKS: Final = Ttl("`ttls.greeks`, 180 s", lambda limits: limits.greeks_s)
SENTIMENT: Final = Ttl("`ttls.sentiment`, 3600 s", lambda limits: limits.sentiment_s)
TECHNICALS: Final = Ttl("`ttls.technicals`, 900 s", lambda limits: limits.technicals_s)
MONITORING: Final = Ttl("`ttls.monitoring`, 120 s", lambda limits: limits.monitoring_s)
HEARTBEAT: Final = Ttl("`ttls.heartbeat`, 30 s", lambda limits: limits.heartbeat_s)
STOPPED_S: Final = 86_400
OWN_HEARTBEAT: Final = Ttl(
    f"`ttls.heartbeat`, 30 s; {STOPPED_S} s after a clean stop",
    lambda limits: max(STOPPED_S, limits.heartbeat_s),
)
DEPTH_HEARTBEAT: Final = Ttl(
    "max(`ibkr.heartbeat_ttl_s`, rotation window, 30) s",
    lambda limits: limits.depth_heartbeat_s,
)
VENUE_BOOK: Final = Ttl(
    "max(`ttls.order_book`, 30, 1.5 x rotation window) s", lambda limits: limits.venue_book_s
)
OWNER: Final = Ttl("5 s, renewed every 1 s", lambda _: 5)
LEASE: Final = Ttl("10 s, renewed every 2 s", lambda _: 10)
BUCKET: Final = Ttl(
    "3600 s, or the cool-down left and 1 s if that is longer", lambda limits: limits.bucket_s
)
NO_KEY: Final = Ttl("-", free=True)
