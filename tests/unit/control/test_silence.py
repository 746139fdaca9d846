from __future__ import annotations

from shared.control.silence import Silence, Verdict

FINE, PROBE, RENEW = Verdict.FINE, Verdict.PROBE, Verdict.RENEW


def subscribed(now_s: float = 100.0) -> Silence:
    silence = Silence(stale_s=30.0)
    silence.subscribed(now_s)
    return silence


def probed_and_renewed(silence: Silence, now_s: float) -> None:
    silence.probed(now_s)
    assert silence.judge(now_s) is RENEW
    silence.renewed(now_s)


def test_a_new_subscription_has_its_time_to_speak() -> None:
    silence = subscribed()
    assert [silence.judge(now_s) for now_s in (100.0, 130.0, 130.1)] == [FINE, FINE, PROBE]


def test_a_row_gives_it_the_same_time_again() -> None:
    silence = subscribed()
    silence.heard(125.0)
    assert [silence.judge(now_s) for now_s in (131.0, 155.0, 155.1)] == [FINE, FINE, PROBE]


def test_the_gateway_is_asked_before_a_subscription_is_renewed() -> None:
    silence = subscribed()
    assert silence.judge(131.0) is PROBE
    silence.probed(131.2)
    assert silence.judge(131.3) is RENEW


def test_a_probe_counts_for_half_the_stale_time() -> None:
    silence = subscribed()
    silence.probed(120.0)
    assert [silence.judge(131.0), silence.judge(135.1)] == [RENEW, PROBE]


def test_promised_data_is_missed_at_its_deadline() -> None:
    silence = subscribed()
    silence.expect_by(110.0)
    assert [silence.judge(110.0), silence.judge(110.1)] == [FINE, PROBE]


def test_a_deadline_never_lengthens_the_stale_time() -> None:
    silence = subscribed()
    silence.expect_by(500.0)
    assert silence.judge(130.1) is PROBE


def test_a_row_keeps_the_promise() -> None:
    silence = subscribed()
    silence.expect_by(110.0)
    silence.heard(105.0)
    assert [silence.judge(111.0), silence.judge(135.1)] == [FINE, PROBE]


def test_a_renewal_is_not_repeated_within_its_first_minute() -> None:
    silence = subscribed()
    probed_and_renewed(silence, 131.0)
    silence.subscribed(132.0)
    silence.probed(163.0)
    assert silence.judge(163.1) is FINE
    silence.probed(191.0)
    assert silence.judge(191.1) is RENEW


def test_fruitless_renewals_come_ever_more_seldom() -> None:
    silence, now_s = subscribed(0.0), 31.0
    waits_s = []
    for _ in range(7):
        probed_and_renewed(silence, now_s)
        last_s = now_s
        while True:
            silence.probed(now_s)
            if silence.judge(now_s) is RENEW:
                break
            now_s += 1.0
        waits_s.append(now_s - last_s)
    assert waits_s == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]
    assert silence.fruitless == 7


def test_a_row_ends_the_series_of_fruitless_renewals() -> None:
    silence = subscribed()
    probed_and_renewed(silence, 131.0)
    silence.subscribed(132.0)
    silence.heard(140.0)
    assert silence.fruitless == 0
    silence.probed(170.5)
    assert silence.judge(170.6) is RENEW


def test_the_last_known_values_that_a_request_is_answered_with_are_no_fruit() -> None:
    silence = subscribed()
    probed_and_renewed(silence, 131.0)
    silence.subscribed(132.0)
    silence.heard(132.4)
    assert (silence.fruitless, silence.healthy(162.0)) == (1, True)
    silence.probed(163.0)
    assert silence.judge(163.1) is FINE
    silence.probed(191.0)
    assert silence.judge(191.1) is RENEW


def test_health_needs_a_fresh_row_or_a_fresh_probe() -> None:
    silence = subscribed()
    assert [silence.healthy(now_s) for now_s in (100.0, 130.0, 130.1)] == [True, True, False]
    silence.probed(131.0)
    assert [silence.healthy(now_s) for now_s in (131.1, 161.0, 161.1)] == [True, True, False]


def test_a_new_subscription_inherits_neither_a_probe_nor_a_deadline() -> None:
    silence = subscribed()
    silence.probed(128.0)
    silence.expect_by(128.5)
    silence.subscribed(129.0)
    assert silence.judge(130.0) is FINE
    silence.expect_by(131.0)
    assert silence.judge(131.1) is PROBE
