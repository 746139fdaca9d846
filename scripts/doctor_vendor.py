"""What two answers of Alpha Vantage say about the key and its plan. Pure."""

from __future__ import annotations

from typing import Final

from scripts.doctor_finding import Finding, fail, ok, warn
from shared.feeds.alphavantage.client import Answer
from shared.feeds.alphavantage.diagnosis import VendorReport
from shared.settings import AlphaVantageSettings, Settings

CHECK: Final = "vendor"
OPTIONS: Final = "vendor-options"
PLAN: Final = "vendor-plan"
_WORKERS: Final = ("av_options", "av_sentiment")
_PLANS: Final = (75, 150, 300, 600, 1200)
# Realtime options come with the plans from this one up.
_OPTIONS_PLAN: Final = 600
_FREE_WORDS: Final = ("free key rate limit", "free api requests", "requests per day")
_UNKNOWN_WORDS: Final = ("detected your api key",)
_PRICES: Final = "https://www.alphavantage.co/premium/"
_BAD_KEY: Final = "correct ALPHA_VANTAGE_API_KEY in .env, letter by letter, and restart"
_PASSING: Final = ("burst", "minute", "daily")


def unneeded(settings: Settings) -> Finding | None:
    """Why no call is made at all, or None."""
    if not set(_WORKERS) & set(settings.supervision.workers()):
        return ok(CHECK, "not asked, no Alpha Vantage worker is enabled")
    if not settings.alpha_vantage.api_key:
        text = "ALPHA_VANTAGE_API_KEY is missing, av_options and av_sentiment are left out"
        return warn(CHECK, text, "set it in .env")
    if not settings.vendor_symbols():
        return ok(CHECK, "not asked, the universe has no stock")
    return None


def untried(settings: Settings) -> list[Finding]:
    return [ok(CHECK, "a key is set, no call was made"), plan(settings, VendorReport())]


def judge(settings: Settings, report: VendorReport) -> list[Finding]:
    vendor, first, second = settings.alpha_vantage, report.indicator, report.options
    if first is None:
        remedy = "the workers use it up; try again when they are stopped"
        return [warn(CHECK, f"not asked, {report.unasked}", remedy), plan(settings, report)]
    findings = [_unanswered(settings, first) or _key(vendor, first)]
    if findings[0].state == "fail":
        return [*findings, *([plan(settings, report)] if is_free(report) else [])]
    if second is None:
        findings.append(warn(OPTIONS, f"not asked, {report.unasked}", "try again later"))
    else:
        findings.append(_options(vendor, second))
    return [*findings, plan(settings, report)]


def _unanswered(settings: Settings, answer: Answer) -> Finding | None:
    if answer.kind != "transport":
        return None
    remedy = "is there a way out (proxy, DNS, firewall), is the vendor down?"
    if settings.source == "sim":
        remedy = "`make up` starts the simulator"
    text = f"{settings.alpha_vantage.base_url} gives no answer, {answer.text}"
    return fail(CHECK, text, remedy)


def _key(vendor: AlphaVantageSettings, answer: Answer) -> Finding:
    if answer.kind in ("data", "empty"):
        return ok(CHECK, f"{vendor.base_url} takes the key, {answer.fetch_ms:.0f} ms")
    if _says(answer, _UNKNOWN_WORDS):
        finding = "bad key: the vendor does not know it, or it is a free one used up for today"
        return fail(CHECK, finding, _BAD_KEY)
    if "apikey" in answer.text.lower():
        return fail(CHECK, f"bad key: {answer.text}", _BAD_KEY)
    if answer.kind == "entitlement":
        return _not_included(vendor, answer)
    if answer.kind in _PASSING:
        return _over_the_rate(answer)
    return fail(CHECK, f"an indicator is refused, {answer.text}", "check symbols and indicators")


def _not_included(vendor: AlphaVantageSettings, answer: Answer) -> Finding:
    if "demo" in answer.text.lower():
        return fail(CHECK, "this is the demo key, it has no data", f"{_BAD_KEY}; {_PRICES}")
    if "not yet entitled" in answer.text.lower():
        text = f"entitlement is {vendor.entitlement!r}, the plan does not include it"
        return fail(CHECK, text, "set alpha_vantage.entitlement to what the plan includes")
    return fail(CHECK, f"the plan has no indicators: {answer.text}", f"choose a plan, {_PRICES}")


def _over_the_rate(answer: Answer) -> Finding:
    if _says(answer, _FREE_WORDS):
        text = "a free-plan key, refused for its rate or used up for today (25 calls)"
        return fail(CHECK, text, f"choose a plan, {_PRICES}")
    remedy = "other programs use this key: leave them room with a larger safety_buffer"
    return warn(CHECK, f"the key is known, its calls are used up just now, {answer.text}", remedy)


def _options(vendor: AlphaVantageSettings, answer: Answer) -> Finding:
    function = vendor.options_function
    if answer.kind in ("data", "empty"):
        return ok(OPTIONS, f"{function} is included")
    if _says(answer, _FREE_WORDS):
        text = f"{function} is refused, the key is of the free plan"
        return fail(OPTIONS, text, f"options come with the plans of 600 and more, {_PRICES}")
    if answer.kind == "entitlement":
        text = f"key without options, {function} gives a sample or a premium text"
        remedy = f"take a plan of 600 or more calls a minute ({_PRICES}), or leave av_options out"
        return fail(OPTIONS, text, remedy)
    if answer.kind in (*_PASSING, "transport"):
        return warn(OPTIONS, f"not known, {answer.text}", "try again")
    return fail(OPTIONS, f"{function} is refused, {answer.text}", "check options_function")


def plan(settings: Settings, report: VendorReport) -> Finding:
    """Is `calls_per_min` one that this key can have, and one that suffices?"""
    vendor = settings.alpha_vantage
    given, wanted = vendor.calls_per_min, demand_per_min(settings)
    text = f"calls_per_min is {given}"
    if is_free(report):
        return fail(PLAN, f"{text}, the key is of the free plan: 25 calls a day", _PRICES)
    if given not in _PLANS:
        remedy = f"the vendor's plans have {', '.join(str(one) for one in _PLANS)}: set yours"
        return warn(PLAN, text, remedy)
    if given >= _OPTIONS_PLAN and report.options and report.options.kind == "entitlement":
        remedy = "set the number of calls that your plan has"
        return warn(PLAN, f"{text}, but a plan of that size has options and this key none", remedy)
    if wanted > given - vendor.safety_buffer:
        remedy = "lengthen the intervals, list fewer symbols, or take a larger plan"
        return warn(PLAN, f"{text}, the settings ask for {wanted:.0f} a minute", remedy)
    return ok(PLAN, f"{text}, the settings ask for {wanted:.0f} a minute")


def demand_per_min(settings: Settings) -> float:
    """Calls a minute that the workers make in market hours."""
    vendor, symbols = settings.alpha_vantage, settings.vendor_symbols()
    workers = settings.supervision.workers()
    with_news = [symbol for symbol in symbols if symbol not in vendor.sentiment_skip]
    options = len(symbols) / vendor.options_interval_s
    news = len(with_news) / vendor.sentiment_interval_s
    technicals = len(symbols) * len(vendor.indicators) / vendor.technicals_interval_s
    per_s = options * ("av_options" in workers)
    return 60 * (per_s + (news + technicals) * ("av_sentiment" in workers))


def is_free(report: VendorReport) -> bool:
    answers = [one for one in (report.indicator, report.options) if one is not None]
    return any(_says(one, _FREE_WORDS) and not _says(one, _UNKNOWN_WORDS) for one in answers)


def _says(answer: Answer, phrases: tuple[str, ...]) -> bool:
    lowered = answer.text.lower()
    return any(phrase in lowered for phrase in phrases)
