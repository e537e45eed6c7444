"""One prediction request from its rows to its answer, and the note of how long it took."""

from __future__ import annotations

from concurrent.futures import CancelledError
from time import monotonic

import numpy as np
from django.conf import settings
from django.utils import timezone

from inference.answer import Answer
from inference.errors import (
    BrokerUnavailableError,
    BusyError,
    InferenceError,
    NoNetworkError,
    PredictionFailedError,
    RequestTimeoutError,
)
from inference.gateway import gateway
from inference.models import PredictionTiming
from workers.protocol import Tensor

Outcome = PredictionTiming.Outcome


def predict(nn_id: str | None, rows: Tensor) -> Answer:
    """The answer of the network `nn_id`, or of the default one, by the version that is active when it is sent.

    Raises:
        BusyError, NoNetworkError, PredictionFailedError, RequestTimeoutError: as they say.
    """
    started = monotonic()
    try:
        answer = _wait_for_answer(nn_id, rows)
    except InferenceError as error:
        _note(started, rows, _outcome(error), None)
        raise
    _note(started, rows, Outcome.ANSWERED, answer)
    return answer


def _wait_for_answer(nn_id: str | None, rows: Tensor) -> Answer:
    seconds = settings.PIPELINE_REQUEST_TIMEOUT
    future = gateway().dispatcher.submit(nn_id, rows, seconds)
    try:
        answer = future.result(timeout=seconds)
    except (TimeoutError, CancelledError) as error:
        future.cancel()
        if not gateway().replies.connected:
            raise BrokerUnavailableError(f"the broker could not be reached for {seconds:g} s") from error
        raise RequestTimeoutError(
            f"no worker answered within {seconds:g} s; see /status for the workers that are connected"
        ) from error
    if not np.isfinite(answer.outputs).all():
        raise PredictionFailedError("OverflowError: the network's output is not finite for these numbers")
    return answer


def _outcome(error: InferenceError) -> Outcome:
    match error:
        case BusyError():
            return Outcome.REFUSED
        case RequestTimeoutError() | BrokerUnavailableError():
            return Outcome.TIMED_OUT
        case NoNetworkError() | PredictionFailedError():
            return Outcome.FAILED
    return Outcome.FAILED


def _note(started: float, rows: Tensor, outcome: Outcome, answer: Answer | None) -> None:
    gateway().timings.add(
        PredictionTiming(
            at=timezone.now(),
            nn_id=answer.version.nn_id if answer else "",
            version=answer.version.number if answer else None,
            worker=answer.worker if answer else "",
            rows=rows.shape[0],
            batch_rows=answer.batch_rows if answer else 0,
            total_ms=(monotonic() - started) * 1000,
            queue_ms=answer.queue_ms if answer else 0.0,
            inference_ms=answer.inference_ms if answer else 0.0,
            outcome=outcome,
        )
    )
