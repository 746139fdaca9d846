from __future__ import annotations

import asyncio
import io
import sys

import pytest
from rich.text import Text

from scripts.ops import screen
from scripts.ops.screen import PIPE_COLUMNS, Picture, console
from shared.errors import StoreUnavailable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def shown() -> str:
    stream = sys.stdout
    assert isinstance(stream, io.StringIO)
    red: Picture[str] = Picture(lambda text, _: Text(text, style="red"), lambda text: text, False)
    red.show("x")
    return stream.getvalue()


def test_a_pipe_is_wide_and_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert console().width == PIPE_COLUMNS == 160
    assert shown() == "x\n"


def test_columns_gives_a_pipe_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("COLUMNS", "80")
    assert console().width == 80


def test_a_terminal_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert shown() == "\x1b[31mx\x1b[0m\n"


def test_a_terminal_has_none_where_nobody_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown() == "x\n"


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    seen: Picture[object] = Picture(lambda _, __: "", lambda found: {"seen": found}, True)
    seen.show([1, None])
    assert capsys.readouterr().out == '{"seen":[1,null]}\n'


class Flaky:
    """Away at first, then there; ends the watch after the third look."""

    def __init__(self) -> None:
        self.looks = 0

    async def __call__(self) -> str:
        self.looks += 1
        if self.looks == 1:
            raise StoreUnavailable("away")
        if self.looks > 3:
            raise KeyboardInterrupt
        return f"look {self.looks}"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_EVERY_S", 0.01)


def watched(as_json: bool) -> None:
    picture: Picture[str] = Picture(lambda text, _: Text(text), lambda text: text, as_json)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(picture.watch(Flaky()))


def test_a_watch_goes_on_over_an_outage_of_redis(
    quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    watched(as_json=True)
    told = capsys.readouterr()
    assert (told.out, told.err) == ('"look 2"\n"look 3"\n', "redis: away\n")


def test_a_watch_on_a_terminal_draws_over_the_last_picture(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    watched(as_json=False)
    drawn = terminal.getvalue()
    assert "redis: away" in drawn and "look 3" in drawn
    assert "\x1b[2K" in drawn
