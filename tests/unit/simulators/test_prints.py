from __future__ import annotations

from simulators.tws.prints import PAST_LIMIT, UNREPORTED, RawPrint, Tape, venue_letter
from simulators.tws.security import exchange_name
from simulators.tws.tape_reader import TapeReader

MS = 1_700_000_000_000


def raw(size: float = 100, price_e4: int = 1_000_000, mask: int = 0) -> RawPrint:
    return RawPrint(MS, price_e4, size, "P", "", mask)


def test_every_trade_has_the_next_number() -> None:
    tape = Tape(1_000)
    assert [tape.append(raw()).number for _ in range(3)] == [1, 2, 3]


def test_totals_stand_in_each_print() -> None:
    tape = Tape(1_000)
    first, second = tape.append(raw(100)), tape.append(raw(50, 2_000_000))
    assert (first.total, first.value_e4) == (100, 100_000_000)
    assert (second.total, second.value_e4) == (150, 200_000_000)


def test_an_unreported_print_has_a_number_and_no_volume() -> None:
    tape = Tape(1_000)
    tape.append(raw(100))
    hidden = tape.append(raw(900, 9_000_000, UNREPORTED))
    assert (hidden.number, hidden.total, tape.unreported) == (2, 100, 1)
    assert (tape.high_e4, tape.last and tape.last.number) == (1_000_000, 1)


def test_a_halt_marker_is_no_trade() -> None:
    tape = Tape(1_000)
    assert tape.append(RawPrint(MS, 0, 0, "", "", PAST_LIMIT)).number == 0
    assert (tape.number, tape.total, tape.last) == (0, 0, None)


def test_an_absent_price_or_size_is_no_trade() -> None:
    tape = Tape(1_000)
    assert [tape.append(r).number for r in (raw(-1), raw(0), raw(0, -10_000))] == [0, 0, 0]


def test_an_index_trades_without_sizes() -> None:
    assert Tape(1_000, sizeless=True).append(raw(0)).number == 1


def test_a_day_has_open_high_and_low() -> None:
    tape = Tape(1_000)
    for price_e4 in (1_000_000, 1_000_300, 999_900):
        tape.append(raw(price_e4=price_e4))
    assert (tape.open_e4, tape.high_e4, tape.low_e4) == (1_000_000, 1_000_300, 999_900)


def test_only_the_newest_prints_are_kept() -> None:
    tape = Tape(10)
    for _ in range(25):
        tape.append(raw())
    assert [p.number for p in tape.newest(3)] == [23, 24, 25]
    assert 10 <= len(tape.newest(25)) <= 20
    assert tape.number == 25


def test_a_reader_gets_every_print_once() -> None:
    tape = Tape(1_000)
    tape.append(raw())
    reader = TapeReader(tape)
    assert reader.take() == []
    tape.append(raw())
    tape.append(raw())
    assert [p.number for p in reader.take()] == [2, 3]
    assert reader.take() == []
    assert reader.record()["first_number"] == 2
    assert reader.record()["last_number"] == 3


def test_what_a_reader_skips_it_does_not_get_later() -> None:
    tape = Tape(1_000)
    reader = TapeReader(tape)
    tape.append(raw())
    reader.skip()
    tape.append(raw())
    assert [p.number for p in reader.take()] == [2]
    assert reader.record()["prints_skipped"] == 1


def test_a_reader_too_slow_for_the_tape_counts_what_it_missed() -> None:
    tape = Tape(10)
    reader = TapeReader(tape)
    for _ in range(25):
        tape.append(raw())
    prints = reader.take()
    assert len(prints) + reader.record()["prints_missed"] == 25
    assert reader.record()["prints_missed"] > 0


def test_letters_are_named_as_tws_names_venues() -> None:
    letters = "ABCDIJKMNPQTVWXYZ"
    assert [exchange_name(letter, "NASDAQ") for letter in letters] == [
        "AMEX",
        "BEX",
        "NYSENAT",
        "FINRA",
        "ISE",
        "EDGEA",
        "EDGX",
        "CHX",
        "NYSE",
        "ARCA",
        "NASDAQ",
        "NASDAQ",
        "IEX",
        "CBOE",
        "PSX",
        "BYX",
        "BATS",
    ]


def test_nasdaq_has_the_spelling_of_the_gateway() -> None:
    assert exchange_name("Q", "ISLAND") == "ISLAND"


def test_an_unknown_letter_is_kept() -> None:
    assert exchange_name("?", "ISLAND") == "?"


def test_names_have_their_letter_back() -> None:
    assert [venue_letter(v) for v in ("ARCA", "NASDAQ", "ISLAND", "Z")] == ["P", "Q", "Q", "Z"]
