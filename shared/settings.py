from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from shared.errors import SettingsError
from shared.settings_addresses import served
from shared.settings_checks import (
    client_id_overlaps,
    operator_token_faults,
    redis_faults,
    symbol_contradictions,
    vendor_contradictions,
)
from shared.settings_environment import VARIABLES, merged_environment, overlay
from shared.settings_fields import EnvironmentText, decode_section
from shared.settings_redis import login_faults, own_address, with_tls_files
from shared.settings_sections import (
    READERS,
    VENDOR_WORKERS,
    WORKERS,
    AlertSettings,
    AlphaVantageSettings,
    DashboardSettings,
    DataIngestion,
    ExporterSettings,
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
    VendorSimulatorSettings,
    WatchdogSettings,
)
from shared.settings_simulated import simulated_gateway, simulated_vendor
from shared.settings_words import named, redacted_url
from shared.universe import Instrument, Universe, load_universe
from shared.yaml_document import load_mapping

__all__ = [
    "READERS",
    "VARIABLES",
    "VENDOR_WORKERS",
    "WORKERS",
    "AlertSettings",
    "AlphaVantageSettings",
    "DashboardSettings",
    "DataIngestion",
    "ExporterSettings",
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
    "VendorSimulatorSettings",
    "WatchdogSettings",
    "load_settings",
    "redacted_url",
    "repository_root",
    "variable_home",
]


class _Document(msgspec.Struct, frozen=True):
    """config/ingestion.yaml, section by section."""

    source: Source = "sim"
    redis: RedisSettings = RedisSettings()
    ibkr: IbkrSettings = IbkrSettings()
    symbols: SymbolSettings = SymbolSettings()
    modules: Modules = Modules()
    alpha_vantage: AlphaVantageSettings = AlphaVantageSettings()
    market: MarketSettings = MarketSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    alerts: AlertSettings = AlertSettings()
    exporter: ExporterSettings = ExporterSettings()
    dashboard: DashboardSettings = DashboardSettings()
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
    watchdog: WatchdogSettings
    alerts: AlertSettings
    exporter: ExporterSettings
    dashboard: DashboardSettings
    simulators: SimulatorSettings
    supervision: SupervisionSettings
    universe: Universe
    home: str = ""  # the directory that holds var/
    # Where other programs reach the embedded Redis; empty where REDIS_URL names another.
    embedded_url: Secret = Secret()

    def depth_symbols(self) -> tuple[str, ...]:
        chosen = set(self.symbols.level2) or set(self.universe.symbols())
        chosen -= set(self.symbols.standard)
        return tuple(symbol for symbol in self.universe.symbols() if symbol in chosen)

    def market_symbols(self) -> tuple[str, ...]:
        """Every symbol, most important first: pinned, then those with depth, then the others."""
        known = self.universe.symbols()
        ranked = [*self.universe.pinned, *self.symbols.level2, *self.depth_symbols(), *known]
        return tuple(dict.fromkeys(symbol for symbol in ranked if symbol in known))

    def readers(self) -> tuple[str, ...]:
        """Those of `READERS` that are to run."""
        chosen = {"exporter": self.exporter.enabled, "dashboard": self.dashboard.enabled}
        return tuple(name for name in READERS if chosen[name])

    def vendor_symbols(self) -> tuple[str, ...]:
        """Symbols with options and news: an index has neither there."""
        symbols = self.market_symbols()
        return tuple(one for one in symbols if self.universe.by_symbol(one).sec_type == "STK")


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
    problems.extend(_open_passwords(raw))
    overlay(raw, variables)
    document = decode_section(_Document, raw, "", problems)
    universe = load_universe(_place(variables, "SYMBOL_CONFIG_PATH", root), problems)
    if document is None or problems:
        raise SettingsError(problems)
    embedded = "" if document.redis.url else _embedded_url(home)
    redis = with_tls_files(document.redis, root)
    if embedded:
        redis = msgspec.structs.replace(redis, url=own_address(embedded, home))
    document = msgspec.structs.replace(
        document,
        redis=redis,
        exporter=served(document.exporter, "exporter", home),
        dashboard=served(document.dashboard, "dashboard", home),
    )
    document = _with_simulators(document, env, home)
    settings = Settings(
        **{name: getattr(document, name) for name in document.__struct_fields__},
        universe=universe,
        home=str(home),
        embedded_url=Secret(embedded if urlsplit(embedded).username else ""),
    )
    problems.extend(_contradictions(settings))
    if problems:
        raise SettingsError(problems)
    return settings


def _with_simulators(document: _Document, env: Mapping[str, str], home: Path) -> _Document:
    if document.source != "sim":
        return document
    simulators = document.simulators
    return msgspec.structs.replace(
        document,
        ibkr=simulated_gateway(document.ibkr, simulators.tws, env, home),
        alpha_vantage=simulated_vendor(document.alpha_vantage, simulators.alphavantage, env, home),
    )


def _place(variables: Mapping[str, EnvironmentText], name: str, root: Path) -> Path:
    defaults = {
        "TICKVISOR_CONFIG": "config/ingestion.yaml",
        "SYMBOL_CONFIG_PATH": "config/ibkr_symbols.yaml",
    }
    return root / (variables[name].text if name in variables else defaults[name])


def _embedded_url(home: Path) -> str:
    """With no REDIS_URL, the embedded Redis: `make up` leaves its address in var/run."""
    try:
        return (home / "var/run/redis.url").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise SettingsError([f"var/run/redis.url: unreadable, {named(error)}"]) from None


def _open_passwords(raw: Mapping[str, object]) -> list[str]:
    """Files under config/ are shown around and kept in version control."""
    section = raw.get("redis")
    if isinstance(section, Mapping) and "password" in section:
        return ["redis.password: must not stand in this file, set REDIS_PASSWORD in .env"]
    return []


def _contradictions(settings: Settings) -> list[str]:
    universe, ibkr = settings.universe, settings.ibkr
    problems = symbol_contradictions(settings.symbols, universe, settings.depth_symbols())
    pinned, slots = len(universe.pinned), ibkr.max_concurrent_depth
    if pinned >= slots:
        problems.append(f"pinned: was {pinned} symbols, must be fewer than {slots} depth slots")
    problems += redis_faults(settings.redis) or login_faults(settings.redis)
    problems += operator_token_faults(settings.dashboard.operator_token)
    if ibkr.max_delay_s < ibkr.base_delay_s:
        problems.append(
            f"ibkr.max_delay_s: was {ibkr.max_delay_s},"
            f" must be at least base_delay_s {ibkr.base_delay_s}"
        )
    problems += vendor_contradictions(settings.alpha_vantage, settings.modules.data_ingestion.ttls)
    return problems + client_id_overlaps(ibkr)
