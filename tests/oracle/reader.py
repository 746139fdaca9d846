"""Reads every key over and over, as a consumer would: no half, bad or lasting value may be seen."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, Final

import orjson
import redis

from tests.oracle.evidence import Findings, Trade
from tests.oracle.key_rules import ANY, Problem, Rule, rule_of

__all__ = ["KeyReader"]

_PAUSE_S: Final = 0.4
_MS: Final = 1_000
_CHAIN: Final = re.compile("options:[^:]+:chain")
_READS: Final[dict[str, tuple[str, ...]]] = {
    "string": ("GET",),
    "hash": ("HGETALL",),
    "list": ("LRANGE", "0", "-1"),
    "zset": ("ZRANGE", "0", "-1", "WITHSCORES"),
    "stream": ("XREVRANGE", "+", "-", "COUNT", "5"),
}


class KeyReader:
    def __init__(
        self, url_of: Callable[[], str], secret: str, clock_is_steady: bool = True
    ) -> None:
        """`url_of` is asked again when Redis is away: it may come back elsewhere. When the clock
        of Redis is put back, what it holds has the longer to live."""
        self._url_of = url_of
        self._client = redis.Redis.from_url(url_of(), socket_timeout=5)
        self._secret = secret.encode()
        self._clock_is_steady = clock_is_steady
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="key reader", daemon=True)
        self.findings = Findings()
        self.error = ""
        self._trades: dict[str, dict[int, Trade]] = {}
        # What the vendor's documents were seen as: (key, when it was fetched).
        self._documents: set[tuple[str, int]] = set()
        # Counters that begin anew with each process: (key, worker, name) -> sum of lives, newest.
        self._counters: dict[tuple[str, str, str], tuple[float, float]] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(30)
        self._client.close()

    def trades(self, symbol: str, true_ms: Callable[[int], int] = int) -> list[Trade]:
        found = sorted(self._trades.get(symbol, {}).items())
        return [trade._replace(received_ts=true_ms(trade.received_ts)) for _, trade in found]

    def total(self, name: str) -> int:
        """A counter of all workers, over all their lives."""
        found = (value for (_, _, one), value in self._counters.items() if one == name)
        return int(sum(before + newest for before, newest in found))

    def seen(self, begin: str) -> int:
        """Documents of different fetches under keys that begin so."""
        return sum(key.startswith(begin) for key, _ in self._documents)

    def read_once(self) -> None:
        keys: list[bytes] = list(self._client.scan_iter(count=1_000))
        rules = [(key.decode(), rule_of(key.decode())) for key in keys]
        known = [(key, rule) for key, rule in rules if rule is not None]
        for key in (key for key, rule in rules if rule is None):
            self.findings.violation("known keys only", key)
        pipe = self._client.pipeline(transaction=False)
        for key, rule in known:
            pipe.pttl(key)
            command, *words = _READS[rule.kind]
            read: Any = pipe
            read.execute_command(command, key, *words)
        replies = pipe.execute(raise_on_error=False)
        pairs = zip(replies[::2], replies[1::2], strict=True)
        for (key, rule), (left_ms, value) in zip(known, pairs, strict=True):
            self._judge(key, rule, left_ms, value)
        for symbol in {key.split(":")[1] for key, _ in known if key.startswith("options:")}:
            self._judge_chain(symbol)
        self.findings.count("reads", 1)
        self.findings.count("keys read", len(known))

    def _run(self) -> None:
        while not self._ending.wait(_PAUSE_S):
            try:
                self.read_once()
            except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError):
                # Away or loading by command; what a reader sees of it is no value at all.
                self.findings.count("reads refused", 1)
                self._connect_again()
            except Exception as error:
                self.error = repr(error)
                raise

    def _connect_again(self) -> None:
        try:
            url = self._url_of()
        except OSError:
            # Between `make down` and `make up` there is no address.
            return
        self._client.close()
        self._client = redis.Redis.from_url(url, socket_timeout=5)

    def _judge(self, key: str, rule: Rule, left_ms: Any, value: Any) -> None:
        if isinstance(left_ms, Exception) or isinstance(value, redis.ConnectionError):
            return
        if left_ms == -2 or value in (None, [], {}):
            return
        self._judge_ttl(key, rule, left_ms)
        if self._secret in repr(value).encode():
            self.findings.violation("no key of the vendor", f"in {key}")
        try:
            if isinstance(value, Exception):
                raise Problem(f"not a {rule.kind}: {value}")
            rule.check(value)
        except (Problem, ValueError, TypeError, KeyError, IndexError) as error:
            self.findings.violation("no bad value readable", f"{key}: {error!r:.300}")
            return
        self._keep(key, value)

    def _judge_ttl(self, key: str, rule: Rule, left_ms: int) -> None:
        if rule.ttl_s == ANY:
            return
        if rule.ttl_s is None:
            if left_ms != -1:
                self.findings.violation("expiries", f"{key}: lasts, had {left_ms} ms left")
        elif left_ms == -1:
            self.findings.violation("expiries", f"{key}: had none")
        elif left_ms > rule.ttl_s * _MS and self._clock_is_steady:
            self.findings.violation("expiries", f"{key}: had {left_ms} ms, most {rule.ttl_s} s")

    def _judge_chain(self, symbol: str) -> None:
        """Calls, puts and chain are of one fetch whenever they are read together."""
        pipe = self._client.pipeline(transaction=True)
        for part in ("calls", "puts", "chain"):
            pipe.get(f"options:{symbol}:{part}")
        calls, puts, chain = pipe.execute()
        if chain is None:
            return
        try:
            rows = [row["contractID"] for part in (calls, puts) for row in orjson.loads(part)]
            named = orjson.loads(chain)["by_contract"].keys()
        except (ValueError, TypeError, KeyError) as error:
            self.findings.violation("chains whole", f"{symbol}: {error!r:.200}")
            return
        if set(rows) != named or not all(name.startswith(symbol) for name in rows):
            text = f"{symbol}: {len(rows)} rows, {len(named)} contracts"
            self.findings.violation("chains whole", text)

    def _keep(self, key: str, value: Any) -> None:
        if key.endswith(":trades"):
            self._keep_trades(key.split(":")[1], [_trade(member) for member in value])
        elif key.startswith(("sentiment:", "technicals:")) or _CHAIN.fullmatch(key):
            self._documents.add((key, orjson.loads(value)["fetched_ts"]))
        elif key.endswith(":metrics"):
            for worker, text in value.items():
                self._keep_counters(key, worker.decode(), orjson.loads(text))

    def _keep_trades(self, symbol: str, newest: list[Trade]) -> None:
        """What a killed Redis had lost was told before and is told again, or told otherwise."""
        kept = self._trades.setdefault(symbol, {})
        for number in [number for number in kept if number >= newest[-1].seq]:
            del kept[number]
        kept.update((trade.seq, trade) for trade in newest)

    def _keep_counters(self, key: str, worker: str, row: dict[str, Any]) -> None:
        for name in ("conflated", "stragglers", "dropped", "resent", "store_retries"):
            newest = row.get(name)
            if isinstance(newest, int | float):
                before, known = self._counters.get((key, worker, name), (0.0, 0.0))
                if newest < known:
                    before += known
                self._counters[key, worker, name] = (before, float(newest))


def _trade(member: bytes) -> Trade:
    row = orjson.loads(member)
    price_e4 = round(row["price"] * 10_000)
    return Trade(
        row["seq"], row["ts"], row["received_ts"], price_e4, float(row["size"]), row["feed"]
    )
