"""Deliberate bugs of what is bounded: slots, rates, gaps, keys, memory, time."""

from __future__ import annotations

from typing import Final

from tests.oracle.bug import Bug, bug

__all__ = ["BUGS_OF_LIMITS"]

_DEPTH: Final = "shared/store/depth.py"
_REPORTING: Final = "shared/reporting.py"
_FIGURES: Final = "    usage = resource.getrusage(resource.RUSAGE_SELF)\n    return {\n"
# In place of a module's monotonic clock.
_WALL_CLOCK: Final = (
    "import time\n",
    "import time as _time\n\n\nclass _Wall:\n    monotonic = staticmethod(_time.time)\n\n"
    "    def __getattr__(self, name):\n        return getattr(_time, name)\n\n\n"
    "time = _Wall()\n",
)


def _leak(name: str, what: str, invariant: str, seconds: float) -> Bug:
    """Of every worker, each time it writes its figures."""
    kept = "_kept: list[object] = []\n\n\ndef process_figures"
    edits = (
        (_REPORTING, "def process_figures", kept),
        (_REPORTING, _FIGURES, _FIGURES.replace("    return", f"    {what}\n    return")),
    )
    return Bug(name, edits, invariant, seconds=seconds)


BUGS_OF_LIMITS: Final = (
    bug(
        "a slot more is used than there are", "shared/feeds/ibkr/depth_state.py",
        ("ibkr.max_concurrent_depth,", "ibkr.max_concurrent_depth + 1,"),
        "depth cap",
    ),
    Bug(
        "the time is asked for 60 times at once",
        (
            ("shared/feeds/ibkr/connection.py",
             "ib.client.MaxRequests = self._policy.max_messages_per_s",
             "ib.client.MaxRequests = 0"),
            ("shared/feeds/ibkr/depth.py", "        state, tick_s = self._state, now_s()\n",
             "        state, tick_s = self._state, now_s()\n"
             "        for _ in range(60 if int(10 * tick_s) % 100 == 0 else 0):\n"
             "            session.ib.client.reqCurrentTime()\n"),
        ),
        "message rate", seconds=25.0,
    ),
    bug(
        "a slot does not cool down", "shared/feeds/ibkr/depth_state.py",
        ("            ibkr.slot_cooldown_s,\n", "            0.0,\n"),
        "gateway's rules",
    ),
    bug(
        "a gap begins three seconds too early", "shared/store/rotation_log.py",
        ("interrupted.append((pair, last_ts))", "interrupted.append((pair, last_ts - 3_000))"),
        "gaps are true", ("kill -9 ibkr_depth",),
    ),
    bug(
        "one row in 50 is dropped and told as lost", _DEPTH,
        (
            "        assert self.sink is not None\n        self.sink.put(update)\n",
            "        assert self.sink is not None\n        if update.seq % 50 == 0:\n"
            "            from shared.store.losses import Lost\n\n"
            "            at = (update.symbol, update.venue, update.seq, update.ts_ms)\n"
            "            self.sink.losses.add(Lost(*at), 'lost')\n            return\n"
            "        self.sink.put(update)\n",
        ),
        "gaps have a cause",
    ),
    bug(
        "a row in 50 is told of another venue", "shared/store/depth_commands.py",
        (
            "    venue = update.venue.encode()\n    seq =",
            '    venue = b"IEX" if update.seq % 50 == 0 else update.venue.encode()\n    seq =',
        ),
        "no foreign row",
    ),
    bug(
        "a bar is written twice", "shared/store/lua/bars_put.lua",
        (
            '    redis.call("ZADD", KEYS[which], ARGV[i + 2], ARGV[i + 3])\n',
            '    redis.call("ZADD", KEYS[which], ARGV[i + 2], ARGV[i + 3], ARGV[i + 2],'
            ' ARGV[i + 3] .. " ")\n',
        ),
        "one bar per start",
    ),
    bug(
        "greeks get a key of another name", "shared/store/keys.py",
        ('options:{symbol}:{contract_id}:greeks"', 'options:{symbol}:{contract_id}:values"'),
        "known keys only",
    ),
    bug(
        "a book has a row too few", "shared/store/depth_commands.py",
        ("    b'\"bids\":%b,\"asks\":%b,\"state\":\"%b\"}'\n",
         "    b'\"bids\":%b,\"asks\":[],\"ask\":%b,\"state\":\"%b\"}'\n"),
        "no bad value readable",
    ),
    bug(
        "an article in ten is left out", "shared/normalize/av_news.py",
        (
            "        self.articles.append(self._article(story, ts))\n",
            "        if len(self._urls) % 10:\n"
            "            self.articles.append(self._article(story, ts))\n",
        ),
        "articles as sent",
    ),
    bug(
        "an indicator shows the value before the newest", "shared/normalize/av_indicators.py",
        ("ts_ms, values = history[0]", "ts_ms, values = history[1]"),
        "indicators as sent",
    ),
    bug(
        "a stream is hardly trimmed", "shared/store/depth_commands.py",
        ('bound = b"%d" % maxlen', 'bound = b"%d" % (1_000 * maxlen)'),
        "streams trimmed", ("burst of rows", "storm of rows", "burst of rows"),
        stream_maxlen=100,
    ),
    _leak(
        "files are never closed",
        "_kept.extend(open('/dev/null') for _ in range(5))", "files flat", 80.0,
    ),
    _leak(
        "threads never end",
        "_kept.append(__import__('threading').Thread(target=__import__('time').sleep, args=(900,),"
        " daemon=True)) or _kept[-1].start()",
        "threads flat", 90.0,
    ),
    _leak(
        "tasks never end",
        "_kept.extend(asyncio.create_task(asyncio.sleep(900)) for _ in range(9))",
        "tasks flat", 80.0,
    ),
    _leak("what was written is kept", "_kept.append(b'x' * 40_000_000)", "memory bounded", 30.0),
    bug(
        "nobody may trim what was told to him", "shared/store/acl.py",
        (" hset hdel xadd lpop ltrim\"", " hset hdel xadd\""),
        "rights suffice",
    ),
    bug(
        "a worker thinks for seven seconds before it starts", "workers/av_options.py",
        ("from __future__ import annotations\n",
         "from __future__ import annotations\n\nimport time as _time\n\n_time.sleep(7)\n"),
        "recovery", ("kill -9 av_options",),
    ),
    bug(
        "the vendor's schedule goes by the wall clock", "shared/feeds/alphavantage/polls.py",
        _WALL_CLOCK, "fresh after a fault", ("clock an hour ahead",),
    ),
    bug(
        "a lease that has expired is lost for good", "shared/store/lua/lease_renew.lua",
        ("if holder and holder ~= ARGV[1] then", "if holder ~= ARGV[1] then"),
        "nobody ends by the clock", ("clock an hour ahead",),
    ),
)  # fmt: skip
