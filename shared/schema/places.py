"""Where in a payload something is wrong: msgspec names a list or mapping, not the place in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from shared.schema.row import Flaw, shown

_AT: Final = re.compile(r"(?s)(.*?)(?: - at `(?:key in )?(\$.*)`)?")
_FIELD: Final = re.compile(r"Object (missing required|contains unknown) field `(.*)`")
_GOT: Final = re.compile(r"Expected (.*), got (.*)")
_EXPECTED: Final = re.compile(r"Expected (.*)")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_KEPT: Final = 10

Decode = Callable[[Any], Any]
# A name, an index, or None for somewhere in a list or mapping.
Step = str | int | None


def flaw_of(error: msgspec.ValidationError, doc: Any, convert: Decode) -> Flaw:
    """`doc` is what was refused, as plain lists and mappings; `convert` refuses it again."""
    found = _AT.fullmatch(str(error))
    assert found is not None
    message, place = found[1], _Search(doc, convert, str(error)).place(_steps(found[2] or "$"))
    field = _text(place)
    about = _FIELD.fullmatch(message)
    if about is not None:
        field = f"{field}.{about[2]}" if field else about[2]
        if about[1].startswith("missing"):
            return Flaw(field, "absent", "be there")
        return Flaw(field, "there", "be no field: it is not in the contract")
    return Flaw(field, _was(_at(doc, place), message), _must(message))


def not_finite(text: bytes) -> Iterator[Flaw]:
    """NaN and infinities, which JSON has no words for and some writers write all the same."""
    try:
        doc = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from (
        Flaw(path, value, "be a finite number")
        for path, value in _leaves(doc, "")
        if isinstance(value, float) and not math.isfinite(value)
    )


def _leaves(doc: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(doc, dict):
        for name, value in doc.items():
            yield from _leaves(value, f"{path}.{name}" if path else str(name))
    elif isinstance(doc, list):
        for index, value in enumerate(doc):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, doc


class _Search:
    """Finds the elements that are refused, by offering them one at a time."""

    def __init__(self, doc: Any, convert: Decode, refusal: str) -> None:
        self._doc = doc
        self._convert = convert
        self._refusal = refusal

    def place(self, path: list[Step]) -> list[Step]:
        """The path with every None made the first place that is refused with the same words."""
        # The same place in what is left of the document, where the refused element stands alone.
        here: list[Step] = []
        place: list[Step] = []
        for step in path:
            if step is not None:
                here, place = [*here, step], [*place, step]
                continue
            found = self._first(here)
            if found is None:
                return place
            place = [*place, found]
            here = [*here, found if isinstance(found, str) else 0]
        return place

    def _first(self, here: list[Step]) -> Step:
        container = _at(self._doc, here)
        if isinstance(container, dict):
            for name, value in container.items():
                if self._refused(_with(self._doc, here, {name: value})):
                    return str(name)
        elif isinstance(container, list):
            for index, value in enumerate(container):
                # Several of it, where the list must have a length.
                for alone in ([value], [value] * min(len(container), _KEPT)):
                    if self._refused(_with(self._doc, here, alone)):
                        return index
        return None

    def _refused(self, doc: Any) -> bool:
        try:
            self._convert(doc)
        except msgspec.ValidationError as error:
            if str(error) == self._refusal:
                self._doc = doc
                return True
        return False


def _steps(path: str) -> list[Step]:
    steps: list[Step] = []
    for name, index in _STEP.findall(path):
        steps.append(name or (None if index == "..." else int(index)))
    return steps


def _text(place: Iterable[Step]) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(parts).lstrip(".")


def _at(doc: Any, place: Iterable[Step]) -> Any:
    for step in place:
        try:
            doc = doc[step]
        except (KeyError, IndexError, TypeError):
            return None
    return doc


def _with(doc: Any, place: list[Step], value: Any) -> Any:
    """A copy of `doc` with `value` at the end of the steps."""
    if not place:
        return value
    copy = dict(doc) if isinstance(doc, dict) else list(doc)
    step: Any = place[0]
    copy[step] = _with(copy[step], place[1:], value)
    return copy


def _was(value: Any, message: str) -> str:
    got = _GOT.fullmatch(message)
    if isinstance(value, dict | list):
        return got[2].strip("`") if got is not None else f"{len(value)} elements"
    return shown("null" if value is None else value)


def _must(message: str) -> str:
    expected = _GOT.fullmatch(message) or _EXPECTED.fullmatch(message)
    return f"be {expected[1].replace('`', '')}" if expected is not None else f"be so: {message}"
