from __future__ import annotations

import pytest

import shared.normalize.ibkr_depth as module
from shared.errors import BadRow
from shared.normalize.ibkr_depth import DepthRowParser, number

VENUE = b'"NASDAQ"'
DBL_MAX = b"1.7976931348623157E308"
NO_LEVEL = (0.0, b"")


def plain(position: bytes, operation: bytes, side: bytes, price: bytes, size: bytes) -> list[bytes]:
    return [b"12", b"1", b"7", position, operation, side, price, size, b""]


def with_maker(maker: bytes) -> list[bytes]:
    return [b"13", b"1", b"7", b"0", maker, b"0", b"1", b"585.33", b"18", b"0", b""]


def level(price: bytes, size: bytes) -> tuple[float, bytes]:
    return DepthRowParser().parse(plain(b"0", b"0", b"1", price, size), VENUE)[3]


def test_message_12_carries_the_subscriptions_venue() -> None:
    row = DepthRowParser().parse(plain(b"3", b"0", b"1", b"585.33", b"18"), VENUE)
    assert row == (1, 0, 3, (585.33, b'[585.33,18,"NASDAQ"]'))


def test_message_13_carries_the_market_maker() -> None:
    fields = [b"13", b"1", b"7", b"2", b"NSDQ", b"1", b"0", b"585.94", b"200", b"0", b""]
    row = DepthRowParser().parse(fields, VENUE)
    assert row == (0, 1, 2, (585.94, b'[585.94,200,"NSDQ"]'))


def test_message_13_without_its_last_field_is_read() -> None:
    row = DepthRowParser().parse(with_maker(b"NSDQ")[:9], VENUE)
    assert row == (1, 0, 0, (585.33, b'[585.33,18,"NSDQ"]'))


@pytest.mark.parametrize(
    ("maker", "expected"),
    [
        (b"", b'"NASDAQ"'),
        (b"NSDQ", b'"NSDQ"'),
        (b"ARCA", b'"ARCA"'),
        (b"ISLAND", b'"NASDAQ"'),
        (b'A"B\\C', b'"A\\"B\\\\C"'),
        (b"ABCDEFGHIJKLMNOP", b'"ABCDEFGHIJKLMNOP"'),
    ],
)
def test_a_maker_becomes_the_venue_of_its_row(maker: bytes, expected: bytes) -> None:
    row = DepthRowParser().parse(with_maker(maker), VENUE)
    assert row[3][1] == b"[585.33,18,%b]" % expected


@pytest.mark.parametrize("maker", [b"ABCDEFGHIJKLMNOPQ", b"A\nB", b"A\x7fB", b"\x01", b"A\xe9"])
def test_a_maker_that_cannot_be_one_is_refused(maker: bytes) -> None:
    with pytest.raises(BadRow, match=r"market maker was .*, must be printable ASCII, at most 16"):
        DepthRowParser().parse(with_maker(maker), VENUE)


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (b"585.94", b"585.94"),
        (b"585.9400", b"585.94"),
        (b"586", b"586.0"),
        (b"586.0", b"586.0"),
        (b"0.0001", b"0.0001"),
        (b"5.8594E2", b"585.94"),
        (b"999999999999", b"999999999999.0"),
    ],
)
def test_a_price_is_written_in_one_way(price: bytes, expected: bytes) -> None:
    assert level(price, b"1") == (float(expected), b'[%b,1,"NASDAQ"]' % expected)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (b"300", b"300"), (b"300.0", b"300"), (b"3E2", b"300"), (b"0.5", b"0.5"),
        (b"12.75", b"12.75"), (b"1160", b"1160"), (b"100000000000", b"100000000000"),
    ],
)  # fmt: skip
def test_a_size_is_whole_unless_it_has_decimals(size: bytes, expected: bytes) -> None:
    assert level(b"585.94", size) == (585.94, b'[585.94,%b,"NASDAQ"]' % expected)


@pytest.mark.parametrize(
    "price", [b"-1", b"-1.0", b"0", b"0.0", b"-0.0", DBL_MAX, b"-" + DBL_MAX, b"1e12", b"Infinity"]
)
def test_a_price_that_means_no_value_gives_no_level(price: bytes) -> None:
    assert level(price, b"100") == NO_LEVEL


@pytest.mark.parametrize("size", [b"0", b"0.0", b"-0", b"-1", b"-5.5", DBL_MAX, b"Infinity"])
def test_a_size_that_means_no_value_gives_no_level(size: bytes) -> None:
    assert level(b"585.94", size) == NO_LEVEL


NO_NUMBERS = [
    b"", b"abc", b"nan", b"NaN", b"-nan", b"1_0", b" 5", b"5 ", b"5\n", b"\t5", b"0x10", b"5,94",
    b"5.9.4", b"--5", b"1e", b".", b"\xd9\xa1", b"\xff", b"5 8",
]  # fmt: skip


@pytest.mark.parametrize("raw", NO_NUMBERS)
@pytest.mark.parametrize("field", ["price", "size"])
def test_what_is_no_number_is_refused_by_field(field: str, raw: bytes) -> None:
    price, size = (raw, b"1") if field == "price" else (b"585.94", raw)
    with pytest.raises(BadRow, match=f"{field} was "):
        level(price, size)


def test_an_error_quotes_no_more_than_forty_bytes() -> None:
    with pytest.raises(BadRow) as caught:
        number(b"x" * 5000, "price")
    assert str(caught.value) == f"price was {b'x' * 40!r}, must be a number"


def test_a_refused_number_is_refused_again() -> None:
    parser = DepthRowParser()
    for _ in range(2):
        with pytest.raises(BadRow):
            parser.parse(plain(b"0", b"0", b"1", b"1_0", b"1"), VENUE)


def test_a_delete_needs_neither_price_nor_size() -> None:
    row = DepthRowParser().parse(plain(b"4", b"2", b"0", b"", b""), VENUE)
    assert row == (0, 2, 4, NO_LEVEL)


@pytest.mark.parametrize(
    ("field", "raw", "message"),
    [
        ("position", b"-1", "position was b'-1', must be a whole number"),
        ("position", b"", "position was b'', must be a whole number"),
        ("position", b"1.0", "position was b'1.0', must be a whole number"),
        ("position", b"1_0", "position was b'1_0', must be a whole number"),
        ("position", b" 1", "position was b' 1', must be a whole number"),
        ("position", b"10001", "position was 10001, must be at most 10000"),
        ("position", b"9999999999", "position was b'9999999999', must be a whole number"),
        ("operation", b"3", "operation was 3, must be at most 2"),
        ("operation", b"x", "operation was b'x', must be a whole number"),
        ("side", b"2", "side was 2, must be at most 1"),
        ("side", b"\xd9\xa1", "side was b'\\xd9\\xa1', must be a whole number"),
    ],
)
def test_a_place_that_cannot_be_one_is_refused(field: str, raw: bytes, message: str) -> None:
    values = {"position": b"0", "operation": b"0", "side": b"1", field: raw}
    fields = plain(values["position"], values["operation"], values["side"], b"585.94", b"1")
    with pytest.raises(BadRow) as caught:
        DepthRowParser().parse(fields, VENUE)
    assert str(caught.value) == message


def test_a_position_far_beyond_a_book_is_still_a_position() -> None:
    row = DepthRowParser().parse(plain(b"10000", b"2", b"1", b"0", b"0"), VENUE)
    assert row == (1, 2, 10_000, NO_LEVEL)


@pytest.mark.parametrize(
    "fields",
    [
        [b"12"],
        [b"12", b"1", b"7", b"0", b"0", b"1", b"585.94"],
        [b"13", b"1", b"7", b"0", b"NSDQ", b"0", b"1", b"585.33"],
    ],
)
def test_a_row_with_too_few_fields_is_refused(fields: list[bytes]) -> None:
    with pytest.raises(BadRow, match=f"was {len(fields)}, need 8 or 9"):
        DepthRowParser().parse(fields, VENUE)


def test_a_row_cut_before_its_size_is_refused() -> None:
    with pytest.raises(BadRow, match="size was b''"):
        DepthRowParser().parse([b"12", b"1", b"7", b"0", b"0", b"1", b"585.94", b""], VENUE)


def test_full_caches_start_afresh_and_change_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_LIMIT", 3)
    parser = DepthRowParser()
    for n in range(1, 20):
        fields = [b"13", b"1", b"7", b"0", b"MM%d" % n, b"0", b"1", b"10.%d" % n, b"%d" % n, b"0"]
        expected = (float(f"10.{n}"), f'[{float(f"10.{n}")},{n},"MM{n}"]'.encode())
        assert parser.parse(fields, VENUE)[3] == expected
        assert len(parser._prices) <= 3 and len(parser._sizes) <= 3 and len(parser._makers) <= 3
