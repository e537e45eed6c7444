"""The message that tells a gateway what a worker has counted, and what it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from workers.messages.details import WorkerDetails
from workers.messages.message import Message, is_count, require
from workers.messages.protocol import is_nn_id, is_worker

MEASURES_COMMAND = "report_measures"

#: The bounds of the histogram of inference times, in seconds; one more bucket is beyond the last.
INFERENCE_BOUNDS = (
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened in a worker since it started; `inference` is how many batches each bucket has."""

    requests: int = 0
    rows: int = 0
    failed_batches: int = 0
    inference: list[int] = field(default_factory=lambda: [0] * (len(INFERENCE_BOUNDS) + 1))
    inference_seconds: float = 0.0
    loads: int = 0
    failed_loads: int = 0
    load_seconds: float = 0.0
    evictions: int = 0
    messages_refused: int = 0
    requests_apart: int = 0

    def __post_init__(self) -> None:
        numbers = (self.requests, self.rows, self.failed_batches, self.loads, self.failed_loads, self.evictions)
        require(
            all(map(is_count, (*numbers, self.messages_refused, self.requests_apart))), "what is counted must be counts"
        )
        inference = isinstance(self.inference, list) and len(self.inference) == len(INFERENCE_BOUNDS) + 1
        require(inference and all(map(is_count, self.inference)), "inference must be the counts of all buckets")
        require(is_seconds(self.inference_seconds) and is_seconds(self.load_seconds), "seconds must be numbers")


@dataclass(frozen=True, slots=True)
class WorkerMeasures(Message):
    """A worker's counts, what it shows of the default network, its processor time, and its details."""

    worker: str
    nn_id: str | None
    number: int | None
    counts: Counts
    cpu_seconds: float
    details: WorkerDetails

    def __post_init__(self) -> None:
        if isinstance(self.counts, dict):
            known = {name: self.counts[name] for name in Counts.__slots__ if name in self.counts}
            object.__setattr__(self, "counts", Counts(**known))
        require(isinstance(self.counts, Counts), "counts must be an object")
        require(is_worker(self.worker), "worker must be a name")
        require(self.nn_id is None or is_nn_id(self.nn_id), "nn_id must be 32 lower-case hex digits")
        require(self.number is None or is_count(self.number), "number must be a count")
        require(is_seconds(self.cpu_seconds), "cpu_seconds must be a number")
        if not isinstance(self.details, WorkerDetails):
            object.__setattr__(self, "details", WorkerDetails.from_json(self.details))


def is_seconds(value: object) -> bool:
    """Whether a value is a number of seconds, 0 or more."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
