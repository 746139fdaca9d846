"""Figures for Prometheus: read from Redis whenever they are asked for, never written."""

from __future__ import annotations

import sys
from typing import Final

from shared.exporter.app import exporter
from shared.serving import serve

NAME: Final = "exporter"


if __name__ == "__main__":
    sys.exit(
        serve(NAME, lambda settings: settings.exporter, lambda settings, _: exporter(settings))
    )
