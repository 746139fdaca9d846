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


def test_a_pair_that_was_refused_before_it_was_live_was_not_interrupted() -> None:
    assert live_at_end([line("subscribe"), line("refused")]) == []


def test_a_pair_that_was_refused_while_it_was_live_was_cut_off() -> None:
    assert live_at_end([line("live"), line("refused", detail="refused")]) == [SPY]


@pytest.mark.parametrize(
    "detail",
    ["stop", "disconnect: socket closed", "1101: data lost", "316: halted", "mute", "error 310"],
)
def test_only_the_rotation_parks_a_pair(detail: str) -> None:
    assert live_at_end([line("live"), line("cancel", detail=detail)]) == [SPY]


def test_an_outage_ends_with_the_next_parking() -> None:
    cut_off = [line("live"), line("cancel", detail="1101: data lost")]
    again = [line("subscribe"), line("live"), line("cancel", detail="rotation")]
    assert live_at_end([*cut_off, *again]) == []


def test_a_cooldown_changes_nothing() -> None:
    assert live_at_end([line("live"), line("cooldown")]) == [SPY]
