"""The settings a script runs with, or the reason why it cannot."""

from __future__ import annotations

import os
import sys

import typer

from shared.errors import SettingsError
from shared.process import EXIT_SETTINGS
from shared.settings import Settings, load_settings, repository_root
from shared.settings_redis import OPERATOR, as_user


def settings_or_exit(program: str) -> Settings:
    """With the operator's login; every fault on a line of its own, then exit 78."""
    try:
        return as_user(load_settings(os.environ, repository_root()), OPERATOR)
    except SettingsError as error:
        print(f"{program}: unusable settings", *error.problems, sep="\n  ", file=sys.stderr)
        raise typer.Exit(EXIT_SETTINGS) from None


def fail(program: str, reason: str) -> typer.Exit:
    """One line on stderr; the caller raises what this returns (exit 1)."""
    print(f"{program}: {reason}", file=sys.stderr)
    return typer.Exit(1)
