"""Keys are renewed in turn, none too late and not all at once."""

from __future__ import annotations

import pytest

from shared.store.renewal import Renewal, is_due


def test_nothing_is_due_at_once_and_everything_after_a_third() -> None:
    assert not any(Renewal(180, 1000.0).due(1000.0))
    assert all(Renewal(180, 1000.0).due(1060.0))


@pytest.mark.parametrize(("ttl_s", "every_s"), [(180, 10.0), (180, 1.0), (90, 20.0), (180, 61.0)])
def test_no_key_waits_longer_than_a_third_of_its_life(ttl_s: int, every_s: float) -> None:
    renewal = Renewal(ttl_s, 0.0)
    renewed = [0.0] * 16
    for fetch in range(1, 200):
        now_s = fetch * every_s
        for phase, due in enumerate(renewal.due(now_s)):
            if due:
                renewed[phase] = now_s
        # Each phase as it is after the fetch.
        assert max(now_s - one for one in renewed) < ttl_s / 3


def test_the_turns_are_spread_over_the_fetches() -> None:
    renewal = Renewal(180, 0.0)
    counts = [sum(renewal.due(10.0 * fetch)) for fetch in range(1, 61)]
    # Sixteen phases within six fetches.
    assert max(counts) <= 3
    assert sum(counts) == pytest.approx(16 * 10, abs=16)


def test_a_name_is_always_of_the_same_phase() -> None:
    due = [number == 3 for number in range(16)]
    names = [f"SPY261218C{strike:08}" for strike in range(2_000)]
    first = [is_due(name, due) for name in names]
    assert first == [is_due(name, due) for name in names]
    assert 50 < sum(first) < 250
