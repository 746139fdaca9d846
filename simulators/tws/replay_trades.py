from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from simulators.errors import OptionError

from .bars import BAR_S, Bar, merged
from .prints import UNREPORTED, RawPrint

__all__ = [
    "WHOLE_DAY_S",
    "TradeReplay",
    "load_trade_replay",
    "midnight_ms",
    "read_bars",
    "read_prints",
    "read_window",
]

_EASTERN: Final = ZoneInfo("America/New_York")
_DATE: Final = re.compile(r"(?<!\d)(\d{8})(?!\d)")
_WINDOW: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_FIELDS: Final = 6
WHOLE_DAY_S: Final = (0, 86_400)


class TradeReplay:
    """Recorded prints, or bars, and how far they have been sent; time is passed in."""

    def __init__(self, prints: list[RawPrint], bars: list[Bar]) -> None:
        self._prints = prints
        self._bars = bars
        # When each item is due: a print at its time, a bar at its end.
        self._due_ms = [p.ms for p in prints] or [(b.start_s + BAR_S) * 1000 for b in bars]
        first_ms = prints[0].ms if prints else bars[0].start_s * 1000
        self._clock_ms: float = first_ms
        self._next = 0
        # False until the command that starts it, when it was told to wait for one.
        self.started = True

    @property
    def kind(self) -> str:
        return "prints" if self._prints else "bars"

    @property
    def finished(self) -> bool:
        return self._next >= len(self._due_ms)

    @property
    def sent(self) -> int:
        return self._next

    @property
    def total(self) -> int:
        return len(self._due_ms)

    @property
    def clock_ms(self) -> int:
        """The recording's time as far as it has been played."""
        return int(self._clock_ms)

    def advance(
        self, elapsed_s: float, speed: float, limit: int
    ) -> tuple[list[RawPrint], list[Bar]]:
        """What is due after elapsed_s more seconds; speed 0 = whatever fits in limit."""
        clock_ms = self._clock_ms + elapsed_s * 1000 * speed
        begin = end = self._next
        while end < len(self._due_ms) and end - begin < limit:
            if speed > 0 and self._due_ms[end] > clock_ms:
                break
            end += 1
        if end - begin == limit or speed == 0:
            # Held back by the limit: the clock waits with what is left.
            clock_ms = self._due_ms[end - 1] if end > begin else self._clock_ms
        self._clock_ms, self._next = clock_ms, end
        return self._prints[begin:end], self._bars[begin:end]


def load_trade_replay(path: Path, window_s: tuple[int, int] = WHOLE_DAY_S) -> TradeReplay:
    """window_s: first and one past the last second after midnight to be played."""
    try:
        with zipfile.ZipFile(path) as archive:
            inner = archive.namelist()[0]
            with archive.open(inner) as packed:
                lines = io.TextIOWrapper(packed).read().splitlines()
    except (OSError, zipfile.BadZipFile, IndexError, UnicodeDecodeError) as error:
        raise OptionError(f"--replay-trades cannot be read, was {str(path)!r}: {error}") from error
    day_ms = midnight_ms(path.name, inner)
    if window_s != WHOLE_DAY_S:
        lines = [line for line in lines if window_s[0] * 1000 <= _ms(line) < window_s[1] * 1000]
    if lines and lines[0].split(",")[3:4] and lines[0].split(",")[3].isalpha():
        return TradeReplay(read_prints(lines, day_ms, path.name), [])
    return TradeReplay([], read_bars(lines, day_ms, path.name))


def midnight_ms(*names: str) -> int:
    """Unix ms of midnight in New York on the date in a file's name."""
    for name in names:
        found = _DATE.search(name)
        if found:
            text = found[1]
            try:
                day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            except ValueError:
                continue
            midnight = datetime(day.year, day.month, day.day, tzinfo=_EASTERN)
            return int(midnight.timestamp()) * 1000
    raise OptionError(f"--replay-trades needs a date YYYYMMDD in the file name, was {names[0]!r}")


def read_prints(lines: Iterable[str], day_ms: int, name: str) -> list[RawPrint]:
    """ms after midnight, price x 10000, size, venue letter, sale condition, suspicious."""
    prints: list[RawPrint] = []
    known: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        fields = _split(line, f"{name}:{number}")
        ms, price_e4, size = _integers(fields[:3], f"{name}:{number}")
        letter, conditions = (known.setdefault(text, text) for text in fields[3:5])
        mask = UNREPORTED if fields[5] == "1" else 0
        prints.append(RawPrint(day_ms + ms, price_e4, size, letter, conditions, mask))
    _check_order([p.ms for p in prints], name)
    return prints


def read_bars(lines: Iterable[str], day_ms: int, name: str) -> list[Bar]:
    """Second bars (ms after midnight, open, high, low, close x 10000, volume) as 5-second ones.

    What a second bar does not say: its count is taken as 1, its average as that of its prices.
    """
    seconds: list[Bar] = []
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        ms, open_, high, low, close, volume = _integers(_split(line, where), where)
        value_e4 = volume * (open_ + high + low + close) / 4
        start_s = (day_ms + ms) // 1000
        seconds.append(Bar(start_s, open_, high, low, close, volume, value_e4, 1))
    _check_order([bar.start_s for bar in seconds], name)
    if len(seconds) > 1 and all(bar.start_s % 60 == 0 for bar in seconds):
        raise OptionError(f"--replay-trades needs second bars or ticks, {name} has minute bars")
    return merged(seconds, BAR_S)


def read_window(text: str) -> tuple[int, int]:
    """Seconds after midnight of `09:30-09:45`."""
    found = _WINDOW.fullmatch(text)
    hours = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
    begin_s, end_s = hours[0] * 3600 + hours[1] * 60, hours[2] * 3600 + hours[3] * 60
    if not begin_s < end_s <= WHOLE_DAY_S[1]:
        raise OptionError(f"--replay-window must read HH:MM-HH:MM, the later last, was {text!r}")
    return begin_s, end_s


def _ms(line: str) -> int:
    text = line.partition(",")[0]
    return int(text) if text.isdecimal() else 0


def _split(line: str, where: str) -> list[str]:
    fields = line.strip().split(",")
    if len(fields) != _FIELDS:
        raise OptionError(f"replay {where} must have {_FIELDS} fields, was {line[:60]!r}")
    return fields


def _integers(fields: list[str], where: str) -> list[int]:
    try:
        return [int(text) for text in fields]
    except ValueError:
        raise OptionError(f"replay {where} must be whole numbers, was {fields!r}") from None


def _check_order(times: list[int], name: str) -> None:
    if not times:
        raise OptionError(f"replay {name} has no rows, was empty")
    for number, (before, after) in enumerate(zip(times, times[1:], strict=False), 2):
        if after < before:
            raise OptionError(f"replay {name}:{number} goes back in time, was {after} < {before}")
