from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from .errors import OptionError, SimulatorError

__all__ = ["Scenario", "load_scenario"]

_ORIGINS: Final = ("start", "first_request")

Validate = Callable[[dict[str, Any]], Any]


class Scenario:
    """Commands with a time each; due() hands out every one once."""

    def __init__(self, steps: list[tuple[float, str, dict[str, Any]]]) -> None:
        self._waiting = sorted(steps, key=lambda step: step[0])
        self._first_request_s: float | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def due(self, now_s: float, requested: bool) -> list[dict[str, Any]]:
        if requested and self._first_request_s is None:
            self._first_request_s = now_s
        due = [step for step in self._waiting if self._is_due(step, now_s)]
        if due:
            self._waiting = [step for step in self._waiting if step not in due]
        return [body for _, _, body in due]

    def _is_due(self, step: tuple[float, str, dict[str, Any]], now_s: float) -> bool:
        at_s, origin, _ = step
        if origin == "start":
            return now_s >= at_s
        first_s = self._first_request_s
        return first_s is not None and now_s >= first_s + at_s


def load_scenario(path: Path, validate: Validate) -> Scenario:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise OptionError(f"scenario {path} cannot be read: {error}") from error
    if not isinstance(document, list):
        raise OptionError(f"scenario {path} must be a list of steps, was {document!r:.60}")
    return Scenario(
        [_step(item, f"scenario step {n}", validate) for n, item in enumerate(document, 1)]
    )


def _step(item: Any, where: str, validate: Validate) -> tuple[float, str, dict[str, Any]]:
    if not isinstance(item, dict):
        raise OptionError(f"{where} must be a mapping, was {item!r}")
    body = dict(item)
    at_s = body.pop("at_s", None)
    if type(at_s) not in (int, float) or not 0 <= at_s <= 1_000_000:
        raise OptionError(f"{where} at_s must be a number from 0 to 1000000, was {at_s!r}")
    origin = body.pop("from", "start")
    if origin not in _ORIGINS:
        raise OptionError(f"{where} from must be one of {', '.join(_ORIGINS)}, was {origin!r}")
    try:
        validate(body)
    except SimulatorError as error:
        raise OptionError(f"{where}: {error}") from error
    return float(at_s), origin, body
