"""One prediction request from its rows to its answer, and the note of how it went."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from inference.dispatch.answer import Answer
from inference.errors import (
    BrokerUnavailableError,
    BusyError,
    ConflictError,
    InferenceError,
    NoNetworkError,
    NotFoundError,
    PredictionFailedError,
    RequestTimeoutError,
)  # fmt: skip
from inference.statistics.timing import Timing
from tests.unit.samples import NN_ID, VERSION, PretendedGateway, asking

ASKED = asking([0.5, 0.25])


def answer_of(*outputs: float) -> Answer:
    return Answer(VERSION, {"sum": np.array([outputs], np.float32)}, "worker-1@here", 7, queue_ms=1.5, inference_ms=0.5)


def noted(gateway: PretendedGateway) -> Timing:
    (timing,) = gateway.timings.noted
    return timing


def test_the_answer_is_the_dispatchers(gateway: PretendedGateway, settings: Settings) -> None:
    settings.PIPELINE_REQUEST_TIMEOUT = 12.0
    gateway.dispatcher.outcome = answer_of(0.75)

    assert gateway.predictions.predict(ASKED) is gateway.dispatcher.outcome
    assert gateway.dispatcher.submitted == [(ASKED, 12.0)]


def test_an_answered_request_is_noted_with_its_times(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of(0.75)
    gateway.predictions.predict(ASKED)

    timing = noted(gateway)
    assert (timing.outcome, timing.nn_id, timing.version, timing.worker) == ("answered", NN_ID, 1, "worker-1@here")
    assert (timing.rows, timing.batch_rows, timing.queue_ms, timing.inference_ms) == (1, 7, 1.5, 0.5)
    assert timing.total_ms > 0


def test_a_failed_request_is_noted_with_who_failed_it(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = PredictionFailedError("trace", VERSION, "worker-1@here")

    with pytest.raises(PredictionFailedError):
        gateway.predictions.predict(ASKED)

    timing = noted(gateway)
    assert (timing.outcome, timing.nn_id, timing.version, timing.worker) == ("failed", NN_ID, 1, "worker-1@here")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PredictionFailedError("trace"), "failed"),
        (NoNetworkError("none"), "failed"),
        (NotFoundError("no such version"), "refused"),
        (ConflictError("not loaded"), "refused"),
        (RequestTimeoutError("late"), "timed_out"),
    ],
)
def test_a_request_that_failed_is_noted_too(error: InferenceError, outcome: str, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = error

    with pytest.raises(type(error)):
        gateway.predictions.predict(ASKED)
    assert (noted(gateway).outcome, noted(gateway).worker, noted(gateway).version) == (outcome, "", None)


def test_a_request_that_failed_is_noted_with_the_network_it_named(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = PredictionFailedError("trace")

    with pytest.raises(PredictionFailedError):
        gateway.predictions.predict(asking([0.5, 0.25], nn_id=NN_ID))
    assert noted(gateway).nn_id == NN_ID


def test_a_refused_request_is_noted_too(gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise BusyError("Server is busy")

    monkeypatch.setattr(gateway.dispatcher, "submit", refuse)

    with pytest.raises(BusyError):
        gateway.predictions.predict(ASKED)
    assert noted(gateway).outcome == "refused"


def test_a_request_without_an_answer_is_given_up_at_its_deadline(
    gateway: PretendedGateway, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PIPELINE_REQUEST_TIMEOUT = 0.01
    futures: list[Any] = []
    submit = gateway.dispatcher.submit
    monkeypatch.setattr(gateway.dispatcher, "submit", lambda *given: futures.append(submit(*given)) or futures[-1])

    with pytest.raises(RequestTimeoutError, match=r"no worker answered within 0\.01 s"):
        gateway.predictions.predict(ASKED)
    assert futures[0].done()
    assert noted(gateway).outcome == "timed_out"


def test_a_request_without_an_answer_while_the_broker_is_away_says_so(
    gateway: PretendedGateway, settings: Settings
) -> None:
    settings.PIPELINE_REQUEST_TIMEOUT = 0.01
    gateway.replies.connected = False

    with pytest.raises(BrokerUnavailableError, match="could not be reached"):
        gateway.predictions.predict(ASKED)
    assert noted(gateway).outcome == "timed_out"
