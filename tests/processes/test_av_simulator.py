from __future__ import annotations

import gzip
import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.errors import CommandError
from tests.support.vendor_process import (
    RECORDINGS,
    VendorProcess,
    connect,
    fetch,
    needs_vendor_recordings,
)

Start = Callable[..., VendorProcess]
RSI = {"function": "RSI", "symbol": "SPY", "interval": "5min", "time_period": "14",
       "series_type": "close"}  # fmt: skip
TARGET = "/query?function=ATR&symbol=SPY&interval=5min&time_period=14&apikey=secret"


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[VendorProcess] = []

    def begin(*flags: str) -> VendorProcess:
        running.append(VendorProcess(*flags))
        return running[-1]

    yield begin
    for process in running:
        process.stop()


def test_one_connection_serves_many_requests(start: Start) -> None:
    vendor = start("--no-limits")
    client = connect(vendor)
    for _ in range(30):
        response, content = fetch(client)
        assert response.status == 200
        assert response.headers["Content-Length"] == str(len(content))
        assert len(json.loads(content)["data"]) == 600
    client.close()
    assert vendor.stats()["connections"] == 1
    assert vendor.stats()["requests"] == 30


def test_a_packed_answer_comes_in_chunks_and_is_the_plain_one(start: Start) -> None:
    vendor = start("--moving", "0")
    client = connect(vendor)
    _, plain = fetch(client)
    response, packed = fetch(client, {"Accept-Encoding": "gzip, deflate"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Content-Length"] is None
    assert gzip.decompress(packed) == plain
    assert len(packed) * 5 < len(plain)
    client.close()


def test_the_headers_are_the_vendors(start: Start) -> None:
    client = connect(start())
    response, _ = fetch(client)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Server"] == "cloudflare"
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    for name in ("Retry-After", "ETag", "Last-Modified", "Cache-Control"):
        assert response.headers[name] is None
    client.close()


def test_requests_sent_in_one_go_are_answered_in_turn(start: Start) -> None:
    vendor = start()
    head = f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n"
    last = head.replace("Host: x", "Connection: close")
    with socket.create_connection(("127.0.0.1", vendor.port), timeout=10) as client:
        client.sendall((head + last).encode())
        content = b"".join(iter(lambda: client.recv(65536), b""))
    assert content.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"x" * 70_000, b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_request_is_refused(start: Start, sent: bytes) -> None:
    vendor = start()
    with socket.create_connection(("127.0.0.1", vendor.port), timeout=10) as client:
        client.sendall(sent)
        assert client.recv(65536).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert vendor.stats()["malformed"] == 1


def test_a_full_second_is_refused_and_the_evidence_says_so(start: Start) -> None:
    vendor = start("--plan", "75")
    client = connect(vendor)
    texts = [json.loads(fetch(client, **RSI)[1]) for _ in range(8)]
    assert all("Meta Data" in text for text in texts[:5])
    assert all("no more than 5 requests per second" in t["Information"] for t in texts[5:])
    rows = vendor.requests(function="RSI", symbol="spy")
    assert [row["outcome"] for row in rows] == ["ok"] * 5 + ["burst"] * 3
    assert {row["client"] for row in rows} == {"w1"}
    (key,) = vendor.stats()["keys"].values()
    assert key["peak_1s"] == vendor.busiest(1.0) == 8
    assert key["outcomes"] == {"ok": 5, "burst": 3}
    assert sum(key["by_wall_second"].values()) == 8
    client.close()


def test_limits_may_be_changed_while_it_runs(start: Start) -> None:
    vendor = start("--plan", "1200")
    client = connect(vendor)
    assert vendor.call("plan", per_minute=2)["per_minute"] == 2
    outcomes = [json.loads(fetch(client, **RSI)[1]) for _ in range(3)]
    assert "Minute-level rate limit exceed." in outcomes[2]["Information"]
    vendor.call("forget")
    assert "Meta Data" in json.loads(fetch(client, **RSI)[1])
    assert vendor.stats()["requests"] == 4
    vendor.call("plan", plan="free", limits=False)
    assert all("Meta Data" in json.loads(fetch(client, **RSI)[1]) for _ in range(5))
    client.close()


def test_no_line_of_the_simulator_has_a_key(start: Start) -> None:
    vendor = start("--keys", "topsecret,other")
    client = connect(vendor)
    assert fetch(client, apikey="topsecret")[0].status == 200
    refused = json.loads(fetch(client, apikey="wrong-one")[1])
    assert refused["Information"].startswith("We have detected your API key as wrong-one and")
    seen = json.dumps([vendor.stats(), vendor.requests()])
    assert "topsecret" not in seen
    assert "wrong-one" not in seen
    digests = [hashlib.sha256(key).hexdigest()[:8] for key in (b"topsecret", b"wrong-one")]
    assert list(vendor.stats()["keys"]) == digests
    client.close()


def test_the_truth_is_what_was_sent(start: Start) -> None:
    vendor = start()
    client = connect(vendor)
    for _ in range(3):
        _, content = fetch(client, require_greeks="true")
    sent = vendor.chain("ibm")
    rows = json.loads(content)["data"]
    assert sent["number"] == 3
    assert len(sent["rows"]) == len(rows) == sent["contracts"] == 600
    for row, truth in zip(rows, sent["rows"], strict=True):
        assert truth["contract_id"] == row["contractID"]
        assert truth["bid"] == float(row["bid"])
        assert truth["vega"] == float(row["vega"])
    one = vendor.chain("IBM", contract=rows[5]["contractID"])["rows"]
    assert one == [sent["rows"][5]]
    _, content = fetch(client, function="NEWS_SENTIMENT", tickers="SPY")
    assert vendor.call("news", symbol="SPY")["document"] == json.loads(content)
    _, content = fetch(client, **RSI)
    truth = vendor.call("indicator", symbol="SPY", function="RSI")["document"]
    assert truth == json.loads(content)
    with pytest.raises(CommandError, match="no REALTIME_OPTIONS has been sent, was 'QQQ'"):
        vendor.chain("QQQ")
    client.close()


def test_the_same_seed_gives_the_same_bytes(start: Start) -> None:
    bodies = []
    for seed in ("5", "5", "6"):
        client = connect(start("--seed", seed, "--date", "2026-05-04"))
        bodies.append([fetch(client)[1] for _ in range(3)])
        client.close()
    assert bodies[0] == bodies[1] != bodies[2]


def test_moving_and_freezing_by_command(start: Start) -> None:
    vendor = start()
    client = connect(vendor)
    first = fetch(client)[1]
    assert fetch(client)[1] != first
    vendor.call("moving", share=0)
    first = fetch(client)[1]
    assert fetch(client)[1] == first
    vendor.call("moving", share=1)
    assert vendor.call("freeze", symbol="IBM")["frozen"] == ["IBM"]
    assert fetch(client)[1] == first
    assert vendor.call("thaw")["frozen"] == []
    assert fetch(client)[1] != first
    vendor.call("contracts", contracts=40, symbol="IBM")
    assert len(json.loads(fetch(client)[1])["data"]) == 40
    client.close()


def test_a_large_moving_chain_is_cheap(start: Start) -> None:
    vendor = start("--contracts", "12000", "--no-limits")
    client = connect(vendor)
    fetch(client, {"Accept-Encoding": "gzip"}, require_greeks="true")
    before_s = _cpu_s(vendor.pid)
    for _ in range(10):
        fetch(client, {"Accept-Encoding": "gzip"}, require_greeks="true")
    # About 20 ms each where nothing else runs.
    assert (_cpu_s(vendor.pid) - before_s) / 10 < 0.1
    client.close()


def _cpu_s(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


@needs_vendor_recordings
def test_samples_come_over_the_wire_byte_for_byte(start: Start) -> None:
    vendor = start("--samples", str(RECORDINGS))
    client = connect(vendor)
    for query, file in (
        ({"function": "HISTORICAL_OPTIONS"}, "HISTORICAL_OPTIONS_IBM_20171115.json"),
        ({"symbol": "SPY"}, "REALTIME_OPTIONS_artificial.json"),
        ({"function": "NEWS_SENTIMENT", "tickers": "AAPL", "symbol": ""},
         "NEWS_SENTIMENT_AAPL.json"),
        ({**RSI, "symbol": "duol"}, "RSI_5min.json"),
    ):  # fmt: skip
        recorded = (RECORDINGS / file).read_bytes()
        assert fetch(client, **query)[1] == recorded
        packed = fetch(client, {"Accept-Encoding": "gzip"}, **query)[1]
        assert gzip.decompress(packed) == recorded
    vendor.fault("body", file="errors/heroku_503.html", count=1)
    response, content = fetch(client)
    assert (response.status, response.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert content == (RECORDINGS / "errors/heroku_503.html").read_bytes()
    vendor.fault("body", file="errors/info_minute_premium.json", count=1)
    assert fetch(client)[1] == (RECORDINGS / "errors/info_minute_premium.json").read_bytes()
    with pytest.raises(CommandError, match="file must be one of the samples directory"):
        vendor.fault("body", file="../../facts/alphavantage.md")
    client.close()


def test_a_body_needs_samples(start: Start) -> None:
    with pytest.raises(CommandError, match="kind body needs --samples, was started without"):
        start().fault("body", file="errors/err_apikey.json")
