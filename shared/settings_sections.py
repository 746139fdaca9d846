from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from shared.settings_words import redacted_url

WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment", "watchdog")
VENDOR_WORKERS: Final = ("av_options", "av_sentiment")
# They only read: no lease, no heartbeat, and nobody waits for them.
READERS: Final = ("exporter", "dashboard")

WorkerName = Literal["ibkr_depth", "ibkr_trades", "av_options", "av_sentiment", "watchdog"]
Source = Literal["sim", "live"]
LogLevel = Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Indicator = Literal["RSI", "MACD", "BBANDS", "ATR"]
OptionsFunction = Literal["REALTIME_OPTIONS", "HISTORICAL_OPTIONS"]
Entitlement = Literal["", "realtime", "delayed"]
IndicatorInterval = Literal["1min", "5min", "15min", "30min", "60min", "daily"]

Text = Annotated[str, Meta(min_length=1, max_length=255)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Attempts = Annotated[int, Meta(ge=0, le=1_000_000)]
ClientId = Annotated[int, Meta(ge=1, le=2_147_483_000)]
TtlS = Annotated[int, Meta(ge=1, le=31_536_000)]
ShortS = Annotated[float, Meta(ge=0.05, le=60)]
SpanS = Annotated[float, Meta(ge=0.1, le=86_400)]
CooldownS = Annotated[float, Meta(ge=0, le=3_600)]
Period = Annotated[int, Meta(ge=1, le=1_000)]
Bands = Annotated[int, Meta(ge=1, le=20)]


class Secret:
    """Text that must not reach a log: only reveal() gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class RedisSettings(Struct, frozen=True, forbid_unknown_fields=True):
    url: str = ""
    password: Secret = Secret()
    worker_users: bool = False
    ssl_ca_certs: str = ""
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    key_prefix: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_.:-]*\Z")] = ""
    connect_timeout_s: ShortS = 2.0
    queue_max_entries: Annotated[int, Meta(ge=1_000, le=10_000_000)] = 50_000
    queue_max_bytes: Annotated[int, Meta(ge=1_048_576, le=8_589_934_592)] = 134_217_728
    flush_max_updates: Annotated[int, Meta(ge=1, le=10_000)] = 200
    maxmemory_mb: Annotated[int, Meta(ge=64, le=1_048_576)] = 1024

    def __repr__(self) -> str:
        return f"RedisSettings(url={redacted_url(self.url)!r}, key_prefix={self.key_prefix!r})"


class IbkrSettings(Struct, frozen=True, forbid_unknown_fields=True):
    host: Text = "127.0.0.1"
    port: Port = 7497
    client_id: ClientId = 777
    client_id_max_offset: Annotated[int, Meta(ge=0, le=100)] = 5
    trades_client_id: ClientId = 787
    probe_client_id: ClientId = 797
    connect_timeout_s: ShortS = 4.0
    base_delay_s: Annotated[float, Meta(ge=0.1, le=300)] = 2.0
    max_delay_s: Annotated[float, Meta(ge=0.1, le=3_600)] = 4.0
    max_reconnect_attempts: Attempts = 10
    max_messages_per_s: Annotated[int, Meta(ge=1, le=50)] = 20
    probe_interval_s: ShortS = 5.0
    probe_timeout_s: ShortS = 3.0
    restore_deadline_s: Annotated[float, Meta(ge=1, le=3_600)] = 60.0
    depth_rows: Annotated[int, Meta(ge=1, le=60)] = 10
    max_concurrent_depth: Annotated[int, Meta(ge=1, le=60)] = 3
    rotation_s: Annotated[float, Meta(ge=1, le=86_400)] = 15.0
    slot_cooldown_s: Annotated[float, Meta(ge=0, le=60)] = 1.0
    stream_maxlen: Annotated[int, Meta(ge=100, le=100_000_000)] = 10_000
    heartbeat_ttl_s: Annotated[int, Meta(ge=1, le=86_400)] = 30
    error309_cooldown_s: CooldownS = 8.0
    error309_recovery_cycles: Annotated[int, Meta(ge=1, le=1_000)] = 4
    fallback_retry_s: SpanS = 900.0
    depth_stale_s: Annotated[float, Meta(ge=1, le=3_600)] = 10.0
    tick_streams: Annotated[int, Meta(ge=0, le=60)] = 5
    tick_symbol_wait_s: Annotated[float, Meta(ge=0, le=3_600)] = 15.0
    tick_retry_s: SpanS = 300.0
    line_retry_s: SpanS = 60.0
    line_stale_s: Annotated[float, Meta(ge=1, le=3_600)] = 30.0
    allow_delayed: bool = False
    candle_grace_s: ShortS = 2.0
    backfill_reach_s: Annotated[float, Meta(ge=0, le=86_400)] = 7_200.0
    backfill_trades: bool = False
    log_level: LogLevel = "INFO"


class SymbolSettings(Struct, frozen=True, forbid_unknown_fields=True):
    level2: tuple[str, ...] = ()
    standard: tuple[str, ...] = ()


class Ttls(Struct, frozen=True, forbid_unknown_fields=True):
    market_data: TtlS = 60
    order_book: TtlS = 60
    trades: TtlS = 86_400
    bars: TtlS = 86_400
    bars_1min: TtlS = 432_000
    options: TtlS = 180
    greeks: TtlS = 180
    sentiment: TtlS = 3_600
    technicals: TtlS = 900
    monitoring: TtlS = 120
    heartbeat: TtlS = 30


class Freshness(Struct, frozen=True, forbid_unknown_fields=True):
    depth_s: SpanS = 15.0
    quotes_s: SpanS = 30.0
    trades_s: SpanS = 120.0
    bars_s: SpanS = 20.0
    options_s: SpanS = 60.0
    sentiment_s: SpanS = 900.0
    technicals_s: SpanS = 300.0


class DataIngestion(Struct, frozen=True, forbid_unknown_fields=True):
    ttls: Ttls = Ttls()
    freshness: Freshness = Freshness()
    heartbeat_interval_s: ShortS = 2.0
    metrics_interval_s: SpanS = 10.0


class Modules(Struct, frozen=True, forbid_unknown_fields=True):
    data_ingestion: DataIngestion = DataIngestion()


class AlphaVantageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    api_key: Secret = Secret()
    base_url: Annotated[str, Meta(pattern=r"^https?://[^\s]+\Z")] = (
        "https://www.alphavantage.co/query"
    )
    calls_per_min: Annotated[int, Meta(ge=1, le=100_000)] = 600
    safety_buffer: Annotated[int, Meta(ge=0, le=100_000)] = 10
    calls_per_s: Annotated[int, Meta(ge=0, le=1_000)] = 0
    daily_cooldown_s: Annotated[float, Meta(ge=1, le=86_400)] = 3_600.0
    connect_timeout_s: ShortS = 5.0
    read_timeout_s: ShortS = 10.0
    request_timeout_s: ShortS = 15.0
    max_body_mb: Annotated[int, Meta(ge=1, le=1_024)] = 32
    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 3
    interval_jitter: Annotated[float, Meta(ge=0, le=0.5)] = 0.1
    options_interval_s: SpanS = 10.0
    sentiment_interval_s: SpanS = 300.0
    technicals_interval_s: SpanS = 60.0
    closed_slowdown: Annotated[float, Meta(ge=1, le=1_000)] = 6.0
    failure_threshold: Annotated[int, Meta(ge=1, le=1_000)] = 3
    failure_backoff_s: SpanS = 30.0
    failure_backoff_max_s: SpanS = 600.0
    entitlement_retry_s: SpanS = 3_600.0
    options_function: OptionsFunction = "REALTIME_OPTIONS"
    options_date: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?\Z")] = ""
    sentiment_skip: tuple[str, ...] = ("SPY", "QQQ", "IWM", "VXX")
    news_limit: Annotated[int, Meta(ge=50, le=1_000)] = 50
    indicators: tuple[Indicator, ...] = ("RSI", "MACD", "BBANDS", "ATR")
    indicator_interval: IndicatorInterval = "5min"
    series_type: Literal["close", "open", "high", "low"] = "close"
    rsi_period: Period = 14
    atr_period: Period = 14
    macd_fast: Period = 12
    macd_slow: Period = 26
    macd_signal: Period = 9
    bbands_period: Period = 20
    bbands_up: Bands = 2
    bbands_down: Bands = 2
    entitlement: Entitlement = ""


class MarketSettings(Struct, frozen=True, forbid_unknown_fields=True):
    check_staleness_after_hours: bool = False
    calendar: Text = "XNYS"


class WatchdogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    interval_s: ShortS = 1.0
    resubscribe_cooldown_s: SpanS = 60.0
    reconnect_cooldown_s: SpanS = 180.0
    actions_per_hour: Annotated[int, Meta(ge=0, le=1_000)] = 6
    rhythm_factor: Annotated[float, Meta(ge=1, le=1_000)] = 4.0


class AlertSettings(Struct, frozen=True, forbid_unknown_fields=True):
    urls: tuple[Secret, ...] = ()
    interval_s: SpanS = 900.0
    group_s: ShortS = 10.0


class ExporterSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    host: Literal["127.0.0.1"] = "127.0.0.1"
    port: Port = 9472


class DashboardSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Without `operator_token` the dashboard shows and obeys nobody."""

    enabled: bool = True
    host: Literal["127.0.0.1"] = "127.0.0.1"
    port: Port = 9473
    operator_token: Secret = Secret()


class TwsSimulatorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    host: Literal["127.0.0.1", "localhost"] = "127.0.0.1"
    port: Port = 7497
    control_port: Port = 7498
    seed: Annotated[int, Meta(ge=0, le=4_294_967_295)] = 7
    updates_per_s: Annotated[float, Meta(ge=0, le=100_000)] = 20.0
    depth_cap: Annotated[int, Meta(ge=0, le=1_000)] = 3
    style: Literal["shift", "replace"] = "shift"
    scenario: str = ""


class VendorSimulatorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    host: Literal["127.0.0.1", "localhost"] = "127.0.0.1"
    port: Port = 7480
    control_port: Port = 7481
    seed: Annotated[int, Meta(ge=0, le=4_294_967_295)] = 7
    plan: Literal[75, 150, 300, 600, 1200] = 600
    contracts: Annotated[int, Meta(ge=2, le=12_000)] = 600
    moving: Annotated[float, Meta(ge=0, le=1)] = 0.05
    scenario: str = ""


class SimulatorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    tws: TwsSimulatorSettings = TwsSimulatorSettings()
    alphavantage: VendorSimulatorSettings = VendorSimulatorSettings()


class SupervisionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled_workers: tuple[WorkerName, ...] = ()
    ready_deadline_s: Annotated[float, Meta(ge=5, le=600)] = 60.0
    heartbeat_late_s: Annotated[float, Meta(ge=2, le=600)] = 6.0
    stall_s: Annotated[float, Meta(ge=1, le=600)] = 8.0

    def workers(self) -> tuple[str, ...]:
        return self.enabled_workers or WORKERS
