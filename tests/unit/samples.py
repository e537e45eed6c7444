"""Small pieces that many unit tests start from: a version, rows, what workers tell, and an answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.models import Activation, Network, Version
from inference.versions import services
from inference.versions.uploads import store_version
from workers.measuring.measured import Measured
from workers.messages.arrays import to_tensor
from workers.messages.details import LoadedWeights, WorkerDetails
from workers.messages.measures import WorkerMeasures
from workers.messages.protocol import PredictReply, Report, VersionRef, WorkerStatus
from workers.messages.tensors import ONLY_INPUT, Tensor, Tensors

NN_ID = "000127a35b5f462b8ec68fb4d905ac36"
OTHER_NN_ID = "0d3c5dffa4374c77a554ed38c9c50296"
DIGEST = "a" * 64
OTHER_DIGEST = "c" * 64
ARCHITECTURE = "b" * 64
VERSION = VersionRef(NN_ID, 1, DIGEST, ARCHITECTURE)
NEXT_VERSION = VersionRef(NN_ID, 2, OTHER_DIGEST, ARCHITECTURE)


def tensor(*rows: list[float]) -> Tensor:
    """Rows of float32."""
    return to_tensor(np.array(rows, np.float32))


def only_input(*rows: list[float]) -> Tensors:
    """Rows of float32 for a network of one input."""
    return {ONLY_INPUT: tensor(*rows)}


def asking(*rows: list[float], nn_id: str | None = None, version: int | None = None) -> PredictInput:
    """A request for rows of float32."""
    return PredictInput(only_input(*rows), len(rows) == 1, nn_id, version)


def reply_to(inputs: Tensors, worker: str = "worker-1@here") -> dict[str, Any]:
    """A Celery result message with one output an input: the first number of each row."""
    outputs = {f"first of {name}": _first_numbers(rows) for name, rows in inputs.items()}
    return {"status": "SUCCESS", "result": PredictReply(worker, outputs, 0.5, 0.7).to_json()}


def _first_numbers(rows: Tensor) -> Tensor:
    firsts = np.frombuffer(rows.data, rows.dtype).reshape(rows.shape[0], -1)[:, :1]
    return to_tensor(np.ascontiguousarray(firsts))


def worker_status(worker: str = "worker-1@here") -> WorkerStatus:
    """What a worker that holds VERSION tells."""
    return WorkerStatus(worker, ["192.0.2.7"], NN_ID, 1, 0.7, 0.5, 3, worker_details())


def worker_details() -> WorkerDetails:
    """Those of a worker that holds VERSION."""
    programs = {"pipeline": "0.1.0", "python": "3.11.2", "keras": "3.15.1", "tensorflow": "2.21.0"}
    return WorkerDetails(programs, 600 * 1024**2, 5000, 1024**3, 1, [LoadedWeights(NN_ID, DIGEST, 5000)])


def worker_measures(worker: str = "worker-1@here", version: VersionRef | None = VERSION) -> WorkerMeasures:
    """What a worker measures that answered two batches, of 3 requests and 5 rows, in 0.3 and 40 ms."""
    measured = Measured()
    measured.add_batch(2, 4, 0.3)
    measured.add_batch(1, 1, 40.0)
    return WorkerMeasures(
        worker=worker,
        nn_id=version.nn_id if version else None,
        number=version.number if version else None,
        counts=measured.counts(),
        cpu_seconds=12.5,
        details=worker_details(),
    )


def loaded(worker: str) -> Report:
    """The report of a worker that loaded what it was asked to."""
    return Report(worker, loaded=True, trace="", seconds=0.25)


def failed(worker: str, trace: str = "Traceback (most recent call last):\nWeightsError: no") -> Report:
    """The report of a worker that could not."""
    return Report(worker, loaded=False, trace=trace, seconds=0.25)


def activated(version: Version, kind: Activation.Kind = Activation.Kind.UPLOAD) -> Activation:
    """A stored version made active, as it is when one worker has loaded it."""
    activation = services.begin(version, kind, "192.0.2.1")
    services.record_reports(activation, [loaded("w1")])
    services.commit(activation)
    return activation


def failed_activation(version: Version, *reports: Report) -> Activation:
    """A stored version that was not made active: these are the workers' reports, or one worker failed."""
    activation = services.begin(version, Activation.Kind.UPLOAD, "192.0.2.1")
    services.record_reports(activation, reports or [failed("w1")])
    services.close(activation, Activation.Outcome.FAILED, "w1: WeightsError: no")
    return activation


def two_versions() -> None:
    """Versions 1 and 2 of NN_ID, the second active."""
    for content in (b"one", b"two"):
        activated(store_version(NN_ID, "weights.b64", content, b"{}"))


def active_number(nn_id: str = NN_ID) -> int | None:
    """The number of a network's active version."""
    active = Network.objects.get(nn_id=nn_id).active
    return active.number if active else None


def answer_with(
    outputs: dict[str, Any], batch_rows: int = 0, queue_ms: float = 0.1, inference_ms: float = 0.2
) -> Answer:
    """The answer to a request whose own rows these are, the last ones of a batch that has so many, or no others."""
    rows = len(next(iter(outputs.values())))
    others = max(batch_rows - rows, 0)
    batch = {name: np.concatenate([np.ones((others, *own.shape[1:]), own.dtype), own]) for name, own in outputs.items()}
    return Answer(VERSION, batch, others, rows, "worker-1@here", others + rows, queue_ms, inference_ms)
