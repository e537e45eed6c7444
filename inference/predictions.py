"""One prediction request from its rows to its answer, and the note of how long it took."""

from __future__ import annotations

import logging
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
    PredictionFailedError,
    RequestTimeoutError,
)
from inference.gateway import gateway
from inference.models import PredictionTiming
from inference.monitoring import observations
from inference.predict_input import PredictInput
from inference.statistics.timing import Timing

logger = logging.getLogger(__name__)
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
        outcome = _outcome(error)
        _note(started, asked, outcome, None)
        if outcome != Outcome.REFUSED:
            _log(asked, outcome, error)
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


def _log(asked: PredictInput, outcome: Outcome, error: InferenceError) -> None:
    """One line for one that failed or came too late; those that succeed have none."""
    made_by = error.version if isinstance(error, PredictionFailedError) else None
    nn_id, version = (made_by.nn_id, made_by.number) if made_by else (asked.nn_id, asked.version)
    which = f"network {nn_id}" if nn_id else "the default network"
    which += f" version {version}" if version else ""
    about = {"nn_id": nn_id, "version": version}
    logger.warning("A prediction by %s %s: %s", which, outcome.value.replace("_", " "), error, extra=about)


def _note(started: float, asked: PredictInput, outcome: Outcome, answer: Answer | None) -> None:
    timing = Timing(
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
    gateway().timings.add(timing)
    observations.predictions.append(timing)
