"""The life of a process that only reads and shows: settings → listen on loopback → serve → close.

It holds no lease and beats no heart: nothing of it is written to Redis, so it can do no feed any
harm, and two of them would only disagree about a port. supervisord starts it again when it ends,
the stall guard ends it when its loop stands still, and `/healthz` answers whoever asks.

Exit codes are those of a worker: 0 clean stop, 3 start-up failure, 4 stalled event loop,
78 unusable settings.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import FrameType
from typing import Any, Final

import uvicorn
from loguru import logger

from shared import logs, stall
from shared.errors import SettingsError
from shared.process import EXIT_CLEAN, EXIT_FAILURE, EXIT_SETTINGS
from shared.settings import (
    DashboardSettings,
    ExporterSettings,
    Settings,
    load_settings,
    repository_root,
)
from shared.settings_redis import secrets_of

# Whoever looks may wait a moment for the processor; a feed beside it may not.
_NICE: Final = 10
_BACKLOG: Final = 64
_CONNECTIONS: Final = 64
_KEEP_ALIVE_S: Final = 75
_FAREWELL_S: Final = 2

Asgi = Callable[..., Awaitable[None]]
# Open for as long as the process serves: what the application needs besides. The event is set once
# the process is to end: answers that would go on for ever end then.
Application = Callable[[Settings, asyncio.Event], AbstractAsyncContextManager[Asgi]]
Section = Callable[[Settings], ExporterSettings | DashboardSettings]


def serve(name: str, section: Section, application: Application) -> int:
    """Serve until the stop signal and return the process's exit code."""
    try:
        settings = load_settings(os.environ, repository_root())
        if not settings.redis.url:
            raise SettingsError(
                ["redis.url: REDIS_URL is not set and no embedded redis runs; try `make up`"]
            )
    except SettingsError as error:
        print(f"{name}: unusable settings", *error.problems, sep="\n  ", file=sys.stderr)
        return EXIT_SETTINGS
    stall.dump_stacks_when_asked()
    secrets = (settings.alpha_vantage.api_key, settings.dashboard.operator_token)
    hidden = [*(one.reveal() for one in secrets), *secrets_of(settings.redis)]
    logs.configure(name, settings.ibkr.log_level, hidden)
    os.nice(_NICE)
    place = section(settings)
    try:
        with _listening(place.host, place.port) as listener:
            return asyncio.run(_serve(name, settings, application, listener))
    except SettingsError as error:
        logger.error("{}", error)
        return EXIT_SETTINGS
    except OSError as error:
        logger.error("{}:{}: {}", place.host, place.port, error)
        return EXIT_FAILURE
    except Exception as error:
        logger.opt(exception=error).critical("{} ended by an unexpected error", name)
        return EXIT_FAILURE


class _Server(uvicorn.Server):
    """Ends with the exit code of a clean stop: uvicorn would raise the signal once more."""

    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending.set()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(
    name: str, settings: Settings, application: Application, listener: socket.socket
) -> int:
    ending = asyncio.Event()
    async with application(settings, ending) as app:
        server = _Server(_config(app), ending)
        with stall.guarded(name, settings.supervision.stall_s):
            host, port = listener.getsockname()
            logger.bind(pid=os.getpid()).info("serving on http://{}:{}", host, port)
            await server.serve(sockets=[listener])
    logger.info("stopped")
    return EXIT_CLEAN


def _config(app: Asgi) -> uvicorn.Config:
    options: dict[str, Any] = {"http": "h11", "ws": "none", "loop": "asyncio", "lifespan": "off"}
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_FAREWELL_S,
        **options,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Raises OSError where the port is taken, before anything else is begun."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        yield listener
