"""The task that a batch of predictions is."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from workers.arrays import to_array, to_tensor
from workers.celery import app
from workers.protocol import PREDICT_TASK, PredictBatch, PredictReply, ProtocolError, VersionRef
from workers.runtime.errors import PipelineRuntimeError
from workers.runtime.networks import LoadedVersion
from workers.worker import Worker, this_worker


@app.task(name=PREDICT_TASK, Strategy="workers.strategy:careful", throws=(PipelineRuntimeError, ProtocolError))
def predict(message: dict[str, Any]) -> dict[str, Any]:
    """Predict a batch with exactly the version it names; see `PredictBatch` and `PredictReply`.

    Raises:
        ProtocolError: the message is no batch.
        PipelineRuntimeError: the version cannot be loaded, or the rows do not fit it.
    """
    started = perf_counter()
    worker = this_worker()
    batch = PredictBatch.from_json(message)
    version = _acquire(worker, batch.version)
    rows = to_array(batch.rows)
    with worker.window.slots:
        called = perf_counter()
        outputs = version.predict_rows(rows)
        inference_ms = (perf_counter() - called) * 1000
    tensor = to_tensor(outputs)
    handling_ms = (perf_counter() - started) * 1000
    worker.stats.add(batch.requests, handling_ms, inference_ms)
    return PredictReply(worker.name, tensor, inference_ms, handling_ms).to_json()


def _acquire(worker: Worker, version: VersionRef) -> LoadedVersion:
    if worker.networks.holds(version):
        return worker.networks.acquire(version)
    with worker.window.waiting():
        return worker.networks.acquire(version)
