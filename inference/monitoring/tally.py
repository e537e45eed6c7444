"""What one process has counted so far: numbers and histograms by metric and labels, which add up across processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from inference.monitoring.catalogue import CATALOGUE, Metric

#: A metric's name and the values of its labels.
Key = tuple[str, tuple[str, ...]]
#: A histogram: how many values each bucket has, the one beyond the last bound included, and then the sum of all.
Buckets = NDArray[np.float64]


class Tally:
    """Counters and histograms. Not thread-safe."""

    def __init__(self) -> None:
        self.numbers: dict[Key, float] = {}
        self.histograms: dict[Key, Buckets] = {}

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Add to a counter, also nothing: from then on it is there, and Prometheus sees its first step."""
        key = metric.name, labels
        self.numbers[key] = self.numbers.get(key, 0.0) + amount

    def observe(self, metric: Metric, values: Sequence[float], *labels: str, scale: float = 1.0) -> None:
        """Put values into a histogram, each times `scale`, all at once: numpy takes a fraction of the time for each."""
        buckets = self.histograms.setdefault((metric.name, labels), np.zeros(len(metric.bounds) + 2))
        observed = np.asarray(values, np.float64) * scale
        found = np.searchsorted(metric.bounds, observed)
        buckets[:-1] += np.bincount(found, minlength=len(metric.bounds) + 1)
        buckets[-1] += observed.sum()

    def include(self, other: Tally) -> None:
        """Add up with what another process has counted."""
        for key, number in other.numbers.items():
            self.numbers[key] = self.numbers.get(key, 0.0) + number
        for key, buckets in other.histograms.items():
            self.histograms[key] = self.histograms.get(key, 0.0) + buckets

    def to_json(self) -> list[list[object]]:
        """All of it, for `from_json`."""
        counted = {**self.numbers, **{key: buckets.tolist() for key, buckets in self.histograms.items()}}
        return [[name, labels, value] for (name, labels), value in counted.items()]

    @classmethod
    def from_json(cls, rows: Iterable[tuple[str, list[str], float | list[float]]]) -> Tally:
        """What `to_json` made; metrics that this version does not know are left out."""
        tally = cls()
        for name, labels, value in rows:
            key = name, tuple(labels)
            if name not in CATALOGUE:
                continue
            if isinstance(value, list):
                tally.histograms[key] = np.array(value)
            else:
                tally.numbers[key] = value
        return tally


def dump(tally: Tally, gauges: dict[Metric, float]) -> bytes:
    """A tally, and how its process is now, as bytes for `load`."""
    return orjson.dumps({"tally": tally.to_json(), "gauges": {metric.name: now for metric, now in gauges.items()}})


def load(dumped: bytes) -> tuple[Tally, dict[str, float]]:
    """What `dump` made; of no bytes, nothing counted."""
    found = orjson.loads(dumped) if dumped else {"tally": [], "gauges": {}}
    return Tally.from_json(found["tally"]), found["gauges"]
