from __future__ import annotations

import gzip
import zlib

from simulators.alphavantage.body import Body, Piece, pretty


def test_pieces_make_one_gzip_member() -> None:
    body = Body([Piece(b"abc" * 1000), Piece(b""), Piece("dé".encode())])
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert unpack.decompress(body.gzipped()) == body.plain()
    assert unpack.eof
    assert unpack.unused_data == b""


def test_an_empty_body_is_a_valid_member_too() -> None:
    assert gzip.decompress(Body.of("").gzipped()) == b""


def test_a_body_is_compressed_once() -> None:
    body = Body.of("x" * 10_000)
    assert body.gzipped() is body.gzipped()


def test_a_piece_is_compressed_once_for_all_its_bodies() -> None:
    piece = Piece(b"x" * 10_000)
    first = piece.deflated
    Body([piece, Piece(b"y")]).gzipped()
    assert piece.deflated is first


def test_documents_are_printed_with_four_spaces_and_as_utf8() -> None:
    assert pretty({"a": ["é"]}) == '{\n    "a": [\n        "é"\n    ]\n}'
