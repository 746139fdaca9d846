from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import Secret, Settings, load_settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/ibkr_symbols.yaml").write_text("symbols: {SPY: , AAPL: , QQQ: , IWM: }")
    return tmp_path


def load(root: Path, yaml: str = "", **env: str) -> Settings:
    (root / "config/ingestion.yaml").write_text(yaml)
    return load_settings(env, root)


def problems(root: Path, yaml: str = "", **env: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(root, yaml, **env)
    return caught.value.problems


def test_both_run_unless_they_are_switched_off(root: Path) -> None:
    assert load(root).readers() == ("exporter", "dashboard")
    assert load(root, "exporter: {enabled: false}").readers() == ("dashboard",)


def test_an_address_that_cannot_be_read_is_named(root: Path) -> None:
    (root / "var/run").mkdir(parents=True)
    (root / "var/run/dashboard.json").write_text("[]")
    (problem,) = problems(root)
    assert problem.startswith("var/run/dashboard.json: must hold host and port, ")


def test_the_dashboard_obeys_nobody_until_a_token_is_set(root: Path) -> None:
    assert not load(root).dashboard.operator_token
    settings = load(root, TICKVISOR_DASHBOARD_TOKEN="k3" * 8)
    assert settings.dashboard.operator_token == Secret("k3" * 8)
    assert "k3" not in repr(settings)


@pytest.mark.parametrize(
    "token", ["k" * 15, "k" * 15 + "\n" + "k", "k" * 15 + " k", "k" * 15 + "é"]
)
def test_a_token_that_can_be_guessed_or_mistyped_is_refused(root: Path, token: str) -> None:
    found = problems(root, TICKVISOR_DASHBOARD_TOKEN=token)
    assert found == (
        f"TICKVISOR_DASHBOARD_TOKEN: was {len(token)} characters,"
        " must be at least 16, printable and without blanks",
    )


@pytest.mark.parametrize("section", ["exporter", "dashboard"])
def test_what_is_not_protected_listens_on_loopback_alone(root: Path, section: str) -> None:
    assert problems(root, f"{section}: {{host: 0.0.0.0}}") == (
        f"{section}.host: was '0.0.0.0', must be one of 127.0.0.1",
    )
