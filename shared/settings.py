from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from shared.errors import SettingsError
from shared.settings_environment import VARIABLES, merged_environment, overlay
from shared.settings_fields import EnvironmentText, decode_section, shown
from shared.settings_sections import (
    WORKERS,
    AlphaVantageSettings,
    DataIngestion,
    IbkrSettings,
    LogLevel,
    MarketSettings,
    Modules,
    RedisSettings,
    Secret,
    SimulatorSettings,
    Source,
    SupervisionSettings,
    SymbolSettings,
    Ttls,
    TwsSimulatorSettings,
    redacted_url,
)
from shared.universe import Instrument, Universe, load_universe
from shared.yaml_document import load_mapping

__all__ = [
    "VARIABLES",
    "WORKERS",
    "AlphaVantageSettings",
    "DataIngestion",
    "IbkrSettings",
    "Instrument",
    "LogLevel",
    "MarketSettings",
    "Modules",
    "RedisSettings",
    "Secret",
    "Settings",
    "SimulatorSettings",
    "Source",
    "SupervisionSettings",
    "SymbolSettings",
    "Ttls",
    "TwsSimulatorSettings",
    "Universe",
    "load_settings",
    "redacted_url",
    "repository_root",
    "variable_home",
]

_REDIS_SCHEMES: Final = ("redis", "rediss", "unix")


class _Document(msgspec.Struct, frozen=True):
    """config/ingestion.yaml, section by section."""

    source: Source = "sim"
    redis: RedisSettings = RedisSettings()
    ibkr: IbkrSettings = IbkrSettings()
    symbols: SymbolSettings = SymbolSettings()
    modules: Modules = Modules()
    alpha_vantage: AlphaVantageSettings = AlphaVantageSettings()
    market: MarketSettings = MarketSettings()
    simulators: SimulatorSettings = SimulatorSettings()
    supervision: SupervisionSettings = SupervisionSettings()


class Settings(msgspec.Struct, frozen=True):
    source: Source
    redis: RedisSettings
    ibkr: IbkrSettings
    symbols: SymbolSettings
    modules: Modules
    alpha_vantage: AlphaVantageSettings
    market: MarketSettings
    simulators: SimulatorSettings
    supervision: SupervisionSettings
    universe: Universe
    home: str = ""  # the directory that holds var/

    def depth_symbols(self) -> tuple[str, ...]:
        chosen = set(self.symbols.level2) or set(self.universe.symbols())
        chosen -= set(self.symbols.standard)
        return tuple(symbol for symbol in self.universe.symbols() if symbol in chosen)

    def market_symbols(self) -> tuple[str, ...]:
        """Every symbol, most important first: pinned, then those with depth, then the others."""
        known = self.universe.symbols()
        ranked = [*self.universe.pinned, *self.symbols.level2, *self.depth_symbols(), *known]
        return tuple(dict.fromkeys(symbol for symbol in ranked if symbol in known))


def repository_root() -> Path:
    return Path(__file__).resolve().parent.parent


def variable_home(env: Mapping[str, str], root: Path) -> Path:
    """The directory that holds var/ (sockets, logs, the embedded Redis)."""
    return Path(env.get("TICKVISOR_HOME") or root)


def load_settings(env: Mapping[str, str], root: Path) -> Settings:
    """Process environment, `.env`, YAML, defaults, in this order; all faults in one error."""
    problems: list[str] = []
    variables = merged_environment(env, root / ".env", problems)
    home = variable_home({name: value.text for name, value in variables.items()}, root)
    raw = load_mapping(_place(variables, "TICKVISOR_CONFIG", root), problems, typed=True)
    overlay(raw, variables)
    document = decode_section(_Document, raw, "", problems)
    universe = load_universe(_place(variables, "SYMBOL_CONFIG_PATH", root), problems)
    if document is None or problems:
        raise SettingsError(problems)
    document = msgspec.structs.replace(
        document,
        redis=_with_embedded_url(document.redis, home),
        ibkr=_with_simulator_address(document, env, home),
    )
    settings = Settings(
        **{name: getattr(document, name) for name in document.__struct_fields__},
        universe=universe,
        home=str(home),
    )
    problems.extend(_contradictions(settings))
    if problems:
        raise SettingsError(problems)
    return settings


def _place(variables: Mapping[str, EnvironmentText], name: str, root: Path) -> Path:
    defaults = {
        "TICKVISOR_CONFIG": "config/ingestion.yaml",
        "SYMBOL_CONFIG_PATH": "config/ibkr_symbols.yaml",
    }
    return root / (variables[name].text if name in variables else defaults[name])


def _with_embedded_url(redis: RedisSettings, home: Path) -> RedisSettings:
    """With no REDIS_URL, the embedded Redis: `make up` leaves its address in var/run."""
    if redis.url:
        return redis
    try:
        url = (home / "var/run/redis.url").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        url = ""
    return msgspec.structs.replace(redis, url=url)


def _with_simulator_address(
    document: _Document, env: Mapping[str, str], home: Path
) -> IbkrSettings:
    """In source sim the gateway is the simulator; only the process's own environment overrides."""
    if document.source != "sim":
        return document.ibkr
    host, port = _simulator_address(document.simulators.tws, home)
    return msgspec.structs.replace(
        document.ibkr,
        host=document.ibkr.host if env.get("IBKR_HOST") else host,
        port=document.ibkr.port if env.get("IBKR_PORT") else port,
    )


def _simulator_address(tws: TwsSimulatorSettings, home: Path) -> tuple[str, int]:
    """`make up` may have had to pick another port than the configured one, and says so here."""
    try:
        found = json.loads((home / "var/run/tws.json").read_text(encoding="utf-8"))
        return str(found["host"]), int(found["port"])
    except FileNotFoundError:
        return tws.host, tws.port
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError([f"var/run/tws.json: must hold host and port, {error!r}"]) from error


def _contradictions(settings: Settings) -> list[str]:
    problems = _symbol_contradictions(settings)
    pinned, slots = len(settings.universe.pinned), settings.ibkr.max_concurrent_depth
    if pinned >= slots:
        problems.append(f"pinned: was {pinned} symbols, must be fewer than {slots} depth slots")
    if settings.redis.url and urlsplit(settings.redis.url).scheme not in _REDIS_SCHEMES:
        url = redacted_url(settings.redis.url)
        problems.append(
            f"redis.url: was {shown(url)}, must start with redis://, rediss:// or unix://"
        )
    if settings.ibkr.max_delay_s < settings.ibkr.base_delay_s:
        problems.append(
            f"ibkr.max_delay_s: was {settings.ibkr.max_delay_s},"
            f" must be at least base_delay_s {settings.ibkr.base_delay_s}"
        )
    vendor = settings.alpha_vantage
    if vendor.safety_buffer >= vendor.calls_per_min:
        problems.append(
            f"alpha_vantage.safety_buffer: was {vendor.safety_buffer},"
            f" must be less than calls_per_min {vendor.calls_per_min}"
        )
    problems.extend(_client_id_overlaps(settings.ibkr))
    return problems


def _symbol_contradictions(settings: Settings) -> list[str]:
    known = settings.universe.symbols()
    lists = {"level2": settings.symbols.level2, "standard": settings.symbols.standard}
    problems = [
        f"symbols.{name}: was {shown(symbol)}, must be in the universe file"
        for name, symbols in lists.items()
        for symbol in symbols
        if symbol not in known
    ]
    problems += [
        f"symbols.standard: was {shown(symbol)}, must not be in level2 too"
        for symbol in settings.symbols.standard
        if symbol in settings.symbols.level2
    ]
    problems += [
        f"pinned: was {shown(symbol)}, must be a depth symbol"
        for symbol in settings.universe.pinned
        if symbol in known and symbol not in settings.depth_symbols()
    ]
    return problems


def _client_id_overlaps(ibkr: IbkrSettings) -> list[str]:
    """Two workers counting upwards into one range would throw each other out (TWS error 326)."""
    starts = {
        "client_id": ibkr.client_id,
        "trades_client_id": ibkr.trades_client_id,
        "probe_client_id": ibkr.probe_client_id,
    }
    ordered = sorted(starts.items(), key=lambda item: item[1])
    return [
        f"ibkr.{name}: was {start}, must be more than {ibkr.client_id_max_offset} above {below}"
        f" {ordered[index][1]}"
        for index, (name, start) in enumerate(ordered[1:])
        for below in (ordered[index][0],)
        if start - ordered[index][1] <= ibkr.client_id_max_offset
    ]
