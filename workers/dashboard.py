"""The dashboard: Redis → a page in the browser, on this machine only."""

from __future__ import annotations

import sys

from shared.dashboard.server import NAME, application
from shared.serving import serve
from shared.settings import DashboardSettings, Settings


def section(settings: Settings) -> DashboardSettings:
    return settings.dashboard


if __name__ == "__main__":
    sys.exit(serve(NAME, section, application))
