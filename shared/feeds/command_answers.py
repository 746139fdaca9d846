"""Why a feed does not obey a command, in words that several feeds share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

# Takes the symbol; answers why it is not done, or an empty string.
Handlers = Mapping[str, Callable[[str], Awaitable[str]]]

_SHOWN: Final = 20


def unknown_symbol(symbol: str, known: Iterable[str]) -> str:
    """Names what would have been right; a sender's text is shown on one line and cut."""
    shown = "".join(char if char.isprintable() else "?" for char in symbol[:_SHOWN])
    return f"symbol was {shown or 'missing'}, must be one of {', '.join(known)}"
