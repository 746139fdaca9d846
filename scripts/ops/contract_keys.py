"""tickvisor keys."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from textwrap import wrap
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, wrong_usage
from scripts.ops.fit import Column, table
from scripts.ops.options import AsJson
from scripts.ops.screen import Picture
from shared.schema.fragments import schema_of
from shared.schema.matching import Matcher
from shared.schema.row import Limits, Row, Ttl
from shared.schema.table import rows
from shared.store.keys import Keys
from shared.store.verify import limits_of
from shared.views.words import NOTHING

COLUMNS: Final = (
    Column("key"),
    Column("type"),
    Column("TTL", right=True),
    Column("writer", drop=1, least=12),
    Column("content", drop=2, least=30),
)
Pattern = Annotated[
    str,
    typer.Argument(
        metavar="[PATTERN]",
        help="A key (market:SPY:ticker), a part of one (greeks), or a pattern (options:*).",
    ),
]


def keys(pattern: Pattern = "", as_json: AsJson = False) -> None:
    """Show the contract: which keys there are, who writes them and what they hold.

    With --json the JSON Schema of each key's payload. Redis is not asked.

    Exit codes: 0 shown, 2 no key is like the pattern, 78 unusable settings.
    """
    settings = settings_or_exit(PROGRAM)
    names = Keys(settings.redis.key_prefix)
    found = chosen_rows(names, pattern)
    if not found:
        raise wrong_usage(f"no key of the contract is like {pattern!r}")
    _shown(names, limits_of(settings), as_json).show(found)


def _shown(names: Keys, limits: Limits, as_json: bool) -> Picture[Sequence[Row]]:
    return Picture(
        lambda found, width: picture(found, (names, limits), width),
        lambda found: schema(found, names),
        as_json,
    )


def chosen_rows(names: Keys, pattern: str) -> list[Row]:
    """The row of a key, else those whose key or name has the pattern in it."""
    exact = Matcher(names).find(pattern)
    if exact is not None:
        return [exact[0]]
    wanted = pattern if any(char in pattern for char in "*?[") else f"*{pattern}*"
    return [row for row in rows() if _fits(row.key(names), wanted) or _fits(row.name, wanted)]


def _fits(name: str, wanted: str) -> bool:
    return fnmatchcase(name.casefold(), wanted.casefold())


def picture(found: Sequence[Row], by: tuple[Keys, Limits], width: int) -> RenderableType:
    names, limits = by
    if len(found) == 1:
        return one_row(found[0], by, width)
    cells = [
        [row.key(names), row.kind, ttl(row.ttl, limits), ", ".join(row.writers), row.about]
        for row in found
    ]
    return table(COLUMNS, cells, width)


def one_row(row: Row, by: tuple[Keys, Limits], width: int) -> RenderableType:
    """All that the contract says of a key, but for the fields of its payload."""
    names, limits = by
    said = {
        "key": row.key(names),
        "type": row.kind,
        "TTL": ttl(row.ttl, limits),
        "writer": ", ".join(row.writers),
        "there": row.when,
        "content": row.about,
    }
    under = " " * (max(map(len, said)) + 2)
    lines = (f"{title:<{len(under)}}{text}" for title, text in said.items())
    return Text("\n".join("\n".join(wrap(one, width, subsequent_indent=under)) for one in lines))


def ttl(rule: Ttl, limits: Limits) -> str:
    """The most a key may have left with the settings as they are."""
    if rule.free:
        return "any"
    return NOTHING if rule.most_s is None else f"{rule.most_s(limits):.0f} s"


def schema(found: Sequence[Row], names: Keys) -> dict[str, Any]:
    return {
        row.key(names): {
            "name": row.name,
            "type": row.kind,
            "ttl": row.ttl.text,
            "writers": row.writers,
            "about": row.about,
            "there": row.when,
            "schema": schema_of(row),
        }
        for row in found
    }
