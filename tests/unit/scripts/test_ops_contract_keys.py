from __future__ import annotations

import pytest

from scripts.ops.contract_keys import chosen_rows, picture, schema
from shared.schema.row import Limits
from shared.schema.table import rows
from shared.store.keys import Keys
from tests.unit.scripts.drawing import compare, drawn


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("market:SPY:ticker", ["ticker"]),
        ("market:SPY:ARCA:book", ["venue_book"]),
        ("options:SPY:SPY261218C00600000:greeks", ["greeks"]),
        ("greeks", ["greeks"]),
        ("*:book", ["venue_book", "book"]),
        ("BARS", ["bars_5s", "bars_1min"]),
        ("nothing like it", []),
    ],
)
def test_a_pattern_is_a_key_a_part_of_one_or_a_match(pattern: str, names: list[str]) -> None:
    assert [row.name for row in chosen_rows(Keys(""), pattern)] == names


def test_without_a_pattern_the_whole_contract_is_shown() -> None:
    assert chosen_rows(Keys(""), "") == list(rows())


def test_the_contract_fits_narrow_and_wide_terminals() -> None:
    found = chosen_rows(Keys(""), "market:*")
    compare("keys", lambda some, width: picture(some, (Keys(""), Limits()), width), found)


def test_keys_have_the_prefix_of_the_settings() -> None:
    found = chosen_rows(Keys("eu:"), "eu:market:SPY:last")
    assert drawn(picture(found, (Keys("eu:"), Limits()), 80), 80)[0] == (
        "key      eu:market:{symbol}:last"
    )


def test_of_one_key_the_whole_text_is_shown() -> None:
    [row] = chosen_rows(Keys(""), "market:SPY:ticker")
    lines = drawn(picture([row], (Keys(""), Limits()), 80), 80)
    titles = [line[:9].strip() for line in lines]
    assert titles[:6] == ["key", "type", "TTL", "writer", "there", "content"]
    assert set(titles[6:]) == {""}
    assert " ".join(line[9:] for line in lines[5:]) == " ".join(row.about.split())


def test_the_document_holds_the_schema_of_each_payload() -> None:
    [(key, found)] = schema(chosen_rows(Keys(""), "market:SPY:last"), Keys("")).items()
    assert (key, found["name"], found["type"]) == ("market:{symbol}:last", "last", "string")
    assert "$schema" in found["schema"]
