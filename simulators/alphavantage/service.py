from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import replace
from typing import Any, Final

from simulators.errors import Refused

from .body import Body, document_body
from .faults import Fault, FaultBook, Hits
from .http_wire import HttpRequest
from .ledger import Arrival, Ledger, key_name
from .limits import Limits
from .moment import Calendar, Moment
from .payloads import ENDPOINTS, FUNCTIONS, Call, Payloads
from .reply import HTML, Reply
from .samples import Samples
from .setup import Setup
from .substitutes import substitute
from .texts import Asked, burst, refusal

__all__ = ["Vendor"]

_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_ACCEPTABLE: Final = ("*/*", "application/json", "application/*")
_LAST_BODIES_KEPT: Final = 64


class Vendor:
    """Decides every answer from the request, the time and what was set; it opens no socket."""

    def __init__(self, setup: Setup, wall_s: float) -> None:
        self.setup = setup
        calendar = Calendar.of_date(setup.date, wall_s) if setup.date else Calendar()
        self.payloads = Payloads(setup, calendar)
        self.limits = Limits(setup.allowance(), setup.limits, setup.count_refused)
        self.ledger = Ledger()
        self.faults = FaultBook()
        self.fault_hits: Counter[str] = Counter()
        self.samples = Samples(setup.samples) if setup.samples else None
        # symbol, or * for all -> the time its data stands still at.
        self.frozen: dict[str, float] = {}
        # Where a redirect leads.
        self.elsewhere = ""
        self._last_bodies: OrderedDict[tuple[Any, ...], Body] = OrderedDict()

    def respond(self, request: HttpRequest, now: Moment) -> Reply:
        asked = self._asked(request.query, now)
        reply = self._decide(request, asked, now)
        arrival = Arrival(key_name(asked.key), request.client, asked.function, asked.symbol)
        self.ledger.add(now, arrival, reply.outcome, reply.status)
        return reply

    def _asked(self, query: dict[str, str], now: Moment) -> Asked:
        function = query.get("function", "")
        symbol = query.get("tickers" if function == "NEWS_SENTIMENT" else "symbol", "")
        return Asked(
            function,
            symbol.upper(),
            query.get("apikey", ""),
            query.get("date") or self.payloads.calendar.today(now.wall_s).isoformat(),
            ENDPOINTS.get(function, "Historical Options"),
        )

    def _decide(self, request: HttpRequest, asked: Asked, now: Moment) -> Reply:
        if request.path != "/query":
            return Reply("path", Body.of("<h1>Not Found</h1>"), 404, HTML)
        if request.method not in _METHODS:
            return Reply("method", Body.of("<h1>Method Not Allowed</h1>"), 405, HTML)
        accept = request.headers.get("accept", "*/*")
        if not any(name in accept for name in _ACCEPTABLE):
            return Reply("accept", document_body(refusal("detail_accept_406", asked)), 406)
        if request.method == "OPTIONS":
            return Reply("options", Body.of(""))
        refused = self._key_refusal(asked) or self._limit_refusal(asked, now)
        return refused or self._answer(request, asked, now)

    def _key_refusal(self, asked: Asked) -> Reply | None:
        if not asked.key:
            return _refused("err_apikey", asked)
        if asked.key == "demo":
            return _refused("info_demo_key", asked)
        if self.setup.keys and asked.key not in self.setup.keys:
            return _refused("info_daily25_withkey", asked)
        if asked.function not in FUNCTIONS:
            return _refused("err_no_function", asked)
        return None

    def _limit_refusal(self, asked: Asked, now: Moment) -> Reply | None:
        day = self.payloads.calendar.today(now.wall_s)
        over = self.limits.take(asked.key, now.mono_s, day)
        allowance = self.limits.allowance
        if over is None:
            return None
        if over == "burst" and not allowance.free:
            return Reply(over, document_body(burst(allowance.per_second or 0)))
        kinds = {
            "burst": "info_free_1ps_2026",
            "minute": "info_minute_premium",
            "daily": "info_daily25_withkey",
        }
        return replace(_refused(kinds[over], asked), outcome=over)

    def _answer(self, request: HttpRequest, asked: Asked, now: Moment) -> Reply:
        hits = self.faults.hit(asked.function, asked.symbol, now.mono_s)
        self.fault_hits.update(hits.kinds)
        reply = self._whole(request, asked, now, hits)
        if hits.delivery:
            gap_s = hits.delivery.values.get("ms", 100) / 1000
            reply = replace(reply, delivery=hits.delivery.kind, gap_s=gap_s)
        delay_s = sum(fault.values.get("ms", 1000) for fault in hits.slow) / 1000
        return replace(reply, delay_s=delay_s)

    def _whole(self, request: HttpRequest, asked: Asked, now: Moment, hits: Hits) -> Reply:
        call = self._call(request, asked, now, hits)
        fault = hits.replacement
        if fault is None or fault.kind in ("stale", "bad_json"):
            return self._true_reply(call, asked, hits, fault)
        if fault.kind == "empty_chain":
            self.payloads.sent_rows(call, [], ENDPOINTS.get(asked.function, "Realtime Options"))
        return replace(substitute(fault, asked, self.elsewhere), outcome=f"fault:{fault.kind}")

    def _true_reply(self, call: Call, asked: Asked, hits: Hits, fault: Fault | None) -> Reply:
        kinds = [kind for kind in hits.kinds if kind != "slow"]
        outcome = f"fault:{kinds[0]}" if kinds else "ok"
        parameters = sorted((k, v) for k, v in call.query.items() if k != "apikey")
        name = (*parameters,)
        if fault and fault.kind == "stale" and name in self._last_bodies:
            return Reply(outcome, self._last_bodies[name])
        try:
            body = self._recorded(call, asked) or self.payloads.body(call)
        except Refused as error:
            return _refused(str(error), asked)
        if fault and fault.kind == "bad_json":
            return Reply(outcome, Body.of(body.plain()[: body.length // 2]))
        self._keep(name, body)
        return Reply(outcome, body)

    def _recorded(self, call: Call, asked: Asked) -> Body | None:
        if self.samples is None:
            return None
        body = self.samples.find(call.function, call.symbol, call.query.get("date", ""))
        if body is None:
            raise Refused(_no_data(call.function))
        if call.function in ENDPOINTS:
            self.payloads.sent_rows(call, self.samples.rows(body), ENDPOINTS[call.function])
        return body

    def _call(self, request: HttpRequest, asked: Asked, now: Moment, hits: Hits) -> Call:
        frozen_s = self.frozen.get(asked.symbol, self.frozen.get("*"))
        return Call(
            asked.function,
            asked.symbol,
            request.query,
            now.wall_s if frozen_s is None else frozen_s,
            frozen_s is not None,
            now,
            hits.distortions,
            tuple(hits.kinds),
        )

    def _keep(self, name: tuple[Any, ...], body: Body) -> None:
        self._last_bodies[name] = body
        self._last_bodies.move_to_end(name)
        if len(self._last_bodies) > _LAST_BODIES_KEPT:
            self._last_bodies.popitem(last=False)


def _refused(kind: str, asked: Asked) -> Reply:
    return Reply(kind, document_body(refusal(kind, asked)))


def _no_data(function: str) -> str:
    if function in ENDPOINTS:
        return "opt_no_data_day"
    return "info_news_no_articles" if function == "NEWS_SENTIMENT" else "empty_object"
