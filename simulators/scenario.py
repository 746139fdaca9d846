from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from .errors import OptionError, SimulatorError

__all__ = ["Scenario", "load_scenario"]

_START: Final = "start"
_LARGEST_BYTES: Final = 1_000_000

Body = dict[str, Any]
# When it is due, from which origin on, and the command.
Step = tuple[float, str, Body]


# What PyYAML lets through of numbers that are none, keys that are no texts, and deep nesting.
_UNREADABLE: Final = (ValueError, ArithmeticError, LookupError, TypeError, RecursionError)


class _Loader(yaml.SafeLoader):
    """Without aliases, which let a few lines grow without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken here")
        return super().compose_node(parent, index)


class Scenario:
    """Commands with a time each; due() hands out every one once.

    Times are counted from the start, or from the moment when somebody first asks for something.
    """

    def __init__(self, steps: list[Step]) -> None:
        self._waiting = sorted(steps, key=lambda step: step[0])
        self._asked_s: float | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def due(self, now_s: float, asked: bool) -> list[Body]:
        if asked and self._asked_s is None:
            self._asked_s = now_s
        due = [step for step in self._waiting if self._is_due(step, now_s)]
        if due:
            self._waiting = [step for step in self._waiting if step not in due]
        return [body for _, _, body in due]

    def play(self, now_s: float, asked: bool, dispatch: Callable[[Body], Any]) -> list[str]:
        """Carries out what is due; what could not be done."""
        errors = []
        for body in self.due(now_s, asked):
            try:
                dispatch(body)
            except SimulatorError as error:
                errors.append(f"{body['command']}: {error}")
        return errors

    def _is_due(self, step: Step, now_s: float) -> bool:
        at_s, origin, _ = step
        if origin == _START:
            return now_s >= at_s
        return self._asked_s is not None and now_s >= self._asked_s + at_s


def load_scenario(path: Path, validate: Callable[[Body], Any], first: str) -> Scenario:
    """`first` is what the simulator calls the other origin of its times: first_request."""
    try:
        # A device or a pipe may have no end.
        if path.exists() and not (path.is_file() and path.stat().st_size <= _LARGEST_BYTES):
            raise OptionError(f"scenario {path} must be a file of at most {_LARGEST_BYTES} bytes")
        document = yaml.load(path.read_text(), Loader=_Loader)
    except (OSError, yaml.YAMLError, *_UNREADABLE) as error:
        raise OptionError(f"scenario {path} cannot be read: {error!s:.300}") from error
    if not isinstance(document, list):
        raise OptionError(f"scenario {path} must be a list of steps, was {document!r:.60}")
    steps = []
    for number, item in enumerate(document, 1):
        where = f"scenario step {number}"
        step = _step(item, where, (_START, first))
        try:
            validate(step[2])
        except SimulatorError as error:
            raise OptionError(f"{where}: {error}") from error
        steps.append(step)
    return Scenario(steps)


def _step(item: Any, where: str, origins: tuple[str, ...]) -> Step:
    if not isinstance(item, dict):
        raise OptionError(f"{where} must be a mapping, was {item!r:.80}")
    body = dict(item)
    at_s = body.pop("at_s", None)
    if type(at_s) not in (int, float) or not 0 <= at_s <= 1_000_000:
        raise OptionError(f"{where} at_s must be a number from 0 to 1000000, was {at_s!r:.80}")
    origin = body.pop("from", _START)
    if origin not in origins:
        raise OptionError(f"{where} from must be one of {', '.join(origins)}, was {origin!r:.80}")
    return float(at_s), origin, body
