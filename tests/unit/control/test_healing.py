from __future__ import annotations

from shared.control.freshness import Stale
from shared.control.healing import Action, Healing, HealingPolicy

POLICY = HealingPolicy(resubscribe_cooldown_s=60.0, reconnect_cooldown_s=180.0, actions_per_hour=3)
WATCHED = dict.fromkeys(("depth", "quotes", "trades", "bars", "options"), 10)
MINUTE_MS = 60_000


def healing() -> Healing:
    return Healing(POLICY, WATCHED)


def mute(surface: str, *symbols: str) -> list[Stale]:
    return [Stale(surface, one, 20.0, 15.0, 0, "mute", True) for one in symbols]


def explained(surface: str, symbol: str) -> list[Stale]:
    return [Stale(surface, symbol, 20.0, 15.0, 0, "suspended: http 503", False)]


def test_a_mute_symbol_is_asked_for_anew_at_the_worker_that_owns_it() -> None:
    assert healing().act(mute("depth", "AAPL"), 0) == [
        Action("ibkr_depth", "resubscribe", "AAPL", "depth")
    ]
    assert healing().act(mute("options", "AAPL"), 0) == [
        Action("av_options", "resubscribe", "AAPL", "options")
    ]


def test_several_surfaces_of_one_worker_are_one_command() -> None:
    stale = mute("quotes", "AAPL") + mute("trades", "AAPL") + mute("depth", "AAPL")
    assert healing().act(stale, 0) == [
        Action("ibkr_trades", "resubscribe", "AAPL", "quotes, trades"),
        Action("ibkr_depth", "resubscribe", "AAPL", "depth"),
    ]


def test_what_is_explained_is_left_alone() -> None:
    assert healing().act(explained("options", "SPY"), 0) == []


def test_a_late_heartbeat_is_not_the_watchdogs_to_heal() -> None:
    late = Stale("heartbeat", "ibkr_depth", 9.0, 6.0, 0, "no heartbeat", False)
    assert healing().act([late], 0) == []


def test_half_of_a_surface_means_the_feed() -> None:
    found = healing().act(mute("trades", "A", "B", "C", "D", "E"), 0)
    assert found == [Action("ibkr_trades", "reconnect", "", "trades of 5 symbols")]


def test_less_than_half_is_asked_for_symbol_by_symbol() -> None:
    found = healing().act(mute("trades", "A", "B", "C", "D"), 0)
    assert [(one.command, one.symbol) for one in found] == [("resubscribe", one) for one in "ABCD"]


def test_two_symbols_are_never_the_feed() -> None:
    small = Healing(POLICY, {"trades": 2})
    found = small.act(mute("trades", "A", "B"), 0)
    assert {one.command for one in found} == {"resubscribe"}


def test_an_action_rests_for_its_cool_down() -> None:
    one = healing()
    times = [at for at in range(0, 200_000, 5_000) if one.act(mute("depth", "AAPL"), at)]
    assert times == [0, 60_000, 120_000]


def test_what_does_not_help_is_not_repeated_for_ever() -> None:
    one = healing()
    stale = mute("depth", "AAPL")
    times = [minute for minute in range(125) if one.act(stale, minute * MINUTE_MS)]
    assert times == [0, 1, 2, 60, 61, 62, 120, 121, 122]


def test_symbols_have_limits_of_their_own() -> None:
    one = healing()
    for minute in range(4):
        one.act(mute("depth", "AAPL"), minute * MINUTE_MS)
    assert len(one.act(mute("depth", "MSFT"), 4 * MINUTE_MS)) == 1


def test_a_feed_that_rests_is_not_asked_for_symbol_by_symbol_instead() -> None:
    one = healing()
    stale = mute("trades", "A", "B", "C", "D", "E")
    one.act(stale, 0)
    assert one.act(stale, 10_000) == []
    assert one.act(stale, 180_000) == [
        Action("ibkr_trades", "reconnect", "", "trades of 5 symbols")
    ]


def test_no_actions_at_all_where_none_are_allowed() -> None:
    watching = Healing(HealingPolicy(60.0, 180.0, 0), WATCHED)
    assert watching.act(mute("depth", "AAPL"), 0) == []


def test_a_clock_that_was_set_back_does_not_block_for_ever() -> None:
    one = healing()
    one.act(mute("depth", "AAPL"), 10 * 3_600_000)
    assert len(one.act(mute("depth", "AAPL"), 0)) == 1
