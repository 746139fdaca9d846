from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar, get_args, get_origin

import msgspec

from shared.settings_sections import Secret
from shared.settings_words import kind_of, named, redacted, shown

# Three times what the largest section has; each unknown one is a line.
_MAX_KEYS: Final = 100

SectionT = TypeVar("SectionT", bound=msgspec.Struct)


class EnvironmentText(NamedTuple):
    """A leaf that came from the environment: untyped text, reported by its variable's name."""

    variable: str
    text: str


def decode_section(
    struct: type[SectionT], raw: object, path: str, problems: list[str]
) -> SectionT | None:
    """Build `struct` from a parsed YAML mapping; every unusable leaf adds one line to problems.

    msgspec stops at the first bad field, so each leaf is converted on its own.
    """
    if raw is None:
        return struct()
    if not isinstance(raw, Mapping):
        problems.append(f"{path}: was {kind_of(raw)}, must be a mapping")
        return None
    if len(raw) > _MAX_KEYS:
        problems.append(f"{path or 'top level'}: has {len(raw)} keys, must be at most {_MAX_KEYS}")
        return None
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    before = len(problems)
    values: dict[str, Any] = {}
    for key, value in raw.items():
        where = f"{path}.{named(key)}" if path else named(key)
        if key not in fields:
            problems.append(unknown_key(where, key, fields))
            continue
        values[key] = _decode_field(fields[key].type, value, where, problems)
    return struct(**values) if len(problems) == before else None


def unknown_key(path: str, key: object, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(str(key), names, n=1, cutoff=0.5)
    hint = f"nearest is {near[0]}" if near else f"must be one of {', '.join(names)}"
    return f"{path}: unknown key, {hint}"


def _decode_field(kind: Any, value: object, path: str, problems: list[str]) -> object:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return decode_section(kind, value, path, problems)
    if isinstance(value, EnvironmentText):
        return _decode_text(kind, value, problems)
    if kind is Secret:
        return _decode_secret(value, path, problems)
    if kind == tuple[Secret, ...]:
        return _decode_secrets(value, path, problems)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        problems.append(f"{path}: was {_told(path, value)}, must be {bound(kind)}")
        return None


def _told(name: str, value: object) -> str:
    """A URL may hold a password, whatever else is wrong with it."""
    is_url = name.partition(" ")[0].lower().endswith("url")
    return redacted(value) if is_url else shown(value)


def _decode_text(kind: Any, value: EnvironmentText, problems: list[str]) -> object:
    if kind is Secret:
        return Secret(value.text)
    if not value.text.isprintable():
        was = _told(value.variable, value.text)
        problems.append(f"{value.variable}: was {was}, must be printable text")
        return None
    try:
        return msgspec.convert(value.text, kind, strict=False)
    except msgspec.ValidationError:
        problems.append(
            f"{value.variable}: was {_told(value.variable, value.text)}, must be {bound(kind)}"
        )
        return None


def _decode_secret(value: object, path: str, problems: list[str]) -> Secret | None:
    if isinstance(value, str):
        return Secret(value)
    problems.append(f"{path}: was a {type(value).__name__}, must be text in quotes")
    return None


def _decode_secrets(value: object, path: str, problems: list[str]) -> tuple[Secret, ...]:
    if not isinstance(value, list):
        problems.append(f"{path}: was a {type(value).__name__}, must be a list of texts")
        return ()
    found = [_decode_secret(one, f"{path}[{at}]", problems) for at, one in enumerate(value)]
    return tuple(one for one in found if one is not None)


def bound(kind: Any) -> str:
    """What a value of this annotation must be, in words."""
    if get_origin(kind) is Annotated:
        base, meta = get_args(kind)[0], get_args(kind)[1]
        return f"{bound(base)}{_limits(meta)}"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(str(choice) for choice in get_args(kind))}"
    if get_origin(kind) is tuple:
        return f"a list, each {bound(get_args(kind)[0])}"
    names = {int: "an integer", float: "a number", bool: "true or false", str: "text"}
    return names.get(kind, str(kind))


def _limits(meta: msgspec.Meta) -> str:
    if meta.ge is not None and meta.le is not None:
        return f" from {meta.ge} to {meta.le}"
    if meta.pattern is not None:
        return f" like {meta.pattern}"
    if meta.max_length is not None:
        return f" of {meta.min_length or 0} to {meta.max_length} characters"
    return ""
