"""The task that a batch of predictions is."""

from __future__ import annotations

import logging
from time import monotonic, perf_counter
from typing import Any

from celery.exceptions import Ignore

from workers.celery import app
from workers.consuming.strategy import GIVEN_UP_AT
from workers.logs import about
from workers.messages.arrays import to_arrays, to_tensors
from workers.messages.message import ProtocolError, shorten
from workers.messages.protocol import PREDICT_TASK, PredictBatch, PredictReply, VersionRef
from workers.messages.tensors import TENSORS_BYTES_MAX, count_bytes
from workers.runtime.errors import AnswerTooLargeError, PipelineRuntimeError
from workers.runtime.loading import LoadedVersion
from workers.worker import Worker, this_worker

logger = logging.getLogger(__name__)


@app.task(
    name=PREDICT_TASK,
    Strategy="workers.consuming.strategy:careful",
    Request="workers.consuming.strategy:DecodedRequest",
    throws=(PipelineRuntimeError, ProtocolError),
    # Celery makes a text of every result, of up to 1024 characters, to log it at INFO.
    resultrepr_maxsize=1,
)
def predict(message: dict[str, Any]) -> dict[str, Any]:
    """Predict a batch with exactly the version it names; see `PredictBatch` and `PredictReply`.

    Raises:
        ProtocolError: the message is no batch.
        PipelineRuntimeError: the version cannot be loaded, or the rows do not fit it, or the answer is too large.
    """
    started = perf_counter()
    worker = this_worker()
    batch = PredictBatch.from_json(message)
    try:
        return _answer(worker, batch, started).to_packed()
    except Ignore:
        raise
    except Exception as error:
        worker.measured.add_failed_batch()
        logger.warning(
            "A batch for %s failed, as its requests are told: %s",
            batch.version,
            shorten(f"{type(error).__name__}: {error}"),
            extra=about(batch.version, request_ids=batch.request_ids),
        )
        raise


def _answer(worker: Worker, batch: PredictBatch, started: float) -> PredictReply:
    version = _acquire(worker, batch.version)
    inputs = to_arrays(batch.inputs)
    with worker.consuming.prefetch.slots:
        _refuse_late(batch)
        called = perf_counter()
        outputs = version.predict(inputs, batch.request_rows)
        inference_ms = (perf_counter() - called) * 1000
    tensors = to_tensors(outputs)
    if count_bytes(tensors) > TENSORS_BYTES_MAX:
        raise AnswerTooLargeError(f"the answer has more than {TENSORS_BYTES_MAX} bytes: ask for fewer rows at once")
    handling_ms = (perf_counter() - started) * 1000
    worker.stats.add(batch.requests, handling_ms, inference_ms)
    worker.measured.add_batch(batch.requests, batch.rows_count, inference_ms)
    if version.weights.rows_belong_together:
        worker.measured.add_apart(batch.requests)
    return PredictReply(worker.name, tensors, inference_ms, handling_ms)


def _refuse_late(batch: PredictBatch) -> None:
    """Compute nothing that nobody waits for: the batch may have waited here, behind others or for its network."""
    given_up_at = predict.request.get(GIVEN_UP_AT)
    if given_up_at is not None and monotonic() >= given_up_at:
        logger.warning("A batch for %s is late: nobody waits for it any more.", batch.version)
        raise Ignore


def _acquire(worker: Worker, version: VersionRef) -> LoadedVersion:
    if worker.networks.holds(version):
        return worker.networks.acquire(version)
    with worker.consuming.prefetch.waiting():
        return worker.networks.acquire(version)
