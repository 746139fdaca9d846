from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from simulators.bounds import Bounds
from simulators.errors import OptionError

__all__ = ["check_date", "one_of"]


def one_of(
    choices: Iterable[str], about: str = "", *, required: bool = False, default: Any = None
) -> Bounds:
    """One of these texts; another one is told without quotes, as its sender wrote it."""
    return Bounds(
        str, about, choices=tuple(choices), required=required, default=default, quoted=False
    )


def check_date(name: str, text: str) -> datetime.date:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise OptionError(f"{name} must read YYYY-MM-DD, was {text!r}") from error
