"""The documents of the contract, made from its rows: one for people, one schema per payload."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from shared.schema.fragments import Fragment, schema_of, structs_of, type_of, unit_of
from shared.schema.key_names import KeyNames
from shared.schema.monitoring_payloads import KNOWN_FIGURES
from shared.schema.row import Row, Shape
from shared.schema.table import rows

_INTRODUCTION: Final = """\
# The keys

Other programs read these keys of Redis and nothing else. This file and the JSON Schema files in
[schema/](schema/) are generated from `shared/schema`, which is also what keys are checked against:
change them there, then run `python -m scripts.contract --write`.

In a key, `{symbol}` stands for a symbol (`SPY`), `{venue}` for a venue (`ARCA`), `{contract}` for
an option contract (`SPY261218C00600000`), `{worker}` for a worker (`ibkr_depth`). The setting
`redis.key_prefix` (empty by default) stands before every key. A TTL is the most a key may have
left; `-` means that it does not expire.

## Conventions

- Times are Unix milliseconds, but for the start `t` of bars and candles and their scores, which are
  Unix seconds, and fields that end in `_us`. `ts` is the source's time where it gives one, else our
  receive time; `received_ts` is our receive time. No time is more than 2 s ahead of now.
- JSON has no NaN and no infinity, and neither have hashes: an absent number is `null` in JSON, and
  its field is missing from a hash.
- Prices are dollars, above 0; sizes and volumes of shares are shares, those of options contracts.
- A book side is always 10 rows `[price, size, market maker or venue]`, best first; a missing level
  is `[null, 0, null]` and stands last.
- Venue names are upper case and canonical: `NASDAQ`, never `ISLAND`.
- `source` is `live`, `sim` or `replay`, the same wherever it stands.
- Fields of hashes and stream entries are texts in Redis; the types below are what they hold.
"""
_LIES: Final = {
    Shape.JSON: "a JSON value",
    Shape.TEXT: "plain text",
    Shape.FIELDS: "a hash with these fields",
    Shape.JSON_MAP: "a hash whose fields each hold this JSON",
    Shape.TEXT_MAP: "a hash whose fields each hold this",
    Shape.LIST: "a list whose members are this JSON",
    Shape.ZSET: "a sorted set whose members are this JSON",
    Shape.STREAM: "a stream whose entries have these fields",
    Shape.CHANNEL: "a channel whose messages are this JSON",
}


def files(keys: KeyNames) -> dict[str, str]:
    """Path below `docs/` → text, of every generated file."""
    made = {"keys.md": markdown(keys)}
    for row in rows():
        text = json.dumps(schema_of(row), indent=2, ensure_ascii=False)
        made[f"schema/{row.name}.json"] = f"{text}\n"
    return made


def markdown(keys: KeyNames) -> str:
    parts = [_INTRODUCTION]
    for section, found in groupby(rows(), attrgetter("section")):
        of_section = list(found)
        parts.append(f"## {section}\n\n{_overview(of_section, keys)}")
        parts += (_payload(row, keys) for row in of_section)
    return "\n".join(parts)


def _overview(of_section: Iterable[Row], keys: KeyNames) -> str:
    lines = (
        (
            f"`{row.key(keys)}`", row.kind, row.ttl.text, ", ".join(row.writers), row.about,
            row.when,
        )
        for row in of_section
    )  # fmt: skip
    return _table(("key", "type", "TTL", "writer", "content", "there"), lines)


def _payload(row: Row, keys: KeyNames) -> str:
    schema = schema_of(row)
    link = f"[schema/{row.name}.json](schema/{row.name}.json)"
    parts = [
        f"### `{row.key(keys)}`\n\n{_LIES[row.shape][0].upper()}{_LIES[row.shape][1:]}; {link}.\n"
    ]
    structs = list(structs_of(schema))
    if not structs:
        parts.append(_table(("type", "unit", "meaning"), [_meaning(schema)]))
    for name, struct in structs:
        # A second struct is what the first refers to by its name.
        title = f"{name}:\n\n" if len(structs) > 1 else ""
        parts.append(f"{title}{_fields(struct)}")
    if row.lenient and row.shape is Shape.JSON_MAP:
        parts.append(_figures(row))
    return "\n".join(parts)


def _fields(struct: Fragment) -> str:
    needed = set(struct.get("required", ()))
    lines = (
        (f"`{name}`" + ("" if name in needed else " (may be missing)"), *_meaning(field))
        for name, field in struct["properties"].items()
    )
    return _table(("field", "type", "unit", "meaning"), lines)


def _meaning(field: Fragment) -> tuple[str, str, str]:
    return type_of(field), unit_of(field), str(field.get("description", ""))


def _figures(row: Row) -> str:
    """What the workers of this row tell beyond `ts`, as of now."""
    several = {
        "both of these": {"ibkr_depth", "ibkr_trades"},
        "both vendor workers": {"av_options", "av_sentiment"},
        "every worker": set(row.writers),
        "token_bucket": {"av_options"},
    }
    lines = (
        (name if name in several and name != "token_bucket" else f"`{name}`", figures)
        for name, figures in KNOWN_FIGURES.items()
        if several.get(name, {name}) & set(row.writers)
    )
    return "Further fields today, which may change:\n\n" + _table(("of", "fields"), lines)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(_lines(head, lines)) + "\n"


def _lines(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
