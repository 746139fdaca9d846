"""Venue names: one canonical spelling inside, the vendor's spelling only on the wire."""

from __future__ import annotations

from typing import Final

# A gateway lists NASDAQ as ISLAND or as NASDAQ, by version and by its "Compatibility Mode:
# Send ISLAND" box; both were seen in 2025 and mean the same book.
_CANONICAL: Final = {"ISLAND": "NASDAQ"}
_ALIASES: Final = {"NASDAQ": ("ISLAND", "NASDAQ")}


def canonical(venue: str) -> str:
    """The name used in keys and rows: ``ISLAND`` becomes ``NASDAQ``, others stay."""
    upper = venue.strip().upper()
    return _CANONICAL.get(upper, upper)


def spellings(venue: str) -> tuple[str, ...]:
    """Every wire spelling of a venue, the one as given first."""
    given = venue.strip().upper()
    others = tuple(name for name in _ALIASES.get(canonical(given), ()) if name != given)
    return (given, *others)


def wire_spelling(venue: str, valid_exchanges: str) -> str:
    """The spelling of `venue` that a contract's comma-separated `validExchanges` lists.

    Falls back to the spelling as given where the list names none of them, since the list of
    some contracts is empty and an explicit override must still be tried.
    """
    listed = {name.strip().upper() for name in valid_exchanges.split(",")}
    return next((name for name in spellings(venue) if name in listed), spellings(venue)[0])
