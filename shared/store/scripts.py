"""The Lua scripts, by file name: text, SHA-1 and the packed head of an EVALSHA."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """`store/lua/<name>.lua`."""
    text = files("shared.store").joinpath("lua", f"{name}.lua").read_text("utf-8")
    # Redis names a script by the SHA-1 of its text; nothing here depends on its strength.
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name, text, sha)
