"""Keeps what a test configures for logging from the tests behind it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loguru import logger


@contextmanager
def restored_logging() -> Iterator[None]:
    root, ib_async = logging.getLogger(), logging.getLogger("ib_async")
    handlers, level = list(root.handlers), root.level
    theirs = (ib_async.level, ib_async.propagate)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        ib_async.level, ib_async.propagate = theirs
        logger.remove()
        logger.add(sys.stderr)


def parsed(output: bytes) -> list[dict[str, Any]]:
    """Log lines as the JSON objects that they must be."""
    return [json.loads(line) for line in output.splitlines()]
