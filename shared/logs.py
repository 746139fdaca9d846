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


_HIDDEN: Final = b"***"


def configure(worker: str, level: str, secrets: Sequence[str] = ()) -> None:
    """Log to stdout, one JSON object a line: ts, level, worker, event, then the bound fields.

    `secrets` are blotted out of every line, whoever wrote it: a vendor's text, a traceback.
    """
    logger.remove()
    hidden = [secret.encode() for secret in secrets if secret]

    def write(message: Message) -> None:
        line = _line(worker, message.record)
        for secret in hidden:
            line = line.replace(secret, _HIDDEN)
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    logger.add(write, level=level, format="{message}", backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    # ib_async reports every error message itself; the feed logs each once, with its context.
    logging.getLogger("ib_async").setLevel(logging.ERROR)
    logging.getLogger("ib_async").propagate = False


def _line(worker: str, record: Any) -> bytes:
    fixed = {
        "ts": record["time"].isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "worker": worker,
        "event": record["message"],
    }
    # First for the reader's sake, and last so that no bound field can hide them.
    document: dict[str, Any] = {**fixed, **record["extra"], **fixed}
    exception = record["exception"]
    if exception is not None and exception.value is not None:
        document["traceback"] = "".join(traceback.format_exception(exception.value))
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
