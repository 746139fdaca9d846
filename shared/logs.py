"""JSON lines through loguru, and ib_async's own loggers kept quiet."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson
from loguru import logger

if TYPE_CHECKING:
    from loguru import Message

_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


_HIDDEN: Final = "***"
# No text or line of ours is that long; one that quotes a gateway, a vendor or Redis may be.
_MOST_TEXT: Final = 8_000
_MOST_LINE_BYTES: Final = 65_536


def configure(worker: str, level: str, secrets: Sequence[str] = ()) -> None:
    """Log to stdout, one JSON object a line: ts, level, worker, event, then the bound fields.

    `secrets` are blotted out of every line, whoever wrote it: a vendor's text, a traceback.
    """
    logger.remove()
    hidden = [secret for secret in secrets if secret]

    def write(message: Message) -> None:
        line = _line(worker, message.record, hidden)
        for secret in hidden:
            line = line.replace(secret.encode(), _HIDDEN.encode())
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    logger.add(write, level=level, format="{message}", backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    # ib_async reports every error message itself; the feed logs each once, with its context.
    logging.getLogger("ib_async").setLevel(logging.ERROR)
    logging.getLogger("ib_async").propagate = False


def _line(worker: str, record: Any, hidden: Sequence[str]) -> bytes:
    fixed = {
        "ts": record["time"].isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "worker": worker,
        "event": _cut(record["message"], hidden),
    }
    extra = {
        name: _cut(value, hidden) if isinstance(value, str) else value
        for name, value in record["extra"].items()
    }
    # First for the reader's sake, and last so that no bound field can hide them.
    document: dict[str, Any] = {**fixed, **extra, **fixed}
    exception = record["exception"]
    if exception is not None and exception.value is not None:
        document["traceback"] = _cut("".join(traceback.format_exception(exception.value)), hidden)
    line = _encoded(document)
    if len(line) > _MOST_LINE_BYTES:
        return _encoded({**fixed, "cut_bytes": len(line)})
    return line


def _cut(text: str, hidden: Sequence[str]) -> str:
    """Both ends of a long text; a secret must not be cut in two, and so pass unseen."""
    if len(text) <= _MOST_TEXT:
        return text
    for secret in hidden:
        text = text.replace(secret, _HIDDEN)
    more = len(text) - _MOST_TEXT
    half = _MOST_TEXT // 2
    return f"{text[:half]} ...{more} more characters... {text[-half:]}" if more > 0 else text


def _encoded(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS) + b"\n"
    except TypeError:
        # Lone surrogates and integers beyond 64 bits, which a vendor's text may hold.
        return json.dumps(document, default=str, skipkeys=True).encode() + b"\n"


class _Forward(logging.Handler):
    """Standard logging (redis-py, asyncio) into the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        exception = record.exc_info[1] if record.exc_info else None
        # loguru has no name for a level such as 35, and takes the number.
        level = record.levelname if record.levelname in _LEVELS else record.levelno
        logger.opt(exception=exception).bind(logger=record.name).log(
            level, "{}", record.getMessage()
        )
