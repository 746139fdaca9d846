"""From what Redis holds to typed payloads, or to what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from shared.schema.places import flaw_of, not_finite
from shared.schema.row import Flaw, Item, Reading, Row, Shape

_PLAIN: Final = "value"
_OVERFLOW: Final = re.compile(rb"[eE]\+?\d{3}|\d{300}")


def decoded(row: Row, reading: Reading) -> tuple[list[Item], list[Flaw]]:
    """Payloads that can be read, and flaws of the others."""
    items: list[Item] = []
    flaws: list[Flaw] = []
    for path, raw, at in _DECODERS[row.shape][0](reading.data):
        try:
            doc = _DECODERS[row.shape][1](row, raw)
        except _Refused as refused:
            flaws += (flaw._replace(field=joined(path, flaw.field)) for flaw in refused.flaws)
        else:
            items.append(Item(path, doc, at))
    return items, flaws


def joined(path: str, field: str) -> str:
    if not path or not field:
        return path or field or _PLAIN
    return f"{path}{field}" if field.startswith("[") else f"{path}.{field}"


class _Refused(Exception):
    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__(flaws)
        self.flaws = flaws


Part = tuple[str, Any, Any]


def _whole(data: bytes) -> Iterator[Part]:
    yield "", data, None


def _each_field(data: Mapping[bytes, bytes]) -> Iterator[Part]:
    for name, value in data.items():
        text = name.decode("utf-8", "replace")
        yield text, value, text


def _each_member(data: list[bytes]) -> Iterator[Part]:
    for index, member in enumerate(data):
        yield f"[{index}]", member, index


def _each_scored(data: list[tuple[bytes, float]]) -> Iterator[Part]:
    for index, (member, score) in enumerate(data):
        yield f"[{index}]", member, score


def _each_entry(data: list[tuple[bytes, Mapping[bytes, bytes]]]) -> Iterator[Part]:
    for number, fields in data:
        text = number.decode()
        yield text, fields, text


def _json(row: Row, raw: bytes) -> Any:
    return _json_as(row.payload, raw, row.lenient)


def _json_as(kind: Any, raw: bytes, lenient: bool = False) -> Any:
    try:
        doc = _decoder(kind).decode(raw)
    except msgspec.ValidationError as error:
        # What is refused for its size may be an infinity.
        found = list(not_finite(raw))
        raise _Refused(found or [_refusal(error, raw, kind)]) from None
    except (ValueError, RecursionError) as error:
        found = list(not_finite(raw))
        raise _Refused(found or [Flaw("", raw, f"be JSON: {error}")]) from None
    # A strict payload's numbers have bounds; what a lenient one passes over is JSON, but may be
    # beyond what a float holds.
    if lenient and _OVERFLOW.search(raw) and (found := list(not_finite(raw))):
        raise _Refused(found)
    return doc


def _refusal(error: msgspec.ValidationError, raw: bytes, kind: Any) -> Flaw:
    return flaw_of(error, msgspec.json.decode(raw), lambda doc: msgspec.convert(doc, kind))


def _text(row: Row, raw: bytes) -> Any:
    text = raw.decode("utf-8", "replace")
    return _converted(text, row.payload)


def _fields(row: Row, raw: Mapping[bytes, bytes]) -> Any:
    values: dict[str, Any] = {}
    flaws: list[Flaw] = []
    for name, value in raw.items():
        field = name.decode("utf-8", "replace")
        if field in row.json_fields:
            try:
                _json_as(_types(row.payload)[field], value)
                values[field] = msgspec.json.decode(value)
            except _Refused as refused:
                flaws += (flaw._replace(field=joined(field, flaw.field)) for flaw in refused.flaws)
        else:
            values[field] = value.decode("utf-8", "replace")
    if flaws:
        raise _Refused(flaws)
    return _converted(values, row.payload)


def _converted(value: Any, kind: Any) -> Any:
    """From texts to typed values; `nan` is a float to Python, so texts are looked at first."""
    pairs = value.items() if isinstance(value, dict) else [("", value)]
    bad = [Flaw(name, text, "be a finite number") for name, text in pairs if _is_no_number(text)]
    if bad:
        raise _Refused(bad)
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        flaw = flaw_of(error, value, lambda doc: msgspec.convert(doc, kind, strict=False))
        raise _Refused([flaw]) from None


def _is_no_number(text: Any) -> bool:
    return isinstance(text, str) and text.lower().strip("+-") in ("nan", "inf", "infinity")


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@cache
def _types(kind: Any) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


Split = Callable[[Any], Iterator[Part]]
_DECODERS: Final[dict[Shape, tuple[Split, Callable[[Row, Any], Any]]]] = {
    Shape.JSON: (_whole, _json),
    Shape.TEXT: (_whole, _text),
    Shape.FIELDS: (_whole, _fields),
    Shape.JSON_MAP: (_each_field, _json),
    Shape.TEXT_MAP: (_each_field, _text),
    Shape.LIST: (_each_member, _json),
    Shape.ZSET: (_each_scored, _json),
    Shape.STREAM: (_each_entry, _fields),
}
