"""What a worker measures of itself, as it crosses the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.samples import worker_measures
from workers.measuring import measured as measured_module
from workers.measuring.measured import Measured
from workers.measuring.usage import cpu_seconds, memory_bytes
from workers.messages.measures import INFERENCE_BOUNDS, Counts, WorkerMeasures
from workers.messages.message import ProtocolError
from workers.messages.refusals import Refusals


def test_what_happens_is_counted() -> None:
    measured = Measured()
    measured.add_batch(3, 30, 1.0)
    measured.add_batch(1, 1, 60_000.0)
    measured.add_failed_batch()
    measured.add_load(0.5)
    measured.add_failed_load()
    measured.add_eviction()

    counts = measured.counts()

    assert (counts.requests, counts.rows, counts.failed_batches) == (4, 31, 1)
    assert counts.inference[INFERENCE_BOUNDS.index(0.001)] == 1
    assert counts.inference[-1] == 1
    assert counts.inference_seconds == 60.001
    assert (counts.loads, counts.failed_loads, counts.load_seconds, counts.evictions) == (1, 1, 0.5, 1)


def test_what_a_worker_tells_is_what_a_gateway_reads() -> None:
    told = worker_measures()

    assert WorkerMeasures.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_a_field_of_a_later_version_is_ignored() -> None:
    told = worker_measures().to_json()

    assert WorkerMeasures.from_json({**told, "x": 1, "counts": {**told["counts"], "y": 2}}) == worker_measures()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("worker", ""),
        ("worker", "w" * 256),
        ("worker", 1),
        ("nn_id", "no network"),
        ("number", -1),
        ("counts", None),
        ("counts", {"inference": [1, 2]}),
        ("counts", {"inference": [-1] * (len(INFERENCE_BOUNDS) + 1)}),
        ("counts", {"rows": 0.5}),
        ("counts", {"load_seconds": float("inf")}),
        ("details", None),
        ("details", {"programs": {}}),
        ("cpu_seconds", float("nan")),
        ("cpu_seconds", "1"),
    ],
)
def test_what_is_no_measure_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ProtocolError):
        WorkerMeasures.from_json({**worker_measures().to_json(), field: value})


def test_nothing_has_happened_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured_module, "refusals", Refusals())
    assert Measured().counts() == Counts()


def test_this_process_takes_memory_and_time() -> None:
    assert memory_bytes() > 1_000_000
    assert cpu_seconds() > 0
