from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["duration_s", "eastern_text", "moment_s", "regular_hours"]

_EASTERN: Final = ZoneInfo("America/New_York")
_OPEN: Final = time(9, 30)
_CLOSE: Final = time(16)
_FORMAT: Final = "%Y%m%d %H:%M:%S"
_MOMENT: Final = re.compile(r"(\d{8})[ -]{1,2}(\d\d:\d\d(?::\d\d)?)(?: (\S+))?")
_UTC_MOMENT: Final = re.compile(r"\d{8}-\d")
_DURATION: Final = re.compile(r"(\d{1,6}) ([SDW])")
_UNIT_S: Final = {"S": 1, "D": 86_400, "W": 604_800}
# What TWS calls New York, and time zone databases no longer always have.
_ZONES: Final = {"US/Eastern": "America/New_York", "EST": "America/New_York"}


def regular_hours(epoch_s: int) -> bool:
    """09:30 to 16:00 in New York, Monday to Friday; holidays are not known here."""
    moment = datetime.fromtimestamp(epoch_s, _EASTERN)
    return moment.weekday() < 5 and _OPEN <= moment.time() < _CLOSE


def eastern_text(epoch_s: float) -> str:
    """As recorded from a gateway: 20260402 09:30:00 US/Eastern."""
    return f"{datetime.fromtimestamp(epoch_s, _EASTERN):%Y%m%d %H:%M:%S} US/Eastern"


def moment_s(text: str) -> float | None:
    """Unix seconds of an end or start time: `20260402 15:00:00 UTC`, `... US/Eastern`, without a
    zone in New York's, or `20260402-15:00:00`, which is UTC. None if it is none of these."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    day, clock, zone = found.groups()
    try:
        moment = datetime.strptime(f"{day} {clock if len(clock) > 5 else clock + ':00'}", _FORMAT)
        if _UTC_MOMENT.match(text) and zone is None:
            return moment.replace(tzinfo=UTC).timestamp()
        name = zone or "America/New_York"
        return moment.replace(tzinfo=ZoneInfo(_ZONES.get(name, name))).timestamp()
    except (ValueError, ZoneInfoNotFoundError):
        return None


def duration_s(text: str) -> int | None:
    """Seconds of `600 S`, `1 D` (24 hours) or `1 W`; None if it is none of these."""
    found = _DURATION.fullmatch(text)
    return int(found[1]) * _UNIT_S[found[2]] or None if found else None
