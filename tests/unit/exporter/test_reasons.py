from __future__ import annotations

import pytest

from shared.exporter.reasons import REASONS, reason_of


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mute: connected, and nothing comes", "mute"),
        ("no heartbeat", "no_heartbeat"),
        ("ibkr_depth has had no heartbeat for 12 s", "no_heartbeat"),
        ("after: ibkr_depth has had no heartbeat for 12 s", "recovering"),
        ("ibkr_trades is not connected: not connected to the gateway", "not_connected"),
        ("ibkr_trades: no line for TSLA", "degraded"),
        ("suspended: RSI, the vendor has no such symbol", "suspended"),
        ("suspended", "suspended"),
        ("not_entitled: premium endpoint", "not_entitled"),
        ("error: 503 is not connected to anything", "error"),
        ("", "other"),
        ("something else altogether", "other"),
        ("Bobby's tables: dropped", "other"),
    ],
)
def test_a_reason_becomes_one_word(text: str, reason: str) -> None:
    assert reason_of(text) == reason
    assert reason in REASONS
