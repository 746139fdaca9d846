from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader that refuses a repeated key instead of silently keeping the last one.

    A date stays the text that it is: `2017-13-15` is for the settings to refuse by its name.
    """

    yaml_implicit_resolvers = {
        first: [pair for pair in resolvers if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value} stands twice, again in line {line}", None
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _TextLoader(_PlainLoader):
    """Leaves every scalar but null as text: ON, NO and Y are tickers, not truth values."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_TextLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]
)


def load_mapping(path: Path, problems: list[str], *, typed: bool) -> dict[str, Any]:
    """The file's top-level mapping; with `typed` false scalars stay text. Faults go to problems."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader=_PlainLoader if typed else _TextLoader)
    except FileNotFoundError:
        problems.append(f"{path}: file is missing")
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: unreadable, {error}")
        return {}
    except yaml.YAMLError as error:
        problems.append(f"{path}: {_one_line(error)}")
        return {}
    if document is None:
        return {}
    if not isinstance(document, dict):
        problems.append(f"{path}: was a {type(document).__name__}, must be a mapping")
        return {}
    return document


def _one_line(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())
