from __future__ import annotations

from pathlib import Path

from shared.settings import load_settings, repository_root


def test_the_shipped_configuration_loads(tmp_path: Path) -> None:
    settings = load_settings({"TICKVISOR_HOME": str(tmp_path)}, repository_root())
    assert settings.source == "sim"
    assert settings.ibkr.client_id == 777
    assert settings.ibkr.max_reconnect_attempts == 0
    assert settings.redis.url == ""
