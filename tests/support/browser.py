"""A real Chromium, Debian's own, driven over its DevTools protocol.

Playwright is only the driver: it comes as a wheel, downloads nothing and starts the installed
browser. Tests that need it are skipped where there is none.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

_NAMES: Final = ("chromium", "chromium-browser")
_FLAGS: Final = ("--disable-gpu", "--disable-dev-shm-usage")
WIDE: Final = (1280, 800)
NARROW: Final = (390, 844)


def chromium_path() -> str:
    """Where it is installed; empty where it is not."""
    found = (shutil.which(name) for name in _NAMES)
    return next((path for path in found if path), "")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    path = chromium_path()
    if not path:
        pytest.skip("no chromium is installed")
    # Its sandbox refuses to run as root, as tests in a container do.
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()


class Looker:
    """One page, what its console says and where its requests go."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = WIDE) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        viewport = {"width": size[0], "height": size[1]}
        self.page: Page = browser.new_page(viewport=viewport)  # type: ignore[arg-type]
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._requested)

    def view(self, name: str) -> Page:
        """The view, once it shows something."""
        self.page.goto(f"{self.url}#/{name}")
        self.page.wait_for_selector("#lamp[data-state=ok]")
        self.page.wait_for_selector("main > *")
        return self.page

    def close(self) -> None:
        self.page.close()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _requested(self, request: Request) -> None:
        self.hosts.add(urlsplit(request.url).netloc)
