"""Samples put down one by one, and the metric families made of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric

from shared.exporter.catalogue import METRICS, PREFIX, Described

_MS: Final = 1000.0
_INFINITE: Final = "+Inf"


class Sheet:
    """What is no finite number is left out, as is a label value that no one expects."""

    def __init__(self) -> None:
        self._families: dict[str, Any] = {}

    def put(self, name: str, value: Any, *labels: str) -> None:
        number = finite(value)
        if number is not None:
            self._family(name, labels).add_metric(labels, number)

    def put_all(self, figures: Mapping[str, Any], names: Mapping[str, str], *labels: str) -> None:
        """Figures under the metrics that `names` gives for them."""
        for figure, name in names.items():
            self.put(name, figures.get(figure), *labels)

    def histogram(self, name: str, figures: Mapping[str, Any], stem: str, *labels: str) -> None:
        """Of `<stem>_bounds_ms`, `<stem>_counts` and `<stem>_sum_ms`, as workers publish them."""
        bounds, counts = figures.get(f"{stem}_bounds_ms"), figures.get(f"{stem}_counts")
        total_ms = finite(figures.get(f"{stem}_sum_ms"))
        if total_ms is None or not _fit(bounds, counts):
            return
        assert isinstance(bounds, list) and isinstance(counts, list)
        seen, buckets = 0.0, []
        for bound, count in zip((*(one / _MS for one in bounds), math.inf), counts, strict=True):
            seen += count
            buckets.append((_INFINITE if math.isinf(bound) else repr(bound), seen))
        self._family(name, labels).add_metric(labels, buckets, total_ms / _MS)

    def families(self) -> Sequence[Metric]:
        return list(self._families.values())

    # The one thing that the encoders ask of a registry.
    def collect(self) -> Iterable[Metric]:
        return self.families()

    def _family(self, name: str, labels: tuple[str, ...]) -> Any:
        described = METRICS[name]
        if len(labels) != len(described.labels):
            raise ValueError(f"{name}: labels must be {described.labels}, were {labels}")
        if name not in self._families:
            self._families[name] = _made(name, described)
        return self._families[name]


def _made(name: str, described: Described) -> Metric:
    kinds: dict[str, Any] = {
        "gauge": GaugeMetricFamily,
        "counter": CounterMetricFamily,
        "histogram": HistogramMetricFamily,
    }
    made: Metric = kinds[described.kind](PREFIX + name, described.text, labels=described.labels)
    return made


def finite(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _fit(bounds: Any, counts: Any) -> bool:
    if not isinstance(bounds, list) or not isinstance(counts, list):
        return False
    if not bounds or len(counts) != len(bounds) + 1:
        return False
    numbers = [finite(one) for one in (*bounds, *counts)]
    if any(one is None or one < 0 for one in numbers):
        return False
    return bounds == sorted(set(bounds))
