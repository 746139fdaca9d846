from __future__ import annotations

from shared.views.gantt import Gantt, Mark, Span, gantt


def entry(
    ts: int, event: str, detail: str = "", symbol: str = "SPY", slot: int = 0
) -> dict[str, str]:
    return {
        "ts": str(ts), "slot": str(slot), "symbol": symbol, "venue": "ARCA", "event": event,
        "detail": detail, "req_id": "5",
    }  # fmt: skip


def test_a_turn_is_asked_for_live_and_over() -> None:
    entries = [entry(10, "subscribe"), entry(12, "live"), entry(30, "cancel", "rotation")]
    assert gantt(entries, 0) == Gantt((Span(0, "SPY", "ARCA", 10, 12, 30, "rotation"),), ())


def test_what_is_held_now_has_no_end() -> None:
    assert gantt([entry(10, "subscribe")], 0).spans == (Span(0, "SPY", "ARCA", 10),)


def test_a_turn_is_live_from_its_first_row_on() -> None:
    entries = [entry(10, "subscribe"), entry(12, "live"), entry(20, "live")]
    assert gantt(entries, 0).spans == (Span(0, "SPY", "ARCA", 10, 12),)


def test_a_refusal_ends_the_turn_and_is_marked() -> None:
    found = gantt([entry(10, "subscribe"), entry(11, "refused", "refused")], 0)
    assert found.spans == (Span(0, "SPY", "ARCA", 10, None, 11, "refused"),)
    assert found.marks == (Mark(0, 11, "refused", "SPY refused"),)


def test_a_309_is_one_mark_with_the_time_in_which_nobody_asks() -> None:
    said = "slots 3 -> 2, new requests wait 8 s"
    found = gantt([entry(11, "refused", "refused"), entry(12, "cooldown", said)], 0)
    assert found.marks == (Mark(0, 12, "309", f"SPY {said}", 8_012),)


def test_a_309_that_does_not_say_how_long_is_marked_too() -> None:
    assert gantt([entry(11, "cooldown", "?")], 0).marks == (Mark(0, 11, "309", "SPY ?"),)


def test_what_an_earlier_process_held_was_lost_when_the_next_began() -> None:
    found = gantt([entry(10, "subscribe"), entry(50, "subscribe", slot=1)], 40)
    assert found.spans == (
        Span(0, "SPY", "ARCA", 10, None, 40, "lost"),
        Span(1, "SPY", "ARCA", 50),
    )


def test_a_slot_has_one_holder_at_a_time() -> None:
    found = gantt([entry(10, "subscribe"), entry(20, "subscribe", symbol="QQQ")], 0)
    assert found.spans == (
        Span(0, "SPY", "ARCA", 10, None, 20, "lost"),
        Span(0, "QQQ", "ARCA", 20),
    )


def test_a_turn_that_began_before_what_is_known_and_what_cannot_be_read_are_left_out() -> None:
    broken = [{**entry(5, "subscribe"), "slot": slot} for slot in ("x", "", "\u00b2")]
    assert gantt([entry(10, "live"), entry(12, "cancel"), *broken], 0) == Gantt((), ())


def test_what_is_held_since_before_the_entries_has_the_first_free_slot() -> None:
    entries = [entry(10, "subscribe", symbol="QQQ"), entry(20, "subscribe", symbol="IWM", slot=2)]
    found = gantt(entries, 0, {"SPY": ["ARCA"], "QQQ": ["ARCA"]})
    assert found.spans[-1] == Span(2, "IWM", "ARCA", 20)
    assert Span(1, "SPY", "ARCA", 10, 10) in found.spans
    assert len(found.spans) == 3
