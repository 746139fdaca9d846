"""Pictures as text, compared with those that are stored in pictures/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from rich.cells import cell_len
from rich.console import Console, RenderableType

PICTURES: Final = Path(__file__).parent / "pictures"
WIDTHS: Final = (80, 160)
View = TypeVar("View")


def drawn(picture: RenderableType, width: int) -> list[str]:
    """As it comes out of a pipe; blanks at the end of a line do not count."""
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


def compare(name: str, picture: Callable[[View, int], RenderableType], view: View) -> None:
    """`view` looks as stored at both widths, and no line is wider."""
    for width in WIDTHS:
        lines = drawn(picture(view, width), width)
        assert max(map(cell_len, lines)) <= width
        stored = (PICTURES / f"{name}_{width}.txt").read_text(encoding="utf-8")
        assert lines == stored.splitlines(), f"{name} at {width} columns"
