"""One batch on its way: the requests that travel in it, its message, and each request's part of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from inference.dispatch.answer import Answer
from inference.dispatch.waiting import Key, Outcome, Waiting
from inference.errors import InferenceError, PredictionFailedError
from workers.messages.arrays import to_arrays
from workers.messages.message import ProtocolError
from workers.messages.protocol import PredictBatch, PredictReply, VersionRef, is_worker
from workers.messages.request_id import REQUEST_IDS_MAX
from workers.messages.tensors import Tensor, Tensors
from workers.runtime.errors import AnswerTooLargeError, NumbersError, RowsError

NOT_FINITE = "OverflowError: the network's output is not finite for these numbers"
#: A worker's errors that one request of a batch may have caused for all.
ONE_REQUESTS_ERRORS = (NumbersError.__name__, AnswerTooLargeError.__name__)
#: And those of rows that are not what the network takes.
ROWS_ERRORS = (RowsError.__name__, NumbersError.__name__, AnswerTooLargeError.__name__)


@dataclass(eq=False)
class Batch:
    """Requests that are answered by one version in one call; `sent` is of `time.monotonic`."""

    requests: list[Waiting]
    id: str = field(default_factory=lambda: uuid4().hex)
    #: What is to answer it, and when it was sent: both are known just before.
    version: VersionRef | None = None
    sent: float = 0.0
    #: Nobody waits for it any more: what has not been sent of it need not be.
    withdrawn: bool = False

    @property
    def key(self) -> Key:
        """What its requests have in common."""
        return self.requests[0].key

    @property
    def deadline(self) -> float:
        """When nobody waits for it any more."""
        return max(request.deadline for request in self.requests)

    @property
    def chosen(self) -> VersionRef:
        """Its version.

        Raises:
            ProtocolError: it has none yet: an answer to it is none.
        """
        if self.version is None:
            raise ProtocolError("the batch has not been sent")
        return self.version

    def message(self) -> PredictBatch:
        """What is sent to a worker."""
        return PredictBatch(
            self.chosen,
            _join([request.asked.inputs for request in self.requests]),
            [request.asked.rows_count for request in self.requests],
            [request.asked.request_id for request in self.requests[:REQUEST_IDS_MAX]],
        )

    def outcomes(self, message: Any) -> list[Outcome]:
        """Each request's own rows of a worker's answer, or the worker's error, in their order. From any thread.

        Raises:
            ProtocolError: the message is no answer to this batch.
        """
        if not isinstance(message, dict):
            raise ProtocolError("a result must be an object")
        if message.get("status") != "SUCCESS":
            return [self._failure(message)] * len(self.requests)
        reply = PredictReply.from_json(message.get("result"))
        outputs = to_arrays(reply.outputs)
        batch_rows = sum([request.asked.rows_count for request in self.requests])
        if reply.rows_count != batch_rows:
            raise ProtocolError(f"{reply.rows_count} outputs for {batch_rows} rows")
        version = self.chosen
        all_finite = _are_finite(outputs)  # numbers that only some doors' answers can say
        outcomes: list[Outcome] = []
        first = 0
        for request in self.requests:
            rows, queue_ms = request.asked.rows_count, (self.sent - request.arrived) * 1000
            answer = Answer(version, outputs, first, rows, reply.worker, batch_rows, queue_ms, reply.inference_ms)
            if all_finite or not request.asked.in_json or _are_finite(answer.outputs):
                outcomes.append(answer)
            else:
                outcomes.append(PredictionFailedError(NOT_FINITE, version, reply.worker, is_rows_fault=True))
            first += rows
        return outcomes

    def finish(self, outcomes: list[Outcome]) -> None:
        """End its requests with what `outcomes` has told."""
        for request, outcome in zip(self.requests, outcomes, strict=True):
            request.finish(outcome)

    def _failure(self, message: dict[str, Any]) -> PredictionFailedError:
        trace, worker = str(message.get("traceback") or message.get("result")), message.get("worker")
        is_rows_fault = _error_of(message) in ROWS_ERRORS
        return PredictionFailedError(trace, self.version, str(worker) if is_worker(worker) else "", is_rows_fault)


def _are_finite(outputs: dict[str, NDArray[Any]]) -> bool:
    """Whether all numbers can be said in JSON, which has no NaN and no infinity."""
    return all(np.isfinite(output).all() for output in outputs.values() if output.dtype.kind == "f")


def _join(parts: list[Tensors]) -> Tensors:
    """The rows of several requests, one after the other; all have the same inputs, in whatever order."""
    if len(parts) == 1:
        return parts[0]
    return {name: _join_rows([part[name] for part in parts]) for name in parts[0]}


def _join_rows(parts: list[Tensor]) -> Tensor:
    rows = sum(part.shape[0] for part in parts)
    return Tensor(parts[0].dtype, (rows, *parts[0].shape[1:]), b"".join(part.data for part in parts))


def may_be_one_requests_fault(message: Any) -> bool:
    """Whether a batch failed for something that a single one of its requests may have brought along."""
    return _error_of(message) in ONE_REQUESTS_ERRORS


def _error_of(message: Any) -> str:
    """The name of a worker's error, if a message is one."""
    result = message.get("result") if isinstance(message, dict) else None
    return str(result.get("exc_type")) if isinstance(result, dict) else ""


def fail(requests: list[Waiting], error: InferenceError) -> None:
    """End requests with an error, but those that were given up meanwhile."""
    for request in requests:
        request.finish(error)
