"""One prediction request from its rows to its answer, and the note of how long it took."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from django.conf import settings

from inference.dispatch.answer import Answer
from inference.dispatch.dispatcher import Dispatcher
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.replies import Replies
from inference.dispatch.versions_to_use import VersionsToUse
from inference.dispatch.waiting import nobody_knows
from inference.errors import (
    BUSY_MESSAGE,
    BrokerBlockedError,
    BrokerUnavailableError,
    BusyError,
    ConflictError,
    DatabaseAwayError,
    InferenceError,
    NotFoundError,
    PredictionFailedError,
    QuarantinedError,
    RequestTimeoutError,
)
from inference.models import PredictionTiming
from inference.monitoring import observations
from inference.statistics.timing import Timing
from workers.messages.protocol import is_nn_id
from workers.messages.refusals import HINT_SECONDS, refusals

logger = logging.getLogger(__name__)
Outcome = PredictionTiming.Outcome
#: So much sooner than by ours a client's time may be over by gRPC's clock.
CLOCK_SECONDS = 0.01


class Predictions:
    """The way of every request for a prediction, whichever door it came by."""

    def __init__(
        self, dispatcher: Dispatcher, replies: Replies, versions: VersionsToUse, keep: Callable[[Timing], None]
    ) -> None:
        """`keep` takes how each request went."""
        self._seconds: float = settings.PIPELINE_REQUEST_TIMEOUT
        self._dispatcher = dispatcher
        self._replies = replies
        self._versions = versions
        self._keep = keep

    async def predict(self, asked: PredictInput, client_has_ended: Callable[[], bool] = nobody_knows) -> Answer:
        """The answer of the version that is asked for, or of the one that is active when the rows are sent.

        Raises:
            BusyError, BrokerBlockedError, NoNetworkError, NotFoundError, ConflictError: it cannot be asked for.
            PredictionFailedError, RequestTimeoutError, BrokerUnavailableError: it was, and has no answer.
        """
        started = monotonic()
        seconds = self._seconds if asked.seconds is None else min(asked.seconds, self._seconds)
        try:
            answer = await self._dispatcher.predict(asked, seconds, client_has_ended)
        except (InferenceError, TimeoutError) as raised:
            error = self._too_late(seconds) if isinstance(raised, TimeoutError) else raised
            outcome = _outcome(error)
            made_by = error if isinstance(error, PredictionFailedError) else None
            self._note(started, asked, outcome, made_by)
            if outcome != Outcome.REFUSED:
                _log(asked, outcome, error, made_by)
            try:
                raise error from raised.__cause__
            finally:
                del error, made_by  # they know this call, and would keep it for the garbage collector
        except CancelledError:  # a client has ended its call, or its time is over
            is_late = monotonic() - started > seconds - CLOCK_SECONDS
            self._note(started, asked, Outcome.TIMED_OUT if is_late else Outcome.REFUSED, None)
            raise
        self._note(started, asked, Outcome.ANSWERED, answer)
        return answer

    def refuse_when_full(self, door: str) -> None:
        """Refuse a prediction before anybody looks what it asks, when there is no room; that is noted, as by its door.

        Reading the rows of what is refused would take a busy gateway's time from what it has accepted.

        Raises:
            BusyError: there is none.
        """
        if self._dispatcher.admission.full:
            nothing = PredictInput({}, single=True, door=door, request_id="")
            self._note(monotonic(), nothing, Outcome.REFUSED, None)
            raise BusyError(BUSY_MESSAGE)

    def _too_late(self, seconds: float) -> InferenceError:
        """Why a request has no answer in time."""
        if not self._replies.connected:
            return BrokerUnavailableError(f"the broker could not be reached for {seconds:g} s")
        if self._versions.database_away:
            return DatabaseAwayError(f"the database has not told within {seconds:g} s what is active")
        return RequestTimeoutError(
            f"no worker answered within {seconds:g} s; see /status for the workers that are connected"
            f"{refusals.hint(HINT_SECONDS)}"
        )

    def _note(
        self, started: float, asked: PredictInput, outcome: Outcome, made_by: Answer | PredictionFailedError | None
    ) -> None:
        answer = made_by if isinstance(made_by, Answer) else None
        version = made_by.version if made_by else None
        timing = Timing(  # by their places: names would cost each request half a microsecond
            datetime.now(UTC),
            version.nn_id if version else self._id_of(asked),
            version.number if version else None,
            made_by.worker if made_by else "",
            asked.rows_count,
            answer.batch_rows if answer else 0,
            (monotonic() - started) * 1000,
            answer.queue_ms if answer else 0.0,
            answer.inference_ms if answer else 0.0,
            outcome,
            asked.door,
        )
        self._keep(timing)
        observations.predictions.append(timing)

    def _id_of(self, asked: PredictInput) -> str:
        """The id of the network that was asked for, where it was named, and what a name stands for is known here."""
        if asked.network is None or is_nn_id(asked.network):
            return asked.network or ""
        known = self._versions.known(asked.network, asked.version)
        return known.nn_id if known else ""


def _outcome(error: InferenceError) -> Outcome:
    match error:
        case BusyError() | BrokerBlockedError() | NotFoundError() | ConflictError() | QuarantinedError():
            return Outcome.REFUSED
        case RequestTimeoutError() | BrokerUnavailableError() | DatabaseAwayError():
            return Outcome.TIMED_OUT
    return Outcome.FAILED


def _log(asked: PredictInput, outcome: Outcome, error: InferenceError, made_by: PredictionFailedError | None) -> None:
    """One line for one that failed or came too late; those that succeed have none."""
    asked_for = (asked.network, asked.version)
    nn_id, number = (made_by.version.nn_id, made_by.version.number) if made_by and made_by.version else asked_for
    which = f"network {nn_id}" if nn_id else "the default network"
    which += f" version {number}" if number else ""
    about = {"nn_id": nn_id, "version": number}
    logger.warning("A prediction by %s %s: %s", which, outcome.value.replace("_", " "), error, extra=about)
