from __future__ import annotations

import pytest

from shared.errors import StoreUnavailable
from shared.store.resp import RespConnection, pack
from tests.unit.store.resp_commands import commands


def test_a_command_is_packed_with_the_lengths_of_its_parts_in_bytes() -> None:
    assert pack(b"SET", "é".encode(), b"") == b"*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xa9\r\n$0\r\n\r\n"


def test_packed_commands_read_back() -> None:
    assert commands(pack(b"PING") + pack(b"GET", b"a b\r\n")) == [["PING"], ["GET", "a b\r\n"]]


def test_sending_without_a_connection_says_so() -> None:
    connection = RespConnection("redis://127.0.0.1:1/0", 1.0, "test")
    assert not connection.connected
    with pytest.raises(StoreUnavailable, match="redis is not connected"):
        connection.send(pack(b"PING"), 1)


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="redis://, rediss://, unix://"):
        RespConnection("http://127.0.0.1:6379", 1.0, "test")
