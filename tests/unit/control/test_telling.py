from __future__ import annotations

from shared.control.freshness import Stale
from shared.control.telling import Telling


def stale(*fields: str) -> dict[str, Stale]:
    pairs = (field.split(":") for field in fields)
    found = (Stale(surface, name, 45.0, 30.0, 0, "why", False) for surface, name in pairs)
    return {one.field: one for one in found}


def told(telling: Telling, *fields: str) -> tuple[list[str], list[str]]:
    begun, ended = telling.changes(stale(*fields))
    return [one.field for one in begun], [one.field for one in ended]


def test_each_change_is_told_once() -> None:
    telling = Telling()
    assert told(telling, "trades:SPY") == (["trades:SPY"], [])
    assert told(telling, "trades:SPY", "bars:SPY") == (["bars:SPY"], [])
    assert told(telling, "bars:SPY") == ([], ["trades:SPY"])
    assert told(telling) == ([], ["bars:SPY"])
    assert told(telling, "trades:SPY") == (["trades:SPY"], [])


def test_what_comes_and_goes_while_its_worker_is_away_is_told_once() -> None:
    telling, away = Telling(), "heartbeat:ibkr_trades"
    assert told(telling, away, "quotes:SPY") == ([away, "quotes:SPY"], [])
    for _ in range(3):
        assert told(telling, away) == ([], [])
        assert told(telling, away, "quotes:SPY") == ([], [])
    assert told(telling, away, "quotes:QQQ") == (["quotes:QQQ"], [])
    assert told(telling, "quotes:QQQ") == ([], [away, "quotes:SPY"])
    assert told(telling) == ([], ["quotes:QQQ"])


def test_another_worker_that_is_away_holds_nothing_back() -> None:
    telling = Telling()
    told(telling, "heartbeat:av_options", "trades:SPY")
    assert told(telling, "heartbeat:av_options") == ([], ["trades:SPY"])
