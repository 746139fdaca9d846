"""Messages to people, through apprise.

Its URLs hold passwords and tokens: none of them, nor what apprise says about them, gets into a log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import warnings
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from loguru import logger

from shared.alerts.digest import Message
from shared.errors import SettingsError
from shared.settings_sections import Secret

if TYPE_CHECKING:
    from apprise import Apprise

# Services that ask for it are given 5.5 s between two messages, which their thread waits out.
TIMEOUT_S: Final = 20.0
_MAX_WAITING: Final = 50
_TYPES: Final = {"problem": "failure", "notice": "warning", "recovery": "success"}
# Both put URLs into their own log lines.
_TALKATIVE: Final = ("apprise", "urllib3")


class Sender:
    """`sent`, `failed` count deliveries (a message to one URL), `dropped` messages never tried.

    Raises:
        SettingsError: a URL that apprise cannot use.
    """

    def __init__(self, urls: Sequence[Secret], timeout_s: float = TIMEOUT_S) -> None:
        self._targets = _targets(urls)
        self._timeout_s = timeout_s
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self.sent = 0
        self.failed = 0
        self.dropped = 0

    def post(self, message: Message) -> None:
        """To be sent by `run`; of too many waiting ones the oldest is dropped."""
        if not self._targets:
            return
        if len(self._waiting) >= _MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(message)
        self._wake.set()

    async def run(self) -> None:
        """Send for ever what is posted, in order."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self.send(self._waiting.popleft())

    async def send(self, message: Message) -> None:
        """To all URLs at once; back when each has taken it, failed or not answered in time."""
        outcomes = await asyncio.gather(
            *(target.send(message, self._timeout_s) for target in self._targets)
        )
        self.sent += sum(outcomes)
        self.failed += len(outcomes) - sum(outcomes)


class _Target:
    """One service behind one URL, and at most one thread that talks to it."""

    def __init__(self, where: str, services: Apprise) -> None:
        self._where = where
        self._services = services
        self._busy = False
        self._failures = 0

    async def send(self, message: Message, timeout_s: float) -> bool:
        if self._busy:
            return self._judge("still busy with an earlier message")
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        # Not from a pool: a process does not end before its pools do, and a service that trickles
        # its answer holds a thread for as long as it likes.
        thread = threading.Thread(target=self._work, args=(message, done), daemon=True)
        self._busy = True
        try:
            thread.start()
            async with asyncio.timeout(timeout_s):
                return self._judge(await done)
        except TimeoutError:
            return self._judge(f"no answer within {timeout_s:g} s")
        except RuntimeError as error:
            # No more threads to be had.
            self._busy = False
            return self._judge(str(error))

    def _work(self, message: Message, done: asyncio.Future[str]) -> None:
        try:
            taken = self._services.notify(
                body="\n".join(message.lines),
                title=message.title,
                notify_type=_TYPES[message.kind],
                body_format="text",
            )
            trouble = "" if taken else "not accepted"
        except Exception as error:
            # Its text may hold the URL.
            trouble = type(error).__name__
        self._busy = False
        # The loop is closed when the process did not wait for this.
        with contextlib.suppress(RuntimeError):
            done.get_loop().call_soon_threadsafe(_settle, done, trouble)

    def _judge(self, trouble: str) -> bool:
        if trouble:
            self._failures += 1
            if self._failures == 1:
                logger.warning("alert not sent to {}: {}", self._where, trouble)
            return False
        if self._failures:
            logger.info("alert sent to {} after {} failures", self._where, self._failures)
            self._failures = 0
        return True


def _settle(done: asyncio.Future[str], trouble: str) -> None:
    if not done.done():
        done.set_result(trouble)


def _targets(urls: Sequence[Secret]) -> list[_Target]:
    """One per URL: a text may hold several services, and each is to have its own time."""
    if not urls:
        return []
    for name in _TALKATIVE:
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    problems, targets = [], []
    for at, url in enumerate(urls):
        where = f"alerts.urls[{at}]"
        services = _services(url)
        targets += [_Target(where, one) for one in services]
        if not services:
            problems.append(f"{where}: was ***, must be a URL that apprise knows, as slack://...")
    if problems:
        raise SettingsError(problems)
    return targets


def _services(url: Secret) -> list[Apprise]:
    """Empty when any part of it is unusable."""
    import apprise

    # Without a time limit of its own, apprise stays in the thread that calls it.
    asset = apprise.AppriseAsset(app_id="tickvisor", app_desc="tickvisor", service_timeout=0)
    together = apprise.Apprise(asset=asset)
    try:
        with warnings.catch_warnings():
            # With the first URL it imports all its services, some of them by deprecated ways.
            warnings.simplefilter("ignore")
            usable = together.add(url.reveal())
    except Exception:
        usable = False
    return [apprise.Apprise(one, asset=asset) for one in together] if usable else []
