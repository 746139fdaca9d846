from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from shared.settings_fields import unknown_key
from shared.settings_words import LONGEST_PATH, named, shown
from shared.yaml_document import load_mapping

SecurityType = Literal["STK", "IND"]

# IBKR lists these as indexes (IND); where depth exists for them at all it is at CBOE.
_INDEXES: Final = frozenset({"SPX", "XSP", "NDX", "RUT", "VIX", "DJX", "OEX"})
_KEYS: Final = ("venues", "primary", "sec_type", "currency", "ibkr", "alpha_vantage")
_MAX_NAME: Final = 20
# A gateway has a hundred lines; a list of everything there is would only be slow.
_MAX_SYMBOLS: Final = 1_000
# A name becomes a part of Redis keys and of match patterns: it may hold neither the separator,
# nor hash-tag braces, nor a pattern character, nor a quote or backslash.
_NAME: Final = re.compile(r"[!-~]+")
_FORBIDDEN: Final = frozenset(":{}*?[]\\\"'")
_VENDOR_NAME: Final = re.compile(r"[ -~]{1,40}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class Instrument(msgspec.Struct, frozen=True):
    symbol: str
    sec_type: SecurityType
    venues: tuple[str, ...]  # as written; empty means: resolve by primary exchange
    primary: str
    currency: str
    ibkr_name: str
    alpha_vantage_name: str


class Universe(msgspec.Struct, frozen=True):
    instruments: tuple[Instrument, ...]
    pinned: tuple[str, ...]

    def symbols(self) -> tuple[str, ...]:
        return tuple(instrument.symbol for instrument in self.instruments)

    def by_symbol(self, symbol: str) -> Instrument:
        for instrument in self.instruments:
            if instrument.symbol == symbol:
                return instrument
        raise KeyError(symbol)


def load_universe(path: Path, problems: list[str]) -> Universe:
    """What of the file is usable; every fault adds one line to problems."""
    found: list[str] = []
    document = load_mapping(path, found, typed=False)
    where = named(path, LONGEST_PATH)
    universe = parse_universe(document, found) if not found else Universe((), ())
    problems.extend(
        line if line.startswith(where) else f"{named(path.name)}: {line}" for line in found
    )
    return universe


def parse_universe(document: Mapping[str, Any], problems: list[str]) -> Universe:
    for key in document:
        if key not in ("symbols", "pinned"):
            problems.append(unknown_key(named(key), key, ("symbols", "pinned")))
    entries = document.get("symbols")
    if not isinstance(entries, Mapping) or not entries:
        problems.append(f"symbols: was {shown(entries)}, must map at least one symbol")
        entries = {}
    if len(entries) > _MAX_SYMBOLS:
        problems.append(f"symbols: were {len(entries)}, must be at most {_MAX_SYMBOLS}")
        entries = {}
    parsed = [_instrument(symbol, entry, problems) for symbol, entry in entries.items()]
    instruments = tuple(instrument for instrument in parsed if instrument is not None)
    pinned = _names(document.get("pinned"), "pinned", problems)
    for symbol in pinned:
        if not isinstance(symbol, str) or symbol not in entries:
            problems.append(f"pinned: was {shown(symbol)}, must be one of the symbols above")
    return Universe(instruments=instruments, pinned=pinned)


def name_fault(name: object) -> str | None:
    """Why `name` cannot be a symbol or venue of ours, or None."""
    if not isinstance(name, str) or not name:
        return "must be text of 1 to 20 characters"
    if len(name) > _MAX_NAME:
        return f"must be at most {_MAX_NAME} characters, has {len(name)}"
    if not _NAME.fullmatch(name):
        return "must be printable ASCII without spaces"
    bad = sorted(_FORBIDDEN & set(name))
    if bad:
        return f"must not contain {' '.join(bad)}"
    return None


def _instrument(symbol: object, entry: object, problems: list[str]) -> Instrument | None:
    path = f"symbols.{symbol}" if isinstance(symbol, str) else "symbols"
    fault = name_fault(symbol)
    if fault is not None or not isinstance(symbol, str):
        problems.append(f"symbols: name was {shown(symbol)}, {fault}")
        return None
    if entry is not None and not isinstance(entry, Mapping):
        problems.append(f"{path}: was {shown(entry)}, must be a mapping or empty")
        return None
    fields = dict(entry or {})
    for key in fields:
        if key not in _KEYS:
            problems.append(unknown_key(f"{path}.{named(key)}", key, _KEYS))
    sec_type = _security_type(symbol, fields.get("sec_type"), path, problems)
    venues = _venues(fields.get("venues"), f"{path}.venues", problems)
    if sec_type == "IND" and not venues:
        venues = ("CBOE",)
    return Instrument(
        symbol=symbol,
        sec_type=sec_type,
        venues=venues,
        primary=_venue(fields.get("primary"), f"{path}.primary", problems),
        currency=_text(fields.get("currency", "USD"), _CURRENCY, f"{path}.currency", problems),
        ibkr_name=_text(fields.get("ibkr", symbol), _VENDOR_NAME, f"{path}.ibkr", problems),
        alpha_vantage_name=_text(
            # The vendor's own lists write BRK-B.
            fields.get("alpha_vantage", symbol.replace(".", "-")),
            _VENDOR_NAME,
            f"{path}.alpha_vantage",
            problems,
        ),
    )


def _security_type(symbol: str, value: object, path: str, problems: list[str]) -> SecurityType:
    if value is None:
        return "IND" if symbol in _INDEXES else "STK"
    if value == "IND":
        return "IND"
    if value != "STK":
        problems.append(f"{path}.sec_type: was {shown(value)}, must be one of STK, IND")
    return "STK"


def _venues(value: object, path: str, problems: list[str]) -> tuple[str, ...]:
    venues = tuple(_venue(name, path, problems) for name in _names(value, path, problems))
    # ISLAND and NASDAQ spell one venue (facts of the TWS API): two entries would share its keys.
    canonical = ["NASDAQ" if venue == "ISLAND" else venue for venue in venues]
    if len(set(canonical)) < len(canonical):
        problems.append(f"{path}: was {shown(list(venues))}, must name each venue once")
    return venues


def _venue(value: object, path: str, problems: list[str]) -> str:
    if value is None:
        return ""
    fault = name_fault(value)
    if value == "SMART":
        fault = "must be a concrete venue, depth is never routed SMART"
    if fault is not None or not isinstance(value, str):
        problems.append(f"{path}: was {shown(value)}, {fault}")
        return ""
    return value


def _names(value: object, path: str, problems: list[str]) -> tuple[Any, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.append(f"{path}: was {shown(value)}, must be a list like [ARCA]")
        return ()
    if len({str(name) for name in value}) < len(value):
        problems.append(f"{path}: was {shown(value)}, must name each once")
    return tuple(value)


def _text(value: object, shape: re.Pattern[str], path: str, problems: list[str]) -> str:
    if isinstance(value, str) and shape.fullmatch(value) and value.strip() == value:
        return value
    problems.append(f"{path}: was {shown(value)}, must be text like {shape.pattern}")
    return ""
