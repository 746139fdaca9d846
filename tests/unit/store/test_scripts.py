from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import shared.store
from shared.store.scripts import script

FOLDER = Path(shared.store.__file__).parent / "lua"
FILES = sorted(FOLDER.glob("*.lua"))
NAMES = [path.stem for path in FILES]


def header(name: str) -> str:
    lines = (FOLDER / f"{name}.lua").read_text("utf-8").splitlines()
    end = next(index for index, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[:end])


def test_the_scripts_are_there() -> None:
    assert {"append_once", "heartbeat", "lease_acquire", "ticker_quote"} <= set(NAMES)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_script_has_at_most_fifty_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 50


@pytest.mark.parametrize("name", NAMES)
def test_a_header_tells_keys_with_their_types_arguments_and_the_return_value(name: str) -> None:
    text = header(name)
    assert "KEYS[1]" in text
    assert "ARGV" in text
    assert "eturns " in text
    assert "(string)" in text or "(hash)" in text or "stream" in text or "hash" in text


@pytest.mark.parametrize("name", NAMES)
def test_no_script_spells_a_key(name: str) -> None:
    code = script(name).text.removeprefix(header(name))
    assert [
        word for word in ("market:", "coord:", "monitoring:", "heartbeat:") if word in code
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_named_by_the_sha1_of_its_text(name: str) -> None:
    found = script(name)
    raw = (FOLDER / f"{name}.lua").read_bytes()
    assert (found.name, found.text.encode()) == (name, raw)
    assert found.sha == hashlib.sha1(raw, usedforsecurity=False).hexdigest()
