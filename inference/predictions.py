"""One prediction request from its rows to its answer, and the note of how long it took."""

from __future__ import annotations

from time import monotonic

from django.conf import settings
from django.utils import timezone

from inference.answer import Answer
from inference.errors import (
    BrokerUnavailableError,
    BusyError,
    ConflictError,
    InferenceError,
    NotFoundError,
    RequestTimeoutError,
)
from inference.gateway import gateway
from inference.models import PredictionTiming
from inference.predict_input import PredictInput
from inference.statistics.timing import Timing

Outcome = PredictionTiming.Outcome


def predict(asked: PredictInput) -> Answer:
    """The answer of the version that is asked for, or of the one that is active when the rows are sent.

    Raises:
        BusyError, NoNetworkError, NotFoundError, ConflictError: it cannot be asked for.
        PredictionFailedError, RequestTimeoutError, BrokerUnavailableError: it was, and has no answer.
    """
    started = monotonic()
    try:
        answer = _wait_for_answer(asked)
    except InferenceError as error:
        _note(started, asked, _outcome(error), None)
        raise
    _note(started, asked, Outcome.ANSWERED, answer)
    return answer


def _wait_for_answer(asked: PredictInput) -> Answer:
    seconds = settings.PIPELINE_REQUEST_TIMEOUT
    future = gateway().dispatcher.submit(asked, seconds)
    try:
        return future.result(timeout=seconds)
    except TimeoutError as error:
        if not gateway().replies.connected:
            raise BrokerUnavailableError(f"the broker could not be reached for {seconds:g} s") from error
        raise RequestTimeoutError(
            f"no worker answered within {seconds:g} s; see /status for the workers that are connected"
        ) from error


def _outcome(error: InferenceError) -> Outcome:
    match error:
        case BusyError() | NotFoundError() | ConflictError():
            return Outcome.REFUSED
        case RequestTimeoutError() | BrokerUnavailableError():
            return Outcome.TIMED_OUT
    return Outcome.FAILED


def _note(started: float, asked: PredictInput, outcome: Outcome, answer: Answer | None) -> None:
    gateway().timings.add(
        Timing(
            at=timezone.now(),
            nn_id=answer.version.nn_id if answer else asked.nn_id or "",
            version=answer.version.number if answer else None,
            worker=answer.worker if answer else "",
            rows=asked.rows_count,
            batch_rows=answer.batch_rows if answer else 0,
            total_ms=(monotonic() - started) * 1000,
            queue_ms=answer.queue_ms if answer else 0.0,
            inference_ms=answer.inference_ms if answer else 0.0,
            outcome=outcome,
        )
    )
