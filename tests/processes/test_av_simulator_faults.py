from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from tests.support.vendor_process import VendorProcess, wait_until

QUERY = {"function": "REALTIME_OPTIONS", "symbol": "IBM", "apikey": "secret"}
TARGET = "/query?function=REALTIME_OPTIONS&symbol=IBM&apikey=secret"


@pytest.fixture(scope="module")
def running() -> Iterator[VendorProcess]:
    process = VendorProcess("--no-limits", "--contracts", "60")
    yield process
    process.stop()


@pytest.fixture
def vendor(running: VendorProcess) -> VendorProcess:
    running.clear()
    running.call("forget")
    return running


@pytest.fixture
def client(vendor: VendorProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=vendor.base_url, trust_env=False, timeout=10) as opened:
        yield opened


def ask(client: httpx.Client, **query: str) -> httpx.Response:
    return client.get("/query", params={**QUERY, **query})


def raw(vendor: VendorProcess) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", vendor.port), timeout=10)
    opened.sendall(f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return opened


def test_a_fault_hits_once_and_the_connection_goes_on(
    vendor: VendorProcess, client: httpx.Client
) -> None:
    vendor.fault("html_503", count=1)
    broken = ask(client)
    assert (broken.status_code, broken.headers["server"]) == (503, "Cowboy")
    assert broken.text.startswith("<!DOCTYPE html>")
    assert ask(client).status_code == 200
    assert vendor.stats()["faults"] == {"html_503": 1}


def test_a_status_429_has_no_advice(vendor: VendorProcess, client: httpx.Client) -> None:
    vendor.fault("status_429", count=1)
    refused = ask(client)
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers


def test_an_outage_is_of_all_functions_of_a_symbol(
    vendor: VendorProcess, client: httpx.Client
) -> None:
    vendor.fault("outage", symbol="IBM")
    assert ask(client).status_code == 503
    assert ask(client, function="ATR", interval="5min", time_period="14").status_code == 503
    assert ask(client, symbol="SPY").status_code == 200
    vendor.clear()
    assert ask(client).status_code == 200


def test_a_fault_for_a_time_ends_by_itself(vendor: VendorProcess, client: httpx.Client) -> None:
    vendor.fault("html_503", seconds=0.2)
    assert ask(client).status_code == 503
    wait_until(lambda: ask(client).status_code == 200)


def test_a_hanging_request_is_never_answered(vendor: VendorProcess, client: httpx.Client) -> None:
    vendor.fault("hang", count=1)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/query", params=QUERY, timeout=0.2)
    wait_until(lambda: vendor.stats()["open_connections"] == 0)
    assert ask(client).status_code == 200


def test_clearing_lets_go_of_what_hangs(vendor: VendorProcess) -> None:
    vendor.fault("hang", count=1)
    with raw(vendor) as opened:
        wait_until(lambda: vendor.stats()["faults"] == {"hang": 1})
        vendor.clear()
        assert opened.recv(100) == b""


def test_a_reset_is_a_reset(vendor: VendorProcess) -> None:
    vendor.fault("reset", count=1)
    with raw(vendor) as opened, pytest.raises(ConnectionResetError):
        opened.recv(100)


def test_a_trickle_comes_byte_by_byte(vendor: VendorProcess) -> None:
    vendor.fault("trickle", count=1, ms=20)
    with raw(vendor) as opened:
        head = b""
        while b"\r\n\r\n" not in head:
            head += opened.recv(4096)
        received = len(head.partition(b"\r\n\r\n")[2])
        began_s = time.monotonic()
        sizes = [len(opened.recv(4096)) for _ in range(10)]
    assert time.monotonic() - began_s > 0.1
    # A good answer has some 28,000.
    assert received + sum(sizes) < 2000


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_cut_body_breaks_its_promise(
    vendor: VendorProcess, client: httpx.Client, encoding: str
) -> None:
    vendor.fault("cut_body", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/query", params=QUERY, headers={"Accept-Encoding": encoding})
    assert ask(client).status_code == 200


def test_bad_json_comes_with_a_good_length(vendor: VendorProcess, client: httpx.Client) -> None:
    vendor.fault("bad_json", count=1)
    broken = ask(client)
    assert broken.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        broken.json()


def test_a_huge_body_is_streamed(vendor: VendorProcess) -> None:
    vendor.fault("huge_body", count=1)
    with closing(http.client.HTTPConnection("127.0.0.1", vendor.port, timeout=30)) as opened:
        opened.request("GET", TARGET)
        response = opened.getresponse()
        size = sum(map(len, iter(lambda: response.read(1 << 20), b"")))
    assert size > 100 << 20
    assert _memory_mb(vendor.pid) < 150


def _memory_mb(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))


def test_a_client_that_leaves_a_huge_body_ends_it(vendor: VendorProcess) -> None:
    vendor.fault("huge_body", count=1)
    before = vendor.stats()["bytes_sent"]
    with raw(vendor) as opened:
        opened.recv(4096)
    wait_until(lambda: vendor.stats()["open_connections"] == 0)
    assert vendor.stats()["bytes_sent"] - before < 50 << 20


def test_a_gzip_bomb_is_small_on_the_wire(vendor: VendorProcess) -> None:
    vendor.fault("gzip_bomb", count=1, mb=200)
    with closing(http.client.HTTPConnection("127.0.0.1", vendor.port, timeout=30)) as opened:
        opened.request("GET", TARGET, headers={"Accept-Encoding": "gzip"})
        response = opened.getresponse()
        assert response.headers["Content-Encoding"] == "gzip"
        packed = response.read()
    assert len(packed) < 1 << 20
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    size = len(unpack.decompress(packed, 300 << 20))
    assert unpack.eof
    assert size > 200 << 20


def test_a_redirect_leads_where_nobody_should_go(
    vendor: VendorProcess, client: httpx.Client
) -> None:
    vendor.fault("redirect", count=2)
    moved = ask(client)
    assert moved.status_code == 302
    assert "secret" not in moved.headers["location"]
    assert vendor.stats()["redirects_followed"] == 0
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/query", params=QUERY, follow_redirects=True)
    wait_until(lambda: vendor.stats()["redirects_followed"] == 1)


def test_a_slow_answer_is_a_good_one(vendor: VendorProcess, client: httpx.Client) -> None:
    vendor.fault("slow", count=1, ms=300)
    began_s = time.monotonic()
    assert len(ask(client).json()["data"]) == 60
    assert time.monotonic() - began_s >= 0.3


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("info_burst_30", "no more than 30 requests per second"),
        ("info_minute_premium", "Minute-level rate limit exceed."),
        ("info_free_1ps_2026", "(1 request per second)"),
        ("key_echo", "We have detected your API key as secret and"),
        ("note_daily25_withkey", "We have detected your API key as secret and"),
        ("info_contact_premium", "premium@alphavantage.co"),
        ("info_premium_endpoint", "This is a premium endpoint."),
        ("info_not_entitled_delayed", "not yet entitled"),
        ("no_data_day", "No data for symbol IBM on date "),
        ("err_invalid_call", "for REALTIME_OPTIONS."),
        ("err_apikey", "the parameter apikey is invalid or missing."),
        ("artificial", "XXYYZZ"),
        ("empty_chain", '"data": []'),
        ("empty_object", "{}"),
    ],
)
def test_every_refusal_can_be_had(
    vendor: VendorProcess, client: httpx.Client, kind: str, said: str
) -> None:
    vendor.fault(kind, count=1)
    refused = ask(client)
    assert refused.status_code == 200
    assert said in refused.text
    assert ask(client).json()["message"] == "success"


@pytest.mark.parametrize("kind", ["no_articles", "invalid_inputs"])
def test_refusals_of_news_are_of_news(
    vendor: VendorProcess, client: httpx.Client, kind: str
) -> None:
    vendor.fault(kind)
    assert ask(client).json()["message"] == "success"
    assert "Information" in ask(client, function="NEWS_SENTIMENT", tickers="IBM").json()


def test_a_distorted_chain_is_what_the_truth_says(
    vendor: VendorProcess, client: httpx.Client
) -> None:
    for kind in ("missing_greeks", "junk_values", "wrong_symbol", "duplicate_rows", "vanish"):
        vendor.fault(kind, share=0.2)
    rows = ask(client, require_greeks="true").json()["data"]
    sent = vendor.chain("IBM")
    assert set(sent["faults"]) >= {"junk_values", "vanish"}
    assert [row["contract_id"] for row in sent["rows"]] == [row["contractID"] for row in rows]
    assert {len(row) for row in rows} == {14, 20}
    assert {row["symbol"] for row in rows} == {"IBM", "ZZQ"}
    assert len({row["contractID"] for row in rows}) < len(rows)


def test_faults_are_listed_with_their_hits(vendor: VendorProcess, client: httpx.Client) -> None:
    number = vendor.fault("slow", ms=0, count=5, symbol="ibm", after=1)
    for _ in range(3):
        ask(client)
    (listed,) = vendor.call("faults")["faults"]
    assert listed == {
        "id": number, "kind": "slow", "function": None, "symbol": "IBM", "count": 5,
        "left_s": None, "after": 0, "hits": 2,
    }  # fmt: skip
    assert vendor.call("clear", id=number)["cleared"] == 1


def test_stale_is_the_same_bytes(vendor: VendorProcess, client: httpx.Client) -> None:
    first = ask(client).content
    vendor.fault("stale", count=2)
    assert ask(client).content == ask(client).content == first
    assert ask(client).content != first


def test_a_packed_answer_of_a_fault_is_packed_too(vendor: VendorProcess) -> None:
    vendor.fault("key_echo", count=1)
    with closing(http.client.HTTPConnection("127.0.0.1", vendor.port, timeout=10)) as opened:
        opened.request("GET", TARGET, headers={"Accept-Encoding": "gzip"})
        assert b"secret" in gzip.decompress(opened.getresponse().read())
