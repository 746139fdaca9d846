from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shared.settings_fields import EnvironmentText, unknown_key
from shared.settings_words import named
from shared.yaml_document import read_text

# Names and meaning are those of the depth feed's documented environment; each wins over YAML.
VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "TICKVISOR_SOURCE": ("source",),
    "IBKR_HOST": ("ibkr", "host"),
    "IBKR_PORT": ("ibkr", "port"),
    "IBKR_CLIENT_ID": ("ibkr", "client_id"),
    "IBKR_CLIENT_ID_MAX_OFFSET": ("ibkr", "client_id_max_offset"),
    "IBKR_DEPTH_ROWS": ("ibkr", "depth_rows"),
    "IBKR_MAX_CONCURRENT_DEPTH": ("ibkr", "max_concurrent_depth"),
    "IBKR_ROTATION_SECS": ("ibkr", "rotation_s"),
    "IBKR_STREAM_MAXLEN": ("ibkr", "stream_maxlen"),
    "IBKR_HEARTBEAT_TTL": ("ibkr", "heartbeat_ttl_s"),
    "IBKR_ERROR309_COOLDOWN_SECS": ("ibkr", "error309_cooldown_s"),
    "IBKR_ERROR309_RECOVERY_CYCLES": ("ibkr", "error309_recovery_cycles"),
    "IBKR_LOG_LEVEL": ("ibkr", "log_level"),
    "REDIS_URL": ("redis", "url"),
    "REDIS_PASSWORD": ("redis", "password"),
    "REDIS_SSL_CA_CERTS": ("redis", "ssl_ca_certs"),
    "REDIS_SSL_CERTFILE": ("redis", "ssl_certfile"),
    "REDIS_SSL_KEYFILE": ("redis", "ssl_keyfile"),
    "ALPHA_VANTAGE_API_KEY": ("alpha_vantage", "api_key"),
    "ALPHA_VANTAGE_BASE_URL": ("alpha_vantage", "base_url"),
    "TICKVISOR_DASHBOARD_TOKEN": ("dashboard", "operator_token"),
}
# Read before the settings themselves: they say where the files are.
PLACES: Final = ("SYMBOL_CONFIG_PATH", "TICKVISOR_CONFIG", "TICKVISOR_HOME")

_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
_QUOTED: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*')\s*(?:#.*)?""", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def merged_environment(
    env: Mapping[str, str], dotenv: Path, problems: list[str]
) -> dict[str, EnvironmentText]:
    """Our variables, the process environment before `.env`; an empty value counts as unset."""
    values = read_dotenv(dotenv, problems)
    for name in (*VARIABLES, *PLACES):
        if name in env:
            values[name] = EnvironmentText(name, env[name])
    return {name: value for name, value in values.items() if value.text.strip()}


def read_dotenv(path: Path, problems: list[str]) -> dict[str, EnvironmentText]:
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.append(f"{path.name}: unreadable, {error.strerror or type(error).__name__}")
        return {}
    except ValueError as error:
        problems.append(f"{path.name}: unreadable, {named(error)}")
        return {}
    values: dict[str, EnvironmentText] = {}
    for number, line in enumerate(lines, start=1):
        _read_line(line.strip(), f"{path.name} line {number}", values, problems)
    return values


def overlay(document: dict[str, Any], values: Mapping[str, EnvironmentText]) -> None:
    """Put every variable that is set at its place in the parsed YAML document."""
    for name, path in VARIABLES.items():
        if name not in values:
            continue
        section: dict[str, Any] = document
        for part in path[:-1]:
            inner = section.get(part)
            if inner is None:
                inner = section[part] = {}
            if not isinstance(inner, dict):
                return
            section = inner
        section[path[-1]] = _normalized(name, values[name])


def _read_line(
    line: str, where: str, values: dict[str, EnvironmentText], problems: list[str]
) -> None:
    if not line or line.startswith("#"):
        return
    match = _ASSIGNMENT.fullmatch(line)
    if match is None:
        # It may be a key or a password and nothing else.
        problems.append(f"{where}: was {len(line)} characters without =, must be NAME=VALUE")
        return
    name, text = match.groups()
    if name.startswith(("IBKR_", "TICKVISOR_", "ALPHA_VANTAGE_")) and name not in {
        *VARIABLES,
        *PLACES,
    }:
        problems.append(unknown_key(f"{where} {name}", name, (*VARIABLES, *PLACES)))
        return
    value = _unquoted(text)
    if value is None:
        problems.append(f"{where} {name}: quote is not closed, or text follows it")
        return
    values[name] = EnvironmentText(f"{name} ({where})", value)


def _unquoted(text: str) -> str | None:
    if not text.startswith(('"', "'")):
        return re.split(r"\s+#|^#", text, maxsplit=1)[0].strip()
    match = _QUOTED.fullmatch(text)
    if match is None:
        return None
    body = match[1][1:-1]
    if text.startswith("'"):
        return body
    return re.sub(r"\\(.)", lambda hit: _ESCAPES.get(hit[1], hit[0]), body)


def _normalized(name: str, value: EnvironmentText) -> EnvironmentText:
    text = value.text.strip()
    if name == "IBKR_LOG_LEVEL":
        text = text.upper()
    return EnvironmentText(value.variable, text)
