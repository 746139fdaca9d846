"""TWS error codes, by what they mean for a subscription.

Sources: IBKR Campus "TWS API error codes", the old interactivebrokers.github.io tables, and
live logs quoted in public issues (each special case names its own).
"""

from __future__ import annotations

import re
from typing import Final

CLIENT_ID_IN_USE: Final = 326
DEPTH_LIMIT: Final = 309
DEPTH_HALTED: Final = 316
DEPTH_RESET: Final = 317
NO_SECURITY: Final = 200
NO_DEEP_DATA: Final = 10092
PARTLY_SUBSCRIBED: Final = 10090
SMART_DEPTH_NOTICE: Final = 2152
MESSAGE_RATE: Final = 100
LINE_LIMIT: Final = 101
STREAM_LIMIT: Final = 10190
REFUSED_BY_TEXT: Final = 322
BUST: Final = 10225
COMPETING_SESSION: Final = 10197
SHOWN_DELAYED: Final = 10167
NO_LIVE_DATA: Final = 10089
HISTORY: Final = 162
HISTORY_NOTICE: Final = 165
# No tick-by-tick data for this symbol: no permission, or not of this type.
NO_STREAM: Final = frozenset({10187, 10189})

# Which of these a missing depth entitlement gives on a direct venue is not documented, so all
# of them park the pair. 10090 may leave data flowing: it only counts while no row has come.
ENTITLEMENT: Final = frozenset({354, NO_LIVE_DATA, PARTLY_SUBSCRIBED, NO_DEEP_DATA, 10168, 10186})
# A gateway may know a venue under its other spelling only: worth one more request.
WRONG_SPELLING: Final = frozenset({NO_SECURITY, NO_DEEP_DATA})
# These may be said of a subscription that goes on (rust-ibapi#677).
ADVISORY: Final = frozenset({NO_LIVE_DATA, PARTLY_SUBSCRIBED})
# Said of a request that goes on: partly subscribed, shown delayed.
_NOTICES: Final = frozenset({PARTLY_SUBSCRIBED, 10091, SHOWN_DELAYED})
# The request is gone already: late or double cancel, nothing to do (ib_insync#665).
ALREADY_GONE: Final = frozenset({300, 310, 366})
# Notices of the data farms and of the order side that say nothing about a subscription.
ROUTINE: Final = frozenset({2100, 2101, 2102, 2104, 2106, 2107, 2108, 2119, 2150, 2158})

# The number in brackets first: a text may also carry the code and the request id.
_LIMITS: Final = (re.compile(r"\((\d+)\)"), re.compile(r"(\d+)"))
_PERMISSIONS: Final = re.compile(r"(Need additional|Unknown) market data permissions")


def depth_limit(text: str) -> int | None:
    """The account's limit as a 309 text names it, e.g. ``Max number (3) of market depth ...``."""
    for pattern in _LIMITS:
        match = pattern.search(text)
        if match:
            return int(match.group(1))
    return None


def is_notice(code: int) -> bool:
    """A market data request with this message goes on (2100 to 2199 are TWS's warnings)."""
    return code in _NOTICES or 2100 <= code < 2200


def pacing(text: str) -> bool:
    """A 162 or 420 that says "too many requests", e.g. ``... pacing violation``."""
    return "pacing" in text.lower()


def no_history(code: int, text: str) -> bool:
    """A 162 that is an answer: nothing traded in the time asked for."""
    return code == HISTORY and "no data" in text.lower()


def no_permission(code: int, text: str) -> bool:
    """The account may not have this data, whenever it is asked for."""
    return code in ENTITLEMENT or "permission" in text.lower()


def stream_limit(code: int, text: str) -> bool:
    """Too many tick-by-tick streams; 322 was seen carrying that text too."""
    return code == STREAM_LIMIT or (
        code == REFUSED_BY_TEXT and "max number of tick" in text.lower()
    )


def depth_venues(text: str) -> dict[str, tuple[str, ...]]:
    """Venues of a 2152 text by service: ``depth``, ``top`` and ``missing`` (no permission).

    Venues whose permissions the gateway calls unknown are in none of them.
    """
    granted, *sections = _PERMISSIONS.split(text)
    kinds, lists = sections[::2], sections[1::2]
    missing = "".join(names for kind, names in zip(kinds, lists, strict=True) if kind != "Unknown")
    return {
        "depth": _venues(granted, "Depth:"),
        "top": _venues(granted, "Top:"),
        "missing": _venues(missing, "Depth:") + _venues(missing, "Top:"),
    }


def _venues(text: str, label: str) -> tuple[str, ...]:
    _, found, rest = text.partition(label)
    if not found:
        return ()
    names = re.split(r"Depth:|Top:", rest)[0]
    return tuple(name.strip(" .-") for name in names.split(";") if name.strip(" .-"))
