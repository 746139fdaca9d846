"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of the table.")]
Watch = Annotated[bool, typer.Option("--watch", help="Again every second until Ctrl-C (exit 0).")]
Symbol = Annotated[str, typer.Argument(help="A symbol of the universe.", metavar="SYMBOL")]
OnlySymbol = Annotated[str, typer.Option("--symbol", help="Only of this symbol of the universe.")]
Last = Annotated[int, typer.Option("--last", min=1, max=10_000, help="So many of the newest.")]
