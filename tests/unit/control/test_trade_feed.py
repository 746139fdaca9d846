from __future__ import annotations

from tests.unit.control.spliced import RTV, TBT, Tape, print_of


def switched() -> Tape:
    """Tick by tick is the source from second 12 on."""
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.rtv(11, 200)
    tape.tbt(11, 200)
    tape.out.clear()
    return tape


def test_one_feed_alone_passes_as_it_is() -> None:
    tape = Tape(RTV)
    tape.rtv(10, 100)
    tape.rtv(10, 100)
    assert tape.out == [("rtvolume", 100), ("rtvolume", 100)]


def test_prints_of_a_feed_that_was_not_asked_for_are_none() -> None:
    tape = Tape(RTV)
    tape.tbt(10, 100)
    assert tape.out == []


def test_rtvolume_stays_the_source_until_both_are_past_the_first_second() -> None:
    tape = Tape(RTV, TBT)
    tape.rtv(10, 100)
    tape.tbt(10, 100)
    tape.tbt(11, 200)
    before = tape.splice.source
    tape.rtv(11, 200)
    assert (before, tape.splice.source) == (RTV, TBT)
    assert tape.out == [("rtvolume", 100), ("rtvolume", 200)]


def test_prints_that_tick_by_tick_shows_first_go_out_at_the_switch() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.tbt(11, 200)
    tape.tbt(11, 300)
    tape.rtv(10, 100)
    tape.rtv(11, 200)
    tape.rtv(11, 300)
    assert tape.out == [("rtvolume", 100), ("rtvolume", 200), ("tbt", 300)]


def test_prints_that_rtvolume_showed_first_are_left_out_of_tick_by_tick() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.rtv(10, 100)
    tape.rtv(11, 200)
    tape.rtv(11, 300)
    tape.tbt(11, 200)
    tape.tbt(11, 300)
    tape.tbt(11, 400)
    assert tape.out == [("rtvolume", 100), ("rtvolume", 200), ("rtvolume", 300), ("tbt", 400)]


def test_equal_prints_of_one_second_go_out_as_often_as_they_were() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    for _ in range(2):
        tape.rtv(11, 100)
    for _ in range(4):
        tape.tbt(11, 100)
    for _ in range(2):
        tape.rtv(11, 100)
    assert tape.out == [("rtvolume", 100)] * 2 + [("tbt", 100)] * 2


def test_prints_before_the_stream_began_do_not_hide_equal_ones_after_it() -> None:
    tape = Tape(RTV, TBT)
    for _ in range(3):
        tape.rtv(10, 100)
    tape.tbt(10, 100)
    tape.rtv(11, 100)
    tape.tbt(11, 100)
    tape.tbt(11, 100)
    assert tape.out == [("rtvolume", 100)] * 4 + [("tbt", 100)]


def test_a_sum_stands_for_the_prints_that_tick_by_tick_shows_after_it() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.rtv_sum(11, 600)
    for size in (100, 200, 300, 400):
        tape.tbt(11, size)
    assert tape.out == [("rtvolume", 600), ("tbt", 400)]


def test_a_sum_stands_for_the_prints_that_tick_by_tick_showed_before_it() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    for size in (100, 200, 300):
        tape.tbt(11, size)
    tape.rtv_sum(11, 300)
    assert tape.out == [("rtvolume", 300), ("tbt", 300)]


def test_a_print_that_is_no_sum_stands_for_no_others() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.tbt(11, 100)
    tape.tbt(11, 200)
    tape.rtv(11, 300)
    assert tape.out == [("rtvolume", 300), ("tbt", 100), ("tbt", 200)]


def test_prints_of_other_prices_are_other_prints() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.rtv(11, 100)
    tape.keep(list(tape.splice.take(print_of(TBT, 11, 100, price=10.01), False, 11.0)))
    assert tape.out == [("rtvolume", 100), ("tbt", 100)]


def test_a_print_stamped_a_second_apart_is_the_same_print() -> None:
    tape = switched()
    tape.tbt(13, 100)
    tape.rtv(14, 100)
    tape.end(TBT)
    assert tape.out == [("tbt", 100)]


def test_after_the_switch_rtvolume_is_only_an_echo() -> None:
    tape = switched()
    tape.tbt(12, 100)
    tape.rtv(12, 100)
    tape.rtv(13, 200)
    tape.tbt(13, 200)
    assert tape.out == [("tbt", 100), ("tbt", 200)]


def test_a_late_print_of_rtvolume_is_left_out_after_the_switch() -> None:
    tape = switched()
    tape.tbt(12, 100)
    tape.rtv(12, 100, at_s=14.9)
    tape.end(TBT)
    assert tape.out == [("tbt", 100)]


def test_a_late_print_of_the_first_second_still_goes_out_before_the_switch() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.tbt(11, 200)
    tape.rtv(10, 500, at_s=12.0)
    tape.rtv(11, 200, at_s=12.1)
    assert tape.out == [("rtvolume", 500), ("rtvolume", 200)]


def test_a_silent_source_is_waited_for_no_longer_than_the_overlap() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.tbt(11, 200)
    tape.due(12.9)
    assert tape.out == []
    tape.due(13.0)
    assert (tape.out, tape.splice.source) == ([("tbt", 200)], TBT)


def test_a_quiet_symbol_switches_at_the_next_print_without_doubling_it() -> None:
    tape = Tape(RTV, TBT)
    tape.rtv(10, 100)
    tape.tbt(10, 100)
    tape.tbt(600, 200)
    tape.rtv(600, 200)
    assert tape.out == [("rtvolume", 100), ("tbt", 200)]


def test_a_refusal_before_the_first_print_changes_nothing() -> None:
    tape = Tape(RTV, TBT)
    tape.rtv(10, 100)
    tape.end(TBT)
    tape.rtv(10, 100)
    assert (tape.out, tape.splice.source) == ([("rtvolume", 100)] * 2, RTV)


def test_a_refusal_during_the_overlap_leaves_it_all_to_rtvolume() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.tbt(11, 200)
    tape.end(TBT)
    tape.rtv(10, 100)
    tape.rtv(11, 200)
    assert tape.out == [("rtvolume", 100), ("rtvolume", 200)]


def test_a_stream_that_ends_hands_over_what_rtvolume_alone_has_shown() -> None:
    tape = switched()
    tape.tbt(12, 100)
    tape.rtv(12, 100)
    tape.rtv(12, 300)
    tape.end(TBT)
    assert tape.out == [("tbt", 100), ("rtvolume", 300)]


def test_a_stream_that_ends_is_not_repeated_by_rtvolume() -> None:
    tape = switched()
    tape.tbt(12, 100)
    tape.tbt(12, 100)
    tape.end(TBT)
    tape.end(TBT)
    for _ in range(3):
        tape.rtv(12, 100)
    assert tape.out == [("tbt", 100), ("tbt", 100), ("rtvolume", 100)]


def test_a_sum_of_which_a_part_was_shown_goes_out_with_the_rest() -> None:
    tape = switched()
    tape.tbt(12, 100)
    tape.tbt(12, 200)
    tape.end(TBT)
    tape.rtv_sum(12, 600)
    assert tape.out == [("tbt", 100), ("tbt", 200), ("rtvolume", 300)]


def test_a_held_sum_is_met_in_parts() -> None:
    tape = switched()
    tape.rtv_sum(12, 600)
    tape.tbt(12, 100)
    tape.end(TBT)
    assert tape.out == [("tbt", 100), ("rtvolume", 500)]


def test_a_symbol_goes_back_and_forth_without_doubling() -> None:
    tape = switched()
    tape.end(TBT)
    tape.splice.started(TBT)
    tape.tbt(30, 100)
    tape.rtv(30, 100)
    tape.rtv(31, 200)
    tape.tbt(31, 200)
    tape.tbt(32, 300)
    tape.rtv(32, 300)
    assert tape.out == [("rtvolume", 100), ("rtvolume", 200), ("tbt", 300)]


def test_tick_by_tick_goes_on_where_the_line_is_refused() -> None:
    tape = Tape(RTV, TBT)
    tape.tbt(10, 100)
    tape.rtv(10, 100)
    tape.tbt(11, 200)
    tape.end(RTV)
    tape.tbt(12, 300)
    assert tape.out == [("rtvolume", 100), ("tbt", 200), ("tbt", 300)]


def test_a_line_that_begins_beside_a_stream_is_its_echo_from_the_next_second_on() -> None:
    tape = Tape(TBT, RTV)
    tape.tbt(10, 100)
    tape.rtv(10, 100)
    tape.tbt(11, 200)
    tape.rtv(11, 200)
    tape.rtv(12, 300)
    tape.end(TBT)
    assert tape.out == [("tbt", 100), ("tbt", 200), ("rtvolume", 300)]


def test_a_lost_connection_hands_out_what_was_held() -> None:
    tape = switched()
    tape.rtv(12, 300)
    tape.keep(tape.splice.lost())
    assert (tape.out, tape.splice.source) == ([("rtvolume", 300)], None)


def test_the_last_feed_to_end_leaves_no_source() -> None:
    tape = Tape(RTV)
    tape.end(RTV)
    assert (tape.splice.source, tape.splice.lost()) == (None, [])


def test_what_the_source_never_shows_is_left_out_and_counted() -> None:
    tape = switched()
    tape.rtv(12, 300)
    tape.due(15.1)
    tape.end(TBT)
    assert (tape.out, tape.splice.left_out) == ([], 1)
