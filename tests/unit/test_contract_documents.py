from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.contract import differences, main, write
from shared.schema.documents import files
from shared.schema.fragments import type_of, unit_of
from shared.schema.row import Shape
from shared.schema.table import rows
from shared.settings import repository_root
from shared.store.keys import Keys

DOCS = repository_root() / "docs"


def test_the_documents_are_up_to_date() -> None:
    assert differences(DOCS, files(Keys(""))) == []


def test_every_key_stands_in_the_document_with_its_fields() -> None:
    text = (DOCS / "keys.md").read_text(encoding="utf-8")
    for row in rows():
        assert text.count(f"`{row.key(Keys())}` |") == 1
        assert text.count(f"### `{row.key(Keys())}`\n") == 1
        assert f"(schema/{row.name}.json)" in text
    for field in ("last_received_ts", "bids_json", "put_call_volume_ratio", "median_age_s"):
        assert f"`{field}`" in text


def test_every_field_says_what_it_means() -> None:
    silent = []
    for row in rows():
        schema = json.loads((DOCS / f"schema/{row.name}.json").read_text(encoding="utf-8"))
        for name, struct in schema.get("$defs", {}).items():
            for field, found in struct["properties"].items():
                if not found.get("description"):
                    silent.append(f"{name}.{field}")
    assert silent == []


@pytest.mark.parametrize("row", [row.name for row in rows() if row.shape is not Shape.TEXT])
def test_schemas_refuse_fields_that_the_contract_does_not_have(row: str) -> None:
    schema = json.loads((DOCS / f"schema/{row}.json").read_text(encoding="utf-8"))
    open_ones = {"Figures", "VendorRow"}
    for name, struct in schema.get("$defs", {}).items():
        assert (struct.get("additionalProperties") is False) is (name not in open_ones), name


def test_a_difference_is_told_by_file(tmp_path: Path) -> None:
    wanted = {"keys.md": "a\n", "schema/last.json": "{}\n", "schema/book.json": "{}\n"}
    write(tmp_path, wanted)
    assert differences(tmp_path, wanted) == []
    (tmp_path / "keys.md").write_text("b\n")
    (tmp_path / "schema/last.json").unlink()
    (tmp_path / "schema/gone.json").write_text("{}\n")
    assert differences(tmp_path, wanted) == [
        "docs/keys.md is out of date: run python -m scripts.contract --write",
        "docs/schema/last.json is missing: run python -m scripts.contract --write",
        "docs/schema/gone.json belongs to no row",
    ]
    write(tmp_path, wanted)
    assert differences(tmp_path, wanted) == []


def test_the_command_checks_and_knows_its_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert main([]) == 2
    assert capsys.readouterr().err == "usage: python -m scripts.contract --write|--check\n"


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1e7}, "number > 0"),
        ({"type": "integer", "minimum": 0, "maximum": 1}, "integer >= 0, <= 1"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or null"),
        ({"enum": ["", "a"]}, "empty or `a`"),
        ({"type": "array", "items": {"$ref": "#/$defs/Topic"}}, "array of Topic"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        ({}, "any value"),
    ],
)
def test_types_are_put_in_words(fragment: dict[str, object], words: str) -> None:
    assert type_of(fragment) == words


def test_units_are_found_beside_a_null() -> None:
    assert unit_of({"anyOf": [{"type": "number", "unit": "$"}, {"type": "null"}]}) == "$"
    assert unit_of({"type": "string"}) == ""
