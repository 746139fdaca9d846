"""Where the feeds find the simulators: in source sim they take the place of both vendors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import SettingsError
from shared.settings_addresses import address
from shared.settings_checks import LOOPBACK, host_of
from shared.settings_sections import (
    AlphaVantageSettings,
    IbkrSettings,
    Secret,
    TwsSimulatorSettings,
    VendorSimulatorSettings,
)
from shared.settings_words import named

# A key of the user's is not for a simulator, whose log anyone may read.
_SIMULATED_KEY: Final = "SIMULATED"


def simulated_gateway(
    ibkr: IbkrSettings, simulator: TwsSimulatorSettings, env: Mapping[str, str], home: Path
) -> IbkrSettings:
    """The simulator's address; only the process's own environment overrides it."""
    host, port = address("tws", (simulator.host, simulator.port), home)
    return msgspec.structs.replace(
        ibkr,
        host=ibkr.host if env.get("IBKR_HOST") else host,
        port=ibkr.port if env.get("IBKR_PORT") else port,
    )


def simulated_vendor(
    vendor: AlphaVantageSettings,
    simulator: VendorSimulatorSettings,
    env: Mapping[str, str],
    home: Path,
) -> AlphaVantageSettings:
    """The simulator's address and a key of its own, unless the environment names another URL."""
    if env.get("ALPHA_VANTAGE_BASE_URL"):
        _check_simulated(vendor.base_url)
        return vendor
    host, port = address("alphavantage", (simulator.host, simulator.port), home)
    return msgspec.structs.replace(
        vendor, base_url=f"http://{host}:{port}/query", api_key=Secret(_SIMULATED_KEY)
    )


def _check_simulated(url: str) -> None:
    """Data of the vendor itself would be published as simulated."""
    host = host_of(url)
    if host not in LOOPBACK:
        where = named(host or "no host")
        problem = f"ALPHA_VANTAGE_BASE_URL: was at {where}, must be on this machine in source sim"
        raise SettingsError([problem])
