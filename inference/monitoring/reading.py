"""What is told at one time, and its text in Prometheus' format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector, CollectorRegistry

from inference.monitoring.catalogue import CATALOGUE, Metric
from inference.monitoring.tally import Tally

#: By a metric's labels.
Numbers = dict[tuple[str, ...], float]
#: As `inference.monitoring.tally` has histograms: a count for each bucket, and the sum.
Histograms = dict[tuple[str, ...], Sequence[float]]


class Reading(Collector):
    """Numbers and histograms by metric and labels."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, Numbers] = defaultdict(dict)
        self._histograms: defaultdict[str, Histograms] = defaultdict(dict)

    def tell(self, metric: Metric, value: float, *labels: str) -> None:
        """Tell a number."""
        self._numbers[metric.name][labels] = float(value)

    def tell_histogram(self, metric: Metric, counts: Sequence[float], total: float, *labels: str) -> None:
        """Tell how many values each bucket has, the one beyond the last bound included, and their sum."""
        self._histograms[metric.name][labels] = [*counts, total]

    def tell_processes(self, tally: Tally, gauges: dict[str, float]) -> None:
        """Tell what processes have counted, and how they are."""
        for name, value in gauges.items():
            self._numbers[name][()] = value
        for (name, labels), number in tally.numbers.items():
            self._numbers[name][labels] = number
        for (name, labels), buckets in tally.histograms.items():
            self._histograms[name][labels] = buckets.tolist()

    def collect(self) -> Iterator[Family]:
        """For prometheus_client: every metric that anything is told of."""
        for metric in CATALOGUE.values():
            if metric.name in self._histograms:
                yield _histogram(metric, self._histograms[metric.name])
            elif metric.name in self._numbers:
                yield _numbers(metric, self._numbers[metric.name])

    def to_text(self) -> bytes:
        """The text that Prometheus reads."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)


def _numbers(metric: Metric, numbers: Numbers) -> Family:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, number in numbers.items():
        family.add_metric(labels, number)
    return family


def _histogram(metric: Metric, histograms: Histograms) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    bounds = [*(repr(float(bound)) for bound in metric.bounds), "+Inf"]
    for labels, (*counts, total) in histograms.items():
        family.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)
    return family
