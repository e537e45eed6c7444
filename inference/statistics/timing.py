"""How one request went, as it is noted."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Timing(NamedTuple):
    """A row of `PredictionTiming` to be: a model's object costs five times as much, for each request."""

    at: datetime
    nn_id: str
    version: int | None
    worker: str
    rows: int
    batch_rows: int
    total_ms: float
    queue_ms: float
    inference_ms: float
    outcome: str
    door: str
