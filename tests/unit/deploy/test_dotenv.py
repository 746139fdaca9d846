from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.dotenv import add_redis_password, ensure_dotenv
from deploy.layout import Layout
from shared.settings_environment import read_dotenv


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / ".env.example").write_text("TICKVISOR_SOURCE=sim\n")
    (tmp_path / ".env.example").chmod(0o644)
    return Layout(tmp_path)


def values(layout: Layout) -> dict[str, str]:
    problems: list[str] = []
    found = read_dotenv(layout.root / ".env", problems)
    assert problems == []
    return {name: value.text for name, value in found.items()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_first_start_copies_the_example_for_the_owner_alone(layout: Layout) -> None:
    ensure_dotenv(layout)
    assert values(layout) == {"TICKVISOR_SOURCE": "sim"}
    assert mode(layout.root / ".env") == 0o600


def test_a_file_that_others_may_read_is_closed_and_that_is_said(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    (layout.root / ".env").write_text("IBKR_PORT=4002\n")
    (layout.root / ".env").chmod(0o644)
    ensure_dotenv(layout)
    assert mode(layout.root / ".env") == 0o600
    assert capsys.readouterr().out == ".env was readable by others (mode 644), is 600 now\n"
    ensure_dotenv(layout)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("before", ["", "A=1\n", "A=1", "A=1\nREDIS_PASSWORD=\n"])
def test_a_password_is_added_behind_what_is_there_and_not_shown(
    layout: Layout, capsys: pytest.CaptureFixture[str], before: str
) -> None:
    (layout.root / ".env").write_text(before)
    add_redis_password(layout)
    text, found = (layout.root / ".env").read_text(), values(layout)
    assert text.startswith(before)
    assert re.fullmatch(r"[\w-]{43}", found["REDIS_PASSWORD"])
    assert found.get("A") == ("1" if before else None)
    assert mode(layout.root / ".env") == 0o600
    assert capsys.readouterr().out == "made up REDIS_PASSWORD and wrote it to .env\n"


def test_a_password_is_added_where_no_file_is(layout: Layout) -> None:
    add_redis_password(layout)
    assert list(values(layout)) == ["REDIS_PASSWORD"]


def test_two_passwords_are_not_alike(layout: Layout) -> None:
    add_redis_password(layout)
    first = values(layout)
    add_redis_password(layout)
    assert values(layout) != first


def test_a_link_stays_a_link(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("A=1\n")
    (layout.root / ".env").symlink_to(tmp_path / "elsewhere")
    add_redis_password(layout)
    assert (layout.root / ".env").is_symlink()
    assert list(values(layout)) == ["A", "REDIS_PASSWORD"]
