"""JSON Schema of payloads, and the words for a piece of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.schema.row import Row

Fragment = Mapping[str, Any]

_REF: Final = "#/$defs/"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_BOUNDS: Final = (
    ("exclusiveMinimum", "> "),
    ("minimum", ">= "),
    ("maximum", "<= "),
)
# Bounds that only keep out what cannot be.
_ABSURD: Final = 1e6


def schema_of(row: Row) -> dict[str, Any]:
    """One document: what a value, hash, entry or member of the row is, with fields as typed."""
    schema = msgspec.json.schema(row.payload)
    return {"$schema": _DIALECT, "title": row.name, "description": row.about, **schema}


def structs_of(schema: Fragment) -> Iterator[tuple[str, Fragment]]:
    """Name and fragment of every struct of a schema, the outermost first."""
    definitions: Fragment = schema.get("$defs", {})
    seen: list[str] = []
    for name in _references(schema if "$ref" not in schema else {"$ref": schema["$ref"]}):
        _follow(name, definitions, seen)
    yield from ((name, definitions[name]) for name in seen)


def _follow(name: str, definitions: Fragment, seen: list[str]) -> None:
    if name not in seen:
        seen.append(name)
        for inner in _references(definitions[name]):
            _follow(inner, definitions, seen)


def _references(fragment: Any) -> Iterator[str]:
    if isinstance(fragment, Mapping):
        for key, value in fragment.items():
            if key == "$ref":
                yield value.removeprefix(_REF)
            elif key != "$defs":
                yield from _references(value)
    elif isinstance(fragment, list):
        for value in fragment:
            yield from _references(value)


def type_of(fragment: Fragment) -> str:
    """In words: `number > 0 or null`."""
    if "$ref" in fragment:
        return str(fragment["$ref"]).removeprefix(_REF)
    if "anyOf" in fragment:
        return " or ".join(type_of(one) for one in fragment["anyOf"])
    if "enum" in fragment:
        return " or ".join("empty" if one == "" else f"`{one}`" for one in fragment["enum"])
    return _plain(fragment)


def _plain(fragment: Fragment) -> str:
    kind = fragment.get("type", "any value")
    if kind == "array":
        return _array(fragment)
    if kind == "object":
        values = fragment.get("additionalProperties")
        return f"object of {type_of(values)}" if isinstance(values, Mapping) else "object"
    if kind == "string":
        return "text"
    bounds = [
        f"{sign}{fragment[name]:g}"
        for name, sign in _BOUNDS
        if name in fragment and abs(fragment[name]) < _ABSURD
    ]
    return f"{kind} {', '.join(bounds)}".strip()


def _array(fragment: Fragment) -> str:
    if "prefixItems" in fragment:
        return f"[{', '.join(type_of(one) for one in fragment['prefixItems'])}]"
    count = f"{fragment['minItems']} " if fragment.get("minItems") else ""
    return f"array of {count}{type_of(fragment['items'])}"


def unit_of(fragment: Fragment) -> str:
    """Of a number, also of one that may be null; empty for none."""
    found = fragment.get("unit", "")
    for one in fragment.get("anyOf", ()):
        found = found or one.get("unit", "")
    return str(found)
