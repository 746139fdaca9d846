from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import Secret, Settings, load_settings, redacted_url, repository_root

UNIVERSE = "symbols: {SPY: {venues: [ARCA]}, AAPL: , QQQ: , IWM: }\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/ingestion.yaml").write_text("")
    (tmp_path / "config/ibkr_symbols.yaml").write_text(UNIVERSE)
    return tmp_path


def load(root: Path, yaml: str = "", dotenv: str = "", **env: str) -> Settings:
    (root / "config/ingestion.yaml").write_text(yaml)
    (root / ".env").write_text(dotenv)
    return load_settings(env, root)


def problems(root: Path, yaml: str = "", dotenv: str = "", **env: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(root, yaml, dotenv, **env)
    return caught.value.problems


def test_the_shipped_configuration_loads(tmp_path: Path) -> None:
    settings = load_settings({"TICKVISOR_HOME": str(tmp_path)}, repository_root())
    assert settings.source == "sim"
    assert settings.ibkr.client_id == 777
    assert settings.ibkr.max_reconnect_attempts == 0
    assert settings.redis.url == ""
    assert settings.depth_symbols() == (
        "SPY", "QQQ", "IWM", "AAPL", "MSFT", "GOOGL", "AMZN", "META", "NVDA", "TSLA",
    )  # fmt: skip


def test_an_empty_file_gives_the_documented_defaults(root: Path) -> None:
    settings = load(root)
    assert settings.ibkr.max_reconnect_attempts == 10
    assert settings.ibkr.rotation_s == 15.0
    assert settings.ibkr.stream_maxlen == 10_000
    assert settings.redis.queue_max_bytes == 134_217_728
    assert settings.modules.data_ingestion.ttls.bars_1min == 432_000
    assert settings.alpha_vantage.calls_per_min == 600


@pytest.mark.parametrize(
    ("variable", "text", "field", "expected"),
    [
        ("IBKR_HOST", "10.0.0.5", "host", "10.0.0.5"),
        ("IBKR_PORT", "4002", "port", 4002),
        ("IBKR_CLIENT_ID", "700", "client_id", 700),
        ("IBKR_CLIENT_ID_MAX_OFFSET", "2", "client_id_max_offset", 2),
        ("IBKR_DEPTH_ROWS", "5", "depth_rows", 5),
        ("IBKR_MAX_CONCURRENT_DEPTH", "2", "max_concurrent_depth", 2),
        ("IBKR_ROTATION_SECS", "8", "rotation_s", 8.0),
        ("IBKR_STREAM_MAXLEN", "500", "stream_maxlen", 500),
        ("IBKR_HEARTBEAT_TTL", "45", "heartbeat_ttl_s", 45),
        ("IBKR_ERROR309_COOLDOWN_SECS", "1.5", "error309_cooldown_s", 1.5),
        ("IBKR_ERROR309_RECOVERY_CYCLES", "6", "error309_recovery_cycles", 6),
        ("IBKR_LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ],
)
def test_a_variable_wins_over_yaml(
    root: Path, variable: str, text: str, field: str, expected: object
) -> None:
    yaml = "source: live\nibkr: {host: 10.9.9.9, port: 1, rotation_s: 99, log_level: ERROR}\n"
    assert getattr(load(root, yaml, **{variable: text}).ibkr, field) == expected


def test_dotenv_wins_over_yaml_and_the_process_environment_over_dotenv(root: Path) -> None:
    yaml = "ibkr: {rotation_s: 30, depth_rows: 5, client_id: 700}\n"
    dotenv = "IBKR_ROTATION_SECS=20\nIBKR_DEPTH_ROWS=6\n"
    settings = load(root, yaml, dotenv, IBKR_DEPTH_ROWS="7")
    assert (settings.ibkr.client_id, settings.ibkr.rotation_s) == (700, 20.0)
    assert settings.ibkr.depth_rows == 7


def test_an_empty_variable_counts_as_unset(root: Path) -> None:
    settings = load(root, "ibkr: {rotation_s: 30}", "REDIS_URL=\n", IBKR_ROTATION_SECS="")
    assert settings.ibkr.rotation_s == 30.0
    assert settings.redis.url == ""


def test_every_fault_of_yaml_environment_and_universe_is_reported_at_once(root: Path) -> None:
    (root / "config/ibkr_symbols.yaml").write_text("symbols: {'A:B': }\n")
    yaml = (
        "ibkr: {depth_rows: 61, log_level: LOUD, rotation_sec: 5}\n"
        "modules: {data_ingestion: {ttls: {bars: 0}}}\nredis: 6379\nkaleidoscope: {}\n"
    )
    assert problems(root, yaml, "oops\n", IBKR_PORT="abc") == (
        ".env line 1: was 4 characters without =, must be NAME=VALUE",
        "ibkr.depth_rows: was 61, must be an integer from 1 to 60",
        "ibkr.log_level: was 'LOUD', must be one of TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL",
        "ibkr.rotation_sec: unknown key, nearest is rotation_s",
        "IBKR_PORT: was 'abc', must be an integer from 1 to 65535",
        "modules.data_ingestion.ttls.bars: was 0, must be an integer from 1 to 31536000",
        "redis: was 6379, must be a mapping",
        "kaleidoscope: unknown key, must be one of alerts, alpha_vantage, dashboard, exporter,"
        " ibkr, market, modules, redis, simulators, source, supervision, symbols, watchdog",
        "ibkr_symbols.yaml: symbols: name was 'A:B', must not contain :",
    )


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("ibkr: {port: true}", "ibkr.port: was True, must be an integer from 1 to 65535"),
        ("ibkr: {port: '4002'}", "ibkr.port: was '4002', must be an integer from 1 to 65535"),
        ("ibkr: {port: 4002.5}", "ibkr.port: was 4002.5, must be an integer from 1 to 65535"),
        ("ibkr: {rotation_s: .nan}", "ibkr.rotation_s: was nan, must be a number from 1 to 86400"),
        ("ibkr: {rotation_s: .inf}", "ibkr.rotation_s: was inf, must be a number from 1 to 86400"),
        ("ibkr: {host: }", "ibkr.host: was None, must be text of 1 to 255 characters"),
        ("symbols: {level2: SPY}", "symbols.level2: was 'SPY', must be a list, each text"),
        ("symbols: {level2: [1]}", "symbols.level2: was [1], must be a list, each text"),
        ("ibkr: {port: 1}\nibkr: {}", "key ibkr stands twice, again in line 2"),
        ("ibkr: [", "while parsing a flow node"),
        ("- ibkr", "was a list, must be a mapping"),
        (
            "alpha_vantage: {api_key: 12}",
            "alpha_vantage.api_key: was a int, must be text in quotes",
        ),
        (
            "supervision: {enabled_workers: [ibkr_dept]}",
            "supervision.enabled_workers: was ['ibkr_dept'], must be a list, each one of",
        ),
        (
            "simulators: {tws: {host: 0.0.0.0}}",
            "simulators.tws.host: was '0.0.0.0', must be one of 127.0.0.1, localhost",
        ),
    ],
)
def test_an_unusable_value_is_named_with_its_bound(root: Path, yaml: str, expected: str) -> None:
    assert len(problems(root, yaml)) == 1
    assert expected in problems(root, yaml)[0]


def test_a_missing_file_is_named(root: Path) -> None:
    found = problems(root, TICKVISOR_CONFIG="config/absent.yaml", SYMBOL_CONFIG_PATH="nope.yaml")
    assert found == (
        f"{root}/config/absent.yaml: file is missing",
        f"{root}/nope.yaml: file is missing",
    )


def test_level2_and_standard_must_be_known_and_disjoint(root: Path) -> None:
    yaml = "symbols: {level2: [SPY, XYZ], standard: [SPY]}"
    assert problems(root, yaml) == (
        "symbols.level2: was 'XYZ', must be in the universe file",
        "symbols.standard: was 'SPY', must not be in level2 too",
    )


def test_pinned_symbols_must_leave_a_slot_for_the_others(root: Path) -> None:
    (root / "config/ibkr_symbols.yaml").write_text(f"{UNIVERSE}pinned: [SPY, QQQ]\n")
    found = problems(root, IBKR_MAX_CONCURRENT_DEPTH="2")
    assert found == ("pinned: was 2 symbols, must be fewer than 2 depth slots",)


def test_a_pinned_symbol_must_be_a_depth_symbol(root: Path) -> None:
    (root / "config/ibkr_symbols.yaml").write_text(f"{UNIVERSE}pinned: [SPY]\n")
    found = problems(root, "symbols: {standard: [SPY]}")
    assert found == ("pinned: was 'SPY', must be a depth symbol",)


def test_client_id_ranges_must_not_overlap(root: Path) -> None:
    assert problems(root, IBKR_CLIENT_ID="785") == (
        "ibkr.trades_client_id: was 787, must be more than 5 above client_id 785",
    )


def test_the_base_delay_must_not_exceed_the_longest(root: Path) -> None:
    assert problems(root, "ibkr: {base_delay_s: 40}") == (
        "ibkr.max_delay_s: was 4.0, must be at least base_delay_s 40.0",
    )


def test_the_safety_buffer_must_leave_calls_to_make(root: Path) -> None:
    assert problems(root, "alpha_vantage: {calls_per_min: 10}") == (
        "alpha_vantage.safety_buffer: was 10, must be less than calls_per_min 10",
    )


def test_a_redis_url_of_another_kind_is_refused_without_its_password(root: Path) -> None:
    assert problems(root, REDIS_URL="http://me:hunter2@localhost/0") == (
        "redis.url: was 'http://me:***@localhost/0', must start with redis://, rediss:// or unix://",
    )


def test_depth_symbols_are_all_but_the_standard_ones(root: Path) -> None:
    assert load(root, "symbols: {standard: [QQQ]}").depth_symbols() == ("SPY", "AAPL", "IWM")


def test_depth_symbols_keep_the_order_of_the_universe_file(root: Path) -> None:
    assert load(root, "symbols: {level2: [IWM, SPY]}").depth_symbols() == ("SPY", "IWM")


def test_the_embedded_redis_is_used_when_no_url_is_set(root: Path) -> None:
    (root / "var/run").mkdir(parents=True)
    (root / "var/run/redis.url").write_text("redis://127.0.0.1:6380/0\n")
    assert load(root).redis.url == "redis://127.0.0.1:6380/0"
    assert load(root, REDIS_URL="redis://db:1/0").redis.url == "redis://db:1/0"


def test_tickvisor_home_moves_var(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "var/run").mkdir(parents=True)
    (home / "var/run/redis.url").write_text("unix:///run/redis.sock")
    assert load(root, TICKVISOR_HOME=str(home)).redis.url == "unix:///run/redis.sock"


def test_sim_uses_the_configured_simulator_address(root: Path) -> None:
    yaml = "ibkr: {host: 10.0.0.5, port: 4001}\nsimulators: {tws: {port: 7500}}"
    settings = load(root, yaml, "IBKR_PORT=4002\n")
    assert (settings.ibkr.host, settings.ibkr.port) == ("127.0.0.1", 7500)


def test_sim_uses_the_address_that_make_up_picked(root: Path) -> None:
    (root / "var/run").mkdir(parents=True)
    (root / "var/run/tws.json").write_text('{"host": "127.0.0.1", "port": 7601}')
    assert load(root).ibkr.port == 7601


def test_sim_obeys_an_address_in_the_process_environment(root: Path) -> None:
    settings = load(root, IBKR_HOST="127.0.0.2", IBKR_PORT="4002")
    assert (settings.ibkr.host, settings.ibkr.port) == ("127.0.0.2", 4002)


def test_an_unreadable_simulator_address_is_named(root: Path) -> None:
    (root / "var/run").mkdir(parents=True)
    (root / "var/run/tws.json").write_text("{}")
    assert problems(root) == ("var/run/tws.json: must hold host and port, KeyError('host')",)


def test_live_uses_the_gateway_address_as_given(root: Path) -> None:
    (root / "var/run").mkdir(parents=True)
    (root / "var/run/tws.json").write_text('{"host": "127.0.0.1", "port": 7601}')
    settings = load(root, "", "IBKR_PORT=4002\n", TICKVISOR_SOURCE="live")
    assert (settings.source, settings.ibkr.host, settings.ibkr.port) == ("live", "127.0.0.1", 4002)


def test_an_unknown_source_is_refused(root: Path) -> None:
    assert problems(root, TICKVISOR_SOURCE="demo") == (
        "TICKVISOR_SOURCE: was 'demo', must be one of sim, live",
    )


def test_the_api_key_never_shows_in_a_repr(root: Path) -> None:
    settings = load(root, ALPHA_VANTAGE_API_KEY="K3Y", TICKVISOR_SOURCE="live")
    assert settings.alpha_vantage.api_key.reveal() == "K3Y"
    assert "K3Y" not in f"{settings!r}{settings.alpha_vantage.api_key}"


def test_the_redis_password_never_shows_in_a_repr(root: Path) -> None:
    settings = load(root, REDIS_URL="redis://:hunter2@127.0.0.1:6379/0")
    assert settings.redis.url == "redis://:hunter2@127.0.0.1:6379/0"
    assert "hunter2" not in repr(settings)


def test_secrets_compare_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert not Secret()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:p@ss@db:6379/0", "redis://:***@db:6379/0"),
        ("rediss://me:p@db/0", "rediss://me:***@db/0"),
        ("redis://db/0?password=hunter2", "redis://db/0?password=***"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
        ("", ""),
    ],
)
def test_a_redacted_url_hides_the_password_alone(url: str, expected: str) -> None:
    assert redacted_url(url) == expected
