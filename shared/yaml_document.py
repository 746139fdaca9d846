"""YAML that a person wrote, with what only an attack or an accident needs left out of YAML."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.constructor import ConstructorError

from shared.settings_words import LONGEST_PATH, named

# Ten times what a thousand symbols need.
MAX_FILE_BYTES: Final = 1_048_576
_MAX_DEPTH: Final = 20
_MAX_DIGITS: Final = 40
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
# A date stays the text that it is: `2017-13-15` is for the settings to refuse by its name. Merged
# mappings and the default value `=` are of no use without aliases.
_LEFT_OUT: Final = frozenset(f"tag:yaml.org,2002:{tag}" for tag in ("timestamp", "merge", "value"))


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader that refuses what lets few bytes grow without bound, or two readers differ.

    Those are aliases, tags, deep nesting, numbers of thousands of digits, and a key that stands
    twice, of which it would silently keep the last.
    """

    yaml_implicit_resolvers = {
        first: [pair for pair in resolvers if pair[0] not in _LEFT_OUT]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refused("an alias (*) is not taken here, quote what starts with one", event)
        if event.tag not in (None, "!"):
            raise _refused("a tag (!) is not taken here, quote what starts with one", event)
        # Of no use here: a line break forges a log line, half a character fits no encoding.
        if isinstance(event, yaml.ScalarEvent) and not event.value.isprintable():
            raise _refused("a key or value must be printable text on one line", event)
        if self._depth >= _MAX_DEPTH:
            raise _refused(f"nested deeper than {_MAX_DEPTH}", event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key must be text", key)
            if key.value in seen:
                line = key.start_mark.line + 1
                text = f"key {named(key.value)} stands twice, again in line {line}"
                raise ConstructorError(None, None, text, None)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_number(self, node: Any) -> int | float:
        """As YAML 1.1 has them: also 0x1F, 1_000 and 1:30."""
        if len(node.value) > _MAX_DIGITS:
            raise _refused(f"a number was {len(node.value)} long, must be {_MAX_DIGITS}", node)
        if node.tag.endswith("int"):
            return int(self.construct_yaml_int(node))
        return float(self.construct_yaml_float(node))


for _kind in ("int", "float"):
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _PlainLoader.construct_number)


class _TextLoader(_PlainLoader):
    """Leaves every scalar but null as text: ON, NO and Y are tickers, not truth values."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_TextLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]
)


def load_mapping(path: Path, problems: list[str], *, typed: bool) -> dict[str, Any]:
    """The file's top-level mapping; with `typed` false scalars stay text. Faults go to problems."""
    where = named(path, LONGEST_PATH)
    try:
        text = read_text(path)
        document = yaml.load(text, Loader=_PlainLoader if typed else _TextLoader)
    except FileNotFoundError:
        problems.append(f"{where}: file is missing")
        return {}
    except yaml.YAMLError as error:
        problems.append(f"{where}: {_one_line(error)}")
        return {}
    except OSError as error:
        problems.append(f"{where}: unreadable, {error.strerror or type(error).__name__}")
        return {}
    # Broken UTF-8, or a NUL in the path.
    except ValueError as error:
        problems.append(f"{where}: unreadable, {named(error)}")
        return {}
    if document is None:
        return {}
    if not isinstance(document, dict):
        problems.append(f"{where}: was a {type(document).__name__}, must be a mapping")
        return {}
    return document


def read_text(path: Path) -> str:
    """A file of a person's size.

    Raises:
        OSError: it cannot be read, is none (a pipe would hold us for ever), or is too large.
        ValueError: it is not UTF-8.
    """
    # A pipe that nobody writes to would hold up even open().
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "not a regular file")
        raw = file.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise OSError(0, f"larger than {MAX_FILE_BYTES} bytes")
    return raw.decode("utf-8")


def _refused(problem: str, at: Any) -> ConstructorError:
    return ConstructorError(None, None, problem, at.start_mark)


def _one_line(error: yaml.YAMLError) -> str:
    """What is wrong and where; never the line itself, which may hold a key or password."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    parts = [error.context, error.problem, _place(error.problem_mark)]
    return ", ".join(_without_content(part) for part in parts if part)


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""


def _without_content(text: str) -> str:
    """PyYAML quotes single characters and its own `<names>`, but anchors and handles too."""
    return _QUOTED.sub(lambda hit: hit[0] if len(hit[0]) <= 4 or hit[0][1] == "<" else "***", text)
