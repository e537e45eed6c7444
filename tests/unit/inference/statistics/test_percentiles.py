"""Percentiles from rollups beside those of a million timings themselves, of times as they are found in the wild."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.dispatch.predict_input import PREDICT_DOOR
from inference.statistics.histogram import MIDDLES_MS, add_up, bucket_of, sum_of, to_bytes
from inference.statistics.summary import Summary, summary
from inference.statistics.tallies import Tallies
from inference.statistics.timing import Timing
from inference.statistics.writing import write

COUNT = 1_000_000
ASKED = (50, 95, 99)
NOON = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=12)
Times = npt.NDArray[np.float64]

TIMES: dict[str, Callable[[np.random.Generator], Times]] = {
    "usual": lambda source: source.lognormal(2.7, 0.5, COUNT),
    "fast and slow": lambda source: np.where(
        source.random(COUNT) < 0.9, source.normal(1.0, 0.05, COUNT), source.normal(900.0, 90.0, COUNT)
    ),
    "a long tail, to minutes": lambda source: 0.05 * (1 + source.pareto(0.6, COUNT)),
    "all the same": lambda _: np.full(COUNT, 7.77),
    "faster than anything": lambda source: source.uniform(0.05, 0.2, COUNT),
}


def rolled_up(times: Times) -> Summary:
    """What two processes make of them, over some hours and workers."""
    tallies = Tallies(), Tallies()
    for part, some in enumerate(np.array_split(times, 20)):
        at = NOON + part * timedelta(minutes=23)
        worker = f"worker-{part % 3}@here"
        timings = [
            Timing(at, "a" * 32, 3, worker, 1, 1, ms, 1.0, 0.5, "answered", PREDICT_DOOR) for ms in some.tolist()
        ]
        tallies[part % 2].add(timings, NOON)
    for each in tallies:
        write([], each.changed())
    return summary(NOON, NOON + timedelta(hours=10))


@pytest.mark.django_db
@pytest.mark.parametrize("name", TIMES)
def test_percentiles_are_right_to_two_percent(name: str) -> None:
    times = TIMES[name](np.random.default_rng(7))

    found = rolled_up(times)

    exact = np.percentile(times, ASKED, method="inverted_cdf")
    assert found.count == COUNT
    assert found.mean_ms == pytest.approx(times.mean())
    assert [found.p50_ms, found.p95_ms, found.p99_ms] == pytest.approx(exact, rel=0.02)


@given(st.floats(0.01, 86_400_000))
def test_every_time_is_near_the_middle_of_its_bucket(milliseconds: float) -> None:
    assert MIDDLES_MS[bucket_of(milliseconds)] == pytest.approx(milliseconds, rel=0.015)


@pytest.mark.parametrize(("milliseconds", "bucket"), [(0.0, 0), (-1.0, 0), (1e300, 779), (float("inf"), 779)])
def test_what_no_bucket_is_for_is_in_the_first_or_the_last(milliseconds: float, bucket: int) -> None:
    assert bucket_of(milliseconds) == bucket


Buckets = st.dictionaries(st.integers(0, 779), st.integers(1, 2**20))


@given(st.lists(Buckets, min_size=1, max_size=5))
def test_stored_histograms_add_up(several: list[dict[int, int]]) -> None:
    stored = [to_bytes(buckets) for buckets in several]

    counts = add_up(stored, np.zeros(len(stored), dtype=np.intp), 1)

    assert {bucket: int(counts[0, bucket]) for bucket in np.flatnonzero(counts[0])} == {
        bucket: sum(one.get(bucket, 0) for one in several) for bucket in {key for one in several for key in one}
    }
    assert (add_up([sum_of(stored)], np.zeros(1, dtype=np.intp), 1) == counts).all()
