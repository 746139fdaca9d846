from __future__ import annotations

import pytest

from shared.settings_sections import AlphaVantageSettings
from shared.store.keys import Keys
from shared.store.token_bucket import account_of
from shared.store.token_policy import BucketPolicy, BucketState

PLAN_600 = BucketPolicy(600, 10, 20)
NOW_US = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("calls_per_min", "buffer", "setting", "per_s"),
    [
        (5, 1, 0, 1),
        (6, 1, 0, 5),
        (75, 10, 0, 5),
        (150, 10, 0, 5),
        (151, 10, 0, 10),
        (300, 10, 0, 10),
        (600, 10, 0, 20),
        (601, 10, 0, 30),
        (1200, 10, 0, 30),
        (1200, 10, 10, 10),
    ],
)
def test_calls_a_second_follow_the_plan_unless_they_are_set(
    calls_per_min: int, buffer: int, setting: int, per_s: int
) -> None:
    settings = AlphaVantageSettings(
        calls_per_min=calls_per_min, safety_buffer=buffer, calls_per_s=setting
    )
    assert BucketPolicy.from_settings(settings) == BucketPolicy(calls_per_min, buffer, per_s, 60.0)


def test_the_usual_plan_in_figures() -> None:
    assert PLAN_600.budget_per_min == 590
    assert PLAN_600.interval_ms == pytest.approx(101.694915)
    assert PLAN_600.spacing_ms == pytest.approx(83.333333)
    assert PLAN_600.burst == 5
    assert PLAN_600.late_ms == pytest.approx(305.08, abs=0.01)


@pytest.mark.parametrize(
    ("buffer", "burst"), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (10, 5), (11, 5)]
)
def test_half_of_the_buffer_may_come_at_once(buffer: int, burst: int) -> None:
    assert BucketPolicy(600, buffer, 20).burst == burst


@pytest.mark.parametrize(
    ("policy", "late_ms"),
    [
        (BucketPolicy(75, 10, 5), 333.33),  # the second is the narrower
        (BucketPolicy(5, 1, 1), 333.33),
        (BucketPolicy(1200, 10, 30), 151.26),  # the minute is
        (BucketPolicy(600, 1, 20), 50.08),
        (BucketPolicy(600, 0, 20), 50.0),
    ],
)
def test_a_call_may_be_late_by_half_of_what_the_plan_forgives(
    policy: BucketPolicy, late_ms: float
) -> None:
    assert policy.late_ms == pytest.approx(late_ms, abs=0.01)


@pytest.mark.parametrize("calls_per_min", [5, 75, 150, 300, 600, 1200])
@pytest.mark.parametrize("buffer", [2, 3, 4])
def test_calls_twice_as_late_as_allowed_still_fit_the_plan(calls_per_min: int, buffer: int) -> None:
    policy = BucketPolicy.from_settings(
        AlphaVantageSettings(calls_per_min=calls_per_min, safety_buffer=buffer)
    )
    bunched_ms = 2 * policy.late_ms - 0.001
    minute = int((60_000 + bunched_ms) / policy.interval_ms) + policy.burst
    second = int((1_000 + bunched_ms) / policy.spacing_ms) + 1
    assert minute <= calls_per_min
    assert second <= policy.calls_per_s


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            (10, 10, 5),
            "safety buffer must be from 0 to under calls per minute 10, was 10",
        ),
        (
            (10, -1, 5),
            "safety buffer must be from 0 to under calls per minute 10, was -1",
        ),
        ((10, 1, 0), "calls per second must be at least 1, was 0"),
    ],
)
def test_a_policy_without_calls_is_refused(values: tuple[int, int, int], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        BucketPolicy(*values)


def test_an_account_is_the_start_of_the_hash_of_its_key() -> None:
    assert account_of("demo") == "2a97516c"
    assert Keys("t:").rate_limit(account_of("")) == "t:coord:ratelimit:alpha_vantage:e3b0c442"


# What the bucket held


def state(**held: int | str) -> BucketState:
    return BucketState.parse(
        NOW_US, {name.encode(): str(value).encode() for name, value in held.items()}
    )


def test_an_absent_bucket_is_empty() -> None:
    assert state().stats(PLAN_600) == {
        "tokens": 0,
        "granted": 0,
        "waited": 0,
        "waited_ms": 0,
        "refused": 0,
        "cooldown_left_s": 0.0,
        "cooldown_reason": "",
        "calls_per_min": 600,
        "budget_per_min": 590,
        "calls_per_s": 20,
    }


def test_counters_are_read_by_their_names() -> None:
    stats = state(granted=7, waited=5, waited_us=1_234_567, refused=2).stats(PLAN_600)
    assert [stats[name] for name in ("granted", "waited", "waited_ms", "refused")] == [
        7, 5, 1234, 2,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("empty_since_us", "tokens"),
    [(-5_000_000, 0), (0, 0), (101_000, 0), (102_000, 1), (310_000, 3), (60_000_000, 5)],
)
def test_tokens_come_one_by_interval_up_to_the_burst(empty_since_us: int, tokens: int) -> None:
    assert state(empty_us=NOW_US - empty_since_us).tokens(PLAN_600) == tokens


def test_a_cooldown_is_told_with_its_reason_while_it_lasts() -> None:
    held: dict[str, int | str] = {"cooldown_len_us": 60_000_000, "cooldown_reason": "minute"}
    now = state(cooldown_us=NOW_US + 1_500_000, **held)
    assert (now.cooldown_left_s, now.stats(PLAN_600)["cooldown_reason"]) == (1.5, "minute")
    over = state(cooldown_us=NOW_US, **held)
    assert (over.cooldown_left_s, over.stats(PLAN_600)["cooldown_reason"]) == (0.0, "")


def test_a_cooldown_is_no_longer_than_it_was_set_after_a_step_back_of_the_clock() -> None:
    assert state(cooldown_us=NOW_US + 9**12, cooldown_len_us=2_000_000).cooldown_left_s == 2.0


@pytest.mark.parametrize(
    ("began_s", "left_s"), [(0, 60.0), (20, 40.0), (59.5, 1.0), (90, 1.0), (-30, 60.0)]
)
def test_the_window_ends_a_minute_after_its_first_call(began_s: float, left_s: float) -> None:
    assert state(window_us=NOW_US - int(began_s * 1e6)).window_left_s == left_s


def test_a_window_that_nobody_began_counts_whole() -> None:
    assert state().window_left_s == 60.0


def test_fields_that_are_no_numbers_count_as_absent() -> None:
    assert state(granted="x", empty_us="-", window_us="").stats(PLAN_600)["granted"] == 0
