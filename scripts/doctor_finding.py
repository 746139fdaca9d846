"""What one check found, and how all of them are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` is what to do about it; an `ok` has none."""

    check: str
    state: State
    text: str
    remedy: str = ""


def ok(check: str, text: str) -> Finding:
    return Finding(check, "ok", text)


def warn(check: str, text: str, remedy: str) -> Finding:
    return Finding(check, "warn", text, remedy)


def fail(check: str, text: str, remedy: str) -> Finding:
    return Finding(check, "fail", text, remedy)


def lines(findings: Sequence[Finding], width: int | None = None) -> list[str]:
    """One line per check; with a width what does not fit goes on under its text."""
    checks = max((len(one.check) for one in findings), default=0)
    found = [f"{one.state:<4}  {one.check:<{checks}}  {_said(one)}" for one in findings]
    if width is None:
        return found
    under = " " * (checks + 8)
    wrapped = (wrap(one, max(width, 2 * len(under)), subsequent_indent=under) for one in found)
    return ["\n".join(one) for one in wrapped]


def documents(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "check": one.check,
            "state": one.state,
            "finding": one_line(one.text),
            "remedy": one_line(one.remedy) or None,
        }
        for one in findings
    ]


def failed(findings: Sequence[Finding]) -> bool:
    return any(one.state == "fail" for one in findings)


def one_line(text: str) -> str:
    """What others say may hold line ends and colours of a terminal."""
    words = " ".join(text.split())
    return "".join(char for char in words if char.isprintable())


def _said(one: Finding) -> str:
    text = one_line(one.text)
    return f"{text}: {one_line(one.remedy)}" if one.remedy else text
