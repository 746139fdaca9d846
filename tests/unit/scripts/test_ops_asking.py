from __future__ import annotations

import pytest
import typer

from scripts.ops.asking import chosen, unknown

NAMES = ("SPY", "QQQ", "IWM")


@pytest.mark.parametrize("text", ["SPY", "spy", " Spy "])
def test_a_name_is_taken_however_it_is_written(text: str) -> None:
    assert chosen("symbol", text, NAMES) == "SPY"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SPI", "unknown symbol SPI, nearest is SPY"),
        ("qq", "unknown symbol qq, nearest is QQQ"),
        ("ZZTOP", "unknown symbol ZZTOP, must be one of SPY, QQQ, IWM"),
        ("", "unknown symbol '', must be one of SPY, QQQ, IWM"),
        ("\x1b[1m", "unknown symbol ?[1m, must be one of SPY, QQQ, IWM"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest(text: str, line: str) -> None:
    assert unknown("symbol", text, NAMES) == line


def test_an_unknown_name_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        chosen("symbol", "SPI", NAMES)
    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "tickvisor: unknown symbol SPI, nearest is SPY\n"
