"""Numbers and times as short words for a table cell. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

NOTHING: Final = "-"
_PRICE_WIDTH: Final = 5
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
_TO_RIGHT: Final[tuple[str, ...]] = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_TO_LEFT: Final[tuple[str, ...]] = ("", "▐")


def age(seconds: float | None) -> str:
    """At most six characters: `0.4s`, `45s`, `12m03s`, `3h12m`, `2d03h`."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    if whole < 2 * _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m{whole % _MINUTE_S:02}s"
    if whole < 2 * _DAY_S:
        return f"{whole // _HOUR_S}h{whole % _HOUR_S // _MINUTE_S:02}m"
    return f"{whole // _DAY_S}d{whole % _DAY_S // _HOUR_S:02}h"


def age_of(ts_ms: int | None, now_ms: int) -> float | None:
    """Seconds; None for a time that never was. A clock that runs ahead makes nobody younger."""
    return max(0.0, (now_ms - ts_ms) / 1000) if ts_ms else None


def clock(ts_ms: int | None, milliseconds: bool = False) -> str:
    """Local time of day."""
    if not ts_ms:
        return NOTHING
    at = datetime.fromtimestamp(ts_ms / 1000)
    return f"{at:%H:%M:%S}.{ts_ms % 1000:03}" if milliseconds else f"{at:%H:%M:%S}"


def moment(ts_ms: int | None, now_ms: int) -> str:
    """Local time of day, with the date where that is not today's."""
    if not ts_ms:
        return NOTHING
    at, today = (datetime.fromtimestamp(one / 1000) for one in (ts_ms, now_ms))
    return f"{at:%H:%M:%S}" if at.date() == today.date() else f"{at:%m-%d %H:%M:%S}"


def price(value: float | None) -> str:
    """At least two decimals, more where the price has them."""
    if value is None:
        return NOTHING
    whole, _, decimals = f"{value:.6f}".rstrip("0").partition(".")
    return f"{whole}.{decimals:0<2}"


def aligned(prices: Sequence[str]) -> list[str]:
    """With their decimal points under each other, all of one width, that of a title at least."""
    behind = [len(one.partition(".")[2]) for one in prices]
    padded = [
        one + " " * (max(behind) - places) for one, places in zip(prices, behind, strict=True)
    ]
    width = max([_PRICE_WIDTH, *map(len, padded)])
    return [one.rjust(width) for one in padded]


def fixed(value: float | None, decimals: int) -> str:
    return NOTHING if value is None else f"{value:.{decimals}f}"


def count(value: float | None) -> str:
    """At most five characters: `950`, `12.4k`, `3.1M`."""
    if value is None:
        return NOTHING
    for least, unit in ((999_950_000, "G"), (999_950, "M"), (9_999.5, "k")):
        if value >= least:
            scaled = value / {"G": 1e9, "M": 1e6, "k": 1e3}[unit]
            return f"{scaled:.1f}{unit}" if scaled < 99.95 else f"{scaled:.0f}{unit}"
    return f"{value:g}" if value % 1 else f"{int(value)}"


def size(bytes_used: int) -> str:
    return f"{bytes_used / 1_048_576:.1f} MB"


def bar(share: float, width: int, *, to_left: bool = False) -> str:
    """A bar of `share` (0 to 1) of the width; anything above nothing shows.

    There are eighths of a cell for one that grows to the right, halves for one that grows to the
    left.
    """
    share = min(1.0, max(0.0, share))
    parts = _TO_LEFT if to_left else _TO_RIGHT
    steps = max(1, round(share * width * len(parts))) if share else 0
    full, part = divmod(steps, len(parts))
    if to_left:
        return (parts[part] + "█" * full).rjust(width)
    return ("█" * full + parts[part]).ljust(width)


def plain(value: Any) -> str:
    """On one line and fit for a terminal, whoever wrote it."""
    line = " ".join(str(value).split())
    return "".join(char if char.isprintable() else "?" for char in line)


def number(value: Any) -> float | None:
    """A number, also one that a hash holds as text; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if abs(found) < 1e300 else None


def milliseconds(value: Any) -> int | None:
    """A time, or None where there is none."""
    found = number(value)
    return int(found) if found else None


def plural(amount: int, thing: str) -> str:
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"
