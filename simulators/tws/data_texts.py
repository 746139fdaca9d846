"""Error texts of market data other than depth, as ibkr.md section 3 has them."""

from __future__ import annotations

from typing import Final

from .contracts import Listing
from .depth import REFUSAL_TEXTS

__all__ = ["ENDING_CODES", "KIND_CODES", "data_text"]

_HISTORY: Final = "Historical Market Data Service error message:"
_TEXTS: Final = {
    **REFUSAL_TEXTS,
    101: "Max number of tickers has been reached.",
    102: "Duplicate ticker ID.",
    162: f"{_HISTORY}No market data permissions for {{exchange}} {{sec_type}}",
    420: "Invalid Real-time Query:No market data permissions for {exchange} {sec_type}",
    10167: "Requested market data is not subscribed. Displaying delayed market data.",
    10182: "Failed to request live updates (disconnected).",
    10187: "Failed to request tick-by-tick data:No market data permissions for {exchange} "
    "{sec_type}",
    10189: "Failed to request tick-by-tick data:Tick-by-tick data is not supported for "
    "{exchange} {sec_type}",
    10190: "Max number of tick-by-tick requests has been reached.",
    10197: "No market data during competing live session",
    10225: "Bust event occurred, current subscription is deactivated. Please resubscribe "
    "real-time bars immediately",
}
# What each kind of request may be refused with by command.
KIND_CODES: Final = {
    "lines": (354, 10089, 10090, 10167, 10168, 10186, 10197),
    "ticks": (354, 10089, 10168, 10187, 10189, 10190, 10197),
    "bars": (354, 420, 10197),
    "history": (162,),
}
# Codes after which nothing more comes for that reqId.
ENDING_CODES: Final = frozenset(
    {101, 162, 200, 354, 420, 10089, 10168, 10182, 10186, 10187, 10189, 10190, 10197, 10225}
)


def data_text(code: int, listing: Listing) -> str:
    text = _TEXTS.get(code, f"error {code}")
    return text.format(exchange=listing.primary, sec_type=listing.sec_type)
