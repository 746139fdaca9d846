"""JSON lines through loguru, and ib_async's own loggers kept quiet."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any

import orjson
from loguru import logger

if TYPE_CHECKING:
    from loguru import Message


def configure(worker: str, level: str) -> None:
    """Log to stdout, one JSON object a line: ts, level, worker, event, then the bound fields."""
    logger.remove()

    def write(message: Message) -> None:
        sys.stdout.buffer.write(_line(worker, message.record))
        sys.stdout.buffer.flush()

    logger.add(write, level=level, format="{message}", backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    # ib_async reports every error message itself; the feed logs each once, with its context.
    logging.getLogger("ib_async").setLevel(logging.ERROR)
    logging.getLogger("ib_async").propagate = False


def _line(worker: str, record: Any) -> bytes:
    document: dict[str, Any] = {
        "ts": record["time"].isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "worker": worker,
        "event": record["message"],
        **record["extra"],
    }
    exception = record["exception"]
    if exception is not None and exception.value is not None:
        document["traceback"] = "".join(traceback.format_exception(exception.value))
    return orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS) + b"\n"


class _Forward(logging.Handler):
    """Standard logging (redis-py, asyncio) into the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        exception = record.exc_info[1] if record.exc_info else None
        logger.opt(exception=exception).bind(logger=record.name).log(
            record.levelname, "{}", record.getMessage()
        )
