from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .errors import OptionError

__all__ = ["Bounds", "check", "typed"]

# Far beyond every bound; integers of JSON may be larger than any float.
_LARGEST: Final = 10**15

_NAMES: Final = {
    int: "an integer",
    float: "a number",
    str: "a string",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one option, flag or command field may be."""

    kind: type
    about: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    required: bool = False
    default: Any = None
    # Whether a text that is none of the choices is told in quotes.
    quoted: bool = True


def check(name: str, value: Any, bounds: Bounds) -> Any:
    if value is None and not bounds.required:
        return bounds.default
    if bounds.kind is float and type(value) is int and abs(value) <= _LARGEST:
        value = float(value)
    if type(value) is not bounds.kind:
        raise OptionError(f"{name} must be {_NAMES[bounds.kind]}, was {value!r:.80}")
    _check_range(name, value, bounds)
    return value


def _check_range(name: str, value: Any, bounds: Bounds) -> None:
    if bounds.choices and value not in bounds.choices:
        listed = ", ".join(str(choice) for choice in bounds.choices)
        seen = repr(value) if bounds.quoted else value
        raise OptionError(f"{name} must be one of {listed}, was {seen}")
    # Written this way round so that NaN fails too.
    if bounds.low is not None and not value >= bounds.low:
        raise OptionError(f"{name} must be at least {bounds.low}, was {value}")
    if bounds.high is not None and not value <= bounds.high:
        raise OptionError(f"{name} must be at most {bounds.high}, was {value}")


def typed(name: str, text: Any, bounds: Bounds) -> Any:
    """The value of a flag: a command line has nothing but text, or true for a bare flag."""
    value = text
    if isinstance(text, str) and bounds.kind in (int, float):
        try:
            value = bounds.kind(text)
        except ValueError:
            value = text
    return check(name, value, bounds)
