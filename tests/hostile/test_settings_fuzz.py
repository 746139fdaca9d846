"""Anything at all as settings: it is taken, or named in one readable line."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.settings import VARIABLES
from shared.settings_environment import read_dotenv
from shared.yaml_document import load_mapping
from tests.hostile.fuzzing import SECRET, fuzz, unreadable
from tests.hostile.test_settings_files import INGESTION, SYMBOLS, UNIVERSE, refusal

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=20),
    st.sampled_from([SECRET, "", "~", "0x1F", "1:30", "*", "{}", "\udcff", "\x1b[31m", ".nan"]),
)  # fmt: skip
values: Any = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3),
    max_leaves=8,
)


def fields_of(struct: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place of the settings, sections too."""
    found = []
    for one in msgspec.structs.fields(struct):
        found.append((*path, one.name))
        if isinstance(one.type, type) and issubclass(one.type, msgspec.Struct):
            found += fields_of(one.type, (*path, one.name))
    return found


def places() -> list[tuple[str, ...]]:
    from shared.settings import _Document

    return fields_of(_Document)


@fuzz(300)
@given(st.sampled_from(places()), values)
def test_any_value_at_any_place_is_taken_or_named(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, ...], value: Any
) -> None:
    root = _bare_root(tmp_path_factory)
    document: Any = value
    for name in reversed(place):
        document = {name: document}
    (root / INGESTION).write_text(
        yaml.dump(document, Dumper=_Plain, allow_unicode=False), encoding="utf-8"
    )
    said = refusal(root)
    of_secrets = place[-1] in ("api_key", "urls", "url", "base_url", "alpha_vantage", "alerts")
    assert not (of_secrets and any(f"'{SECRET}'" in line for line in said))


@fuzz(300)
@given(st.binary(max_size=200) | st.text(string.printable, max_size=200).map(str.encode))
def test_any_bytes_as_a_file_are_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = _bare_root(tmp_path_factory) / INGESTION
    path.write_bytes(content)
    for typed in (True, False):
        problems: list[str] = []
        assert isinstance(load_mapping(path, problems, typed=typed), dict)
        assert unreadable(problems) == []


@fuzz(200)
@given(st.lists(st.sampled_from(["a", "-", ":", "? ", "[", "{", "]", "}", ",", "\n", "  ", "&a ",
                                 "*a", "!!int ", "!x!", "'", '"', "|", ">", "%", "@", "#", "---",
                                 "<<", "=", "9", "0x", ".", "_"]), max_size=30))  # fmt: skip
def test_any_crossing_of_yaml_marks_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, marks: list[str]
) -> None:
    path = _bare_root(tmp_path_factory) / INGESTION
    path.write_text("".join(marks))
    problems: list[str] = []
    assert isinstance(load_mapping(path, problems, typed=True), dict)
    assert unreadable(problems) == []


@fuzz(150)
@given(st.sampled_from(sorted(VARIABLES)), st.text(max_size=30))
def test_any_value_of_any_variable_is_taken_or_named(
    tmp_path_factory: pytest.TempPathFactory, variable: str, value: str
) -> None:
    said = refusal(_bare_root(tmp_path_factory), **{variable: value})
    assert len(said) <= 3


@fuzz(150)
@given(st.binary(max_size=200))
def test_any_environment_file_is_taken_or_named(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = _bare_root(tmp_path_factory) / ".env"
    path.write_bytes(content)
    problems: list[str] = []
    assert isinstance(read_dotenv(path, problems), dict)
    assert unreadable(problems) == []


class _Plain(yaml.SafeDumper):
    """Writes no anchors: what stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _bare_root(factory: pytest.TempPathFactory) -> Path:
    root = factory.getbasetemp() / "hostile"
    (root / "config").mkdir(parents=True, exist_ok=True)
    (root / INGESTION).write_bytes(b"")
    (root / SYMBOLS).write_bytes(UNIVERSE)
    (root / ".env").unlink(missing_ok=True)
    return root
