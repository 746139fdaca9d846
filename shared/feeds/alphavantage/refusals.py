"""What an answer is. The vendor says nearly everything under HTTP 200: only the body decides.

The texts are those that were recorded; which of `Note` and `Information` carries one has changed
over the years, so both are read alike. Rate texts mention "premium" too: they are tried first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shared.errors import BadDocument

Kind = Literal[
    "data", "empty", "burst", "minute", "daily", "entitlement", "bad_request", "transport",
    "unknown",
]  # fmt: skip

# No refusal is that long; a document is not read twice just to see that it is none.
_LONGEST_REFUSAL: Final = 65_536
_TEXT_LIMIT: Final = 300
_NOTICES: Final = ("Note", "Information", "message", "detail")
_PHRASES: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    # The sample chain's text names plans by their requests per minute.
    ("entitlement", ("artificial",)),
    ("burst", ("burst pattern", "requests per second", "request per second")),
    ("minute", ("minute-level", "per minute")),
    ("daily", ("per day", "higher api call volume", "higher api call frequency")),
    ("entitlement", ("not yet entitled", "premium endpoint", "demo")),
    ("empty", ("no articles", "no data for symbol")),
    ("bad_request", ("invalid inputs",)),
)
# Of a key without a plan one text is all three: too fast, day used up, or not included.
_NAMES_A_DAY: Final = "per day"

# What an indicator without enough history gets; of a chain or a feed it says nothing at all.
_NOTHING: Final = "an empty object"

_documents: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts: Final = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`certain` is False where the text may mean a longer limit than its kind says."""

    kind: Kind
    text: str = ""
    certain: bool = True


def classify(status: int, body: bytes, wanted: str) -> Verdict:
    """`wanted` is how the document's key starts: `data`, `feed`, `Technical Analysis`."""
    if status == 429:
        return Verdict("burst", "http 429", certain=False)
    if status >= 500 or 300 <= status < 400:
        return Verdict("transport", f"http {status}")
    if status == 200 and len(body) > _LONGEST_REFUSAL:
        return Verdict("data")
    try:
        document = _documents.decode(body)
    except (ValueError, RecursionError) as error:
        # Bytes that are no UTF-8 and endless nesting are no DecodeError.
        return Verdict("transport", f"http {status}, no json object: {error}")
    if not document:
        return Verdict("empty", _NOTHING)
    if "Error Message" in document:
        return Verdict("bad_request", _text(document["Error Message"]))
    return _by_text(document, wanted)


def check_says_empty(text: str) -> None:
    """Raises BadDocument unless the vendor said that there is nothing, and not just nothing."""
    if text == _NOTHING:
        raise BadDocument(f"body: was {_NOTHING}, must be a document or say that there is none")


def _by_text(document: dict[str, msgspec.Raw], wanted: str) -> Verdict:
    said = [_text(document[name]) for name in _NOTICES if name in document]
    text = " ".join(said)
    lowered = text.lower()
    for kind, phrases in _PHRASES:
        if any(phrase in lowered for phrase in phrases):
            return Verdict(kind, text[:_TEXT_LIMIT], _is_certain(kind, lowered))
    if any(name.startswith(wanted) for name in document):
        return Verdict("data")
    return Verdict("unknown", text[:_TEXT_LIMIT] or f"neither {wanted} nor a text")


def _is_certain(kind: Kind, lowered: str) -> bool:
    names_a_day = _NAMES_A_DAY in lowered
    return not names_a_day if kind in ("burst", "minute") else names_a_day or kind != "daily"


def _text(raw: msgspec.Raw) -> str:
    try:
        return _texts.decode(raw)
    except ValueError:
        return ""
