from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings_environment import VARIABLES, read_dotenv

SEED_VARIABLES = {
    "IBKR_HOST", "IBKR_PORT", "IBKR_CLIENT_ID", "IBKR_CLIENT_ID_MAX_OFFSET", "IBKR_DEPTH_ROWS",
    "IBKR_MAX_CONCURRENT_DEPTH", "IBKR_ROTATION_SECS", "IBKR_STREAM_MAXLEN", "IBKR_HEARTBEAT_TTL",
    "IBKR_ERROR309_COOLDOWN_SECS", "IBKR_ERROR309_RECOVERY_CYCLES", "IBKR_LOG_LEVEL", "REDIS_URL",
}  # fmt: skip


def read(tmp_path: Path, text: str) -> tuple[dict[str, str], list[str]]:
    path = tmp_path / ".env"
    path.write_text(text)
    problems: list[str] = []
    values = read_dotenv(path, problems)
    return {name: value.text for name, value in values.items()}, problems


def test_every_variable_of_the_depth_feed_is_read() -> None:
    assert set(VARIABLES) >= SEED_VARIABLES


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("IBKR_HOST=127.0.0.1", "127.0.0.1"),
        ("  export IBKR_HOST = 127.0.0.1  ", "127.0.0.1"),
        ("IBKR_HOST=gw # the one upstairs", "gw"),
        ("IBKR_HOST=gw#1", "gw#1"),
        ("IBKR_HOST='a # b'", "a # b"),
        ('IBKR_HOST="a \\"b\\" $HOME" # c', 'a "b" $HOME'),
        ("IBKR_HOST='it\\n'", "it\\n"),
        ("IBKR_HOST=$(id)", "$(id)"),
        ("IBKR_HOST=", ""),
        ("IBKR_HOST=#x", ""),
    ],
)
def test_a_line_is_read_without_a_shell(tmp_path: Path, line: str, expected: str) -> None:
    assert read(tmp_path, line) == ({"IBKR_HOST": expected}, [])


def test_comments_blank_lines_and_other_programs_variables_are_no_fault(tmp_path: Path) -> None:
    assert read(tmp_path, "# a\n\nTZ=UTC\r\n") == ({"TZ": "UTC"}, [])


def test_a_fault_names_its_line_without_showing_a_secret(tmp_path: Path) -> None:
    values, problems = read(tmp_path, "TZ=UTC\nALPHA_VANTAGE_API_KEY S3CRET\n")
    assert values == {"TZ": "UTC"}
    assert problems == [".env line 2: was 28 characters without =, must be NAME=VALUE"]


@pytest.mark.parametrize("text", ['"open', "'a' b", '"a" "b"'])
def test_a_quote_that_does_not_close_the_value_is_a_fault(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"IBKR_HOST={text}")[1] == [
        ".env line 1 IBKR_HOST: quote is not closed, or text follows it"
    ]


def test_a_misspelt_variable_of_ours_names_the_nearest(tmp_path: Path) -> None:
    assert read(tmp_path, "IBKR_ROTATION_SEC=5")[1] == [
        ".env line 1 IBKR_ROTATION_SEC: unknown key, nearest is IBKR_ROTATION_SECS"
    ]


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    problems: list[str] = []
    assert read_dotenv(tmp_path / ".env", problems) == {}
    assert problems == []
