"""How settings, and what somebody wrote in place of them, are told on one line."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 80
_LONGEST_NAME: Final = 60
LONGEST_PATH: Final = 500
_PARAMETER: Final = re.compile(r"(?<=[?&])(password|apikey)=[^&]*", re.IGNORECASE)


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def named(name: object, longest: int = _LONGEST_NAME) -> str:
    """A key or path as it was written, where that is short and printable."""
    text = str(name)
    if len(text) > longest or not text.isprintable():
        return shown(text)
    return text


def kind_of(value: object) -> str:
    """A value where a section should stand: the text may be a key or a password."""
    return shown(value) if isinstance(value, int | float) else f"a {type(value).__name__}"


def redacted_url(url: str) -> str:
    """The URL fit for a log: redis-py takes a password before the @ and as a query parameter."""
    url = _PARAMETER.sub(r"\1=***", url)
    return re.sub(r"(?<=://)([^:/?]*):.*@", r"\1:***@", url)


def redacted(value: object) -> str:
    """Something unusable in place of a URL: what is not like one may be a password alone."""
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    scheme, mark, rest = redacted_url(value).partition("://")
    if not mark:
        return f"{len(value)} characters"
    # A name before the @ that has no colon is a password that lacks one, often enough.
    return shown(f"{scheme}://{re.sub(r'^[^:@]*@', '***@', rest)}")
