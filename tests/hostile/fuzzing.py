"""How much is tried: the same examples in every run, or many new ones with TICKVISOR_FUZZ=20."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from hypothesis import HealthCheck, settings

from shared.schema.matching import Matcher
from shared.store.keys import Keys

_TIMES: Final = int(os.environ.get("TICKVISOR_FUZZ") or 1)
_LONGEST_LINE: Final = 1_200
SECRET: Final = "S3CRET"

_matcher: Final = Matcher(Keys())


def fuzz(examples: int) -> Callable[[Any], Any]:
    """Examples are drawn from the test's own name; more of them are drawn afresh each time."""
    return settings(
        max_examples=examples * _TIMES,
        derandomize=_TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
            HealthCheck.large_base_example,
            HealthCheck.data_too_large,
        ],
    )


def unreadable(lines: Iterable[str]) -> list[str]:
    """Lines that an operator could not read: broken, endless, or with control characters."""
    return [line for line in lines if not line.isprintable() or len(line) > _LONGEST_LINE]


def foreign(keys: Iterable[str]) -> list[str]:
    """Keys that the contract does not know."""
    return [key for key in keys if _matcher.find(key) is None]
