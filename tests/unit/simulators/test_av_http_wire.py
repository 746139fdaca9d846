from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.alphavantage.body import Body
from simulators.alphavantage.delivery import deliver
from simulators.alphavantage.http_wire import HttpRequest, chunked, parse_request, response_head
from simulators.alphavantage.reply import Reply
from simulators.errors import WireError

PLAIN = HttpRequest("GET", "/query", {}, {})
PACKED = HttpRequest("GET", "/query", {}, {"accept-encoding": "gzip, deflate"})


def test_a_request_is_taken_apart() -> None:
    request = parse_request(
        b"GET /query?function=RSI&symbol=BRK-B&tickers=CRYPTO%3ABTC&apikey= HTTP/1.1\r\n"
        b"Host: localhost\r\nAccept-Encoding: gzip\r\nUser-Agent: a/1\r\nX-Client: w1"
    )
    assert (request.method, request.path) == ("GET", "/query")
    assert request.query == {
        "function": "RSI", "symbol": "BRK-B", "tickers": "CRYPTO:BTC", "apikey": "",
    }  # fmt: skip
    assert request.gzip
    assert request.keep_alive
    assert request.client == "w1"


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.0", b"GET / HTTP/1.1\r\nConnection: close"], ids=["1.0", "close"]
)
def test_a_connection_may_be_for_one_request(head: bytes) -> None:
    assert not parse_request(head).keep_alive


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"nonsense", "request line must have three parts, was b'nonsense'"),
        (b"GET / HTTP/2", "version must be HTTP/1.1 or HTTP/1.0, was 'HTTP/2'"),
        (b"GET / HTTP/1.1\r\nHost", "header line must have a colon, was 'Host'"),
    ],
)
def test_what_is_no_request_is_named(head: bytes, error: str) -> None:
    with pytest.raises(WireError, match=error):
        parse_request(head)


@given(st.binary(max_size=200))
def test_no_head_breaks_the_parser(head: bytes) -> None:
    try:
        found = parse_request(head)
    except WireError as error:
        assert str(error)
    else:
        assert found is not None


def test_a_head_has_status_date_and_headers() -> None:
    assert response_head(503, [("Server", "Cowboy")], 0.0) == (
        b"HTTP/1.1 503 Service Unavailable\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        b"Server: Cowboy\r\n\r\n"
    )


def test_content_is_cut_into_chunks() -> None:
    assert chunked(b"abc") == [b"3\r\n", b"abc", b"\r\n"]
    assert len(chunked(b"x" * 65_537)) == 6


def split(parts: list[bytes]) -> tuple[bytes, bytes]:
    head, _, content = b"".join(parts).partition(b"\r\n\r\n")
    return head, content


def test_a_reply_has_a_length_or_is_packed_in_chunks() -> None:
    head, content = split(list(deliver(PLAIN, Reply("ok", Body.of("abc")), 0.0)))
    assert b"\r\nContent-Length: 3\r\n" in head
    assert content == b"abc"
    head, content = split(list(deliver(PACKED, Reply("ok", Body.of("abc")), 0.0)))
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Encoding: gzip" in head
    assert b"Content-Length" not in head
    size, _, rest = content.partition(b"\r\n")
    assert gzip.decompress(rest[: int(size, 16)]) == b"abc"
    assert rest[int(size, 16) :] == b"\r\n0\r\n\r\n"


def test_the_head_says_what_the_vendors_does() -> None:
    head, _ = split(list(deliver(PLAIN, Reply("ok", Body.of("{}")), 0.0)))
    for line in (b"Content-Type: application/json", b"Server: cloudflare",
                 b"cf-cache-status: DYNAMIC", b"via: 2.0 heroku-router"):  # fmt: skip
        assert line in head
    for name in (b"Retry-After", b"ETag", b"Cache-Control", b"Last-Modified"):
        assert name not in head


def test_a_head_request_gets_no_content() -> None:
    head_only = HttpRequest("HEAD", "/query", {}, {})
    head, content = split(list(deliver(head_only, Reply("ok", Body.of("abc")), 0.0)))
    assert b"Content-Length: 3" in head
    assert content == b""


def test_a_cut_body_promises_more_than_it_sends() -> None:
    reply = Reply("ok", Body.of("abcdef"), delivery="cut_body")
    head, content = split(list(deliver(PLAIN, reply, 0.0)))
    assert b"Content-Length: 6" in head
    assert content == b"abc"
    _, content = split(list(deliver(PACKED, reply, 0.0)))
    assert not content.endswith(b"0\r\n\r\n")


def test_a_trickle_is_a_byte_at_a_time() -> None:
    reply = Reply("ok", Body.of("abc"), delivery="trickle")
    assert list(deliver(PACKED, reply, 0.0))[1:] == [b"a", b"b", b"c"]


def test_a_huge_body_is_the_same_megabyte_again_and_again() -> None:
    parts = list(deliver(PACKED, Reply("ok", Body.of(""), delivery="huge_body", megabytes=3), 0.0))
    assert len({id(part) for part in parts[2:-1]}) == 1
    assert sum(map(len, parts)) > 3 << 20


def test_a_bomb_unpacks_to_its_size() -> None:
    reply = Reply("ok", Body.of(""), delivery="gzip_bomb", megabytes=3)
    _, content = split(list(deliver(PLAIN, reply, 0.0)))
    packed = b""
    while content:
        size, _, content = content.partition(b"\r\n")
        packed += content[: int(size, 16)]
        content = content[int(size, 16) + 2 :]
    assert len(packed) < 20_000
    assert len(gzip.decompress(packed)) > 3 << 20
