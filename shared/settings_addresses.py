"""Where programs of ours listen: `make up` may have had to pick another port than configured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shared.errors import SettingsError
from shared.settings_sections import DashboardSettings, ExporterSettings
from shared.settings_words import shown

Served = TypeVar("Served", ExporterSettings, DashboardSettings)


def served(section: Served, name: str, home: Path) -> Served:
    """The section of a process that serves, with the port that it was given."""
    _, port = address(name, (section.host, section.port), home)
    return msgspec.structs.replace(section, port=port)


def address(name: str, wanted: tuple[str, int], home: Path) -> tuple[str, int]:
    """Host and port as `make up` left them, else those wanted."""
    try:
        found: dict[str, Any] = json.loads((home / f"var/run/{name}.json").read_text("utf-8"))
        return str(found["host"]), int(found["port"])
    except FileNotFoundError:
        return wanted
    except (OSError, ArithmeticError, RecursionError, ValueError, KeyError, TypeError) as error:
        problem = f"var/run/{name}.json: must hold host and port, {shown(error)}"
        raise SettingsError([problem]) from error
