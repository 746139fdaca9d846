from __future__ import annotations

import pytest

from shared.market.depth import Pair
from shared.store.rotation_log import live_at_end


def line(event: str, symbol: str = "SPY", detail: str = "") -> dict[str, str]:
    return {"symbol": symbol, "venue": "ARCA", "event": event, "detail": detail}


SPY, QQQ = Pair("SPY", "ARCA"), Pair("QQQ", "ARCA")


def test_an_empty_ledger_names_no_pair() -> None:
    assert live_at_end([]) == []


def test_a_pair_that_only_subscribed_was_not_live() -> None:
    assert live_at_end([line("subscribe")]) == []


def test_a_pair_live_when_the_ledger_ends_was_interrupted() -> None:
    assert live_at_end([line("subscribe"), line("live"), line("live", "QQQ")]) == [SPY, QQQ]


def test_a_parked_pair_was_not_interrupted() -> None:
    assert live_at_end([line("live"), line("cancel", detail="rotation")]) == []


def test_a_refused_pair_was_not_interrupted() -> None:
    assert live_at_end([line("live"), line("refused")]) == []


@pytest.mark.parametrize("detail", ["stop", "disconnect: socket closed"])
def test_a_stop_or_a_disconnect_parks_no_pair(detail: str) -> None:
    assert live_at_end([line("live"), line("cancel", detail=detail)]) == [SPY]


def test_a_cooldown_changes_nothing() -> None:
    assert live_at_end([line("live"), line("cooldown")]) == [SPY]
