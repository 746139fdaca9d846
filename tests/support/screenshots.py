"""Pictures of every view for the documents: light and dark, wide and narrow.

    python -m tests.support.screenshots http://127.0.0.1:9473/ docs/dashboard

Best after ten minutes with something to see. `pngquant` makes them small where it is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from tests.support.browser import NARROW, WIDE, Looker, running_chromium

VIEWS: Final = ("wall", "ladder", "heat", "rotation", "options", "budget", "health")
_OF_A_SYMBOL: Final = ("ladder", "heat", "options")
_SETTLE_S: Final = 2.5


def take(browser: Browser, url: str, folder: Path) -> None:
    for size in (WIDE, NARROW):
        for theme in ("dark", "light"):
            looker = Looker(browser, url, size)
            looker.page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
            for view in VIEWS:
                page = looker.view(f"{view}/SPY" if view in _OF_A_SYMBOL else view)
                time.sleep(_SETTLE_S)
                path = folder / f"{view}-{theme}-{size[0]}.png"
                page.screenshot(path=path, full_page=size == NARROW)
            print(size[0], theme, looker.complaints or "no complaint")
            looker.close()


def shrink(folder: Path) -> None:
    if shutil.which("pngquant"):
        pictures = map(str, sorted(folder.glob("*.png")))
        subprocess.run(["pngquant", "--force", "--ext", ".png", "64", *pictures], check=True)


if __name__ == "__main__":
    address, target = sys.argv[1], Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    with running_chromium() as chromium:
        take(chromium, address, target)
    shrink(target)
