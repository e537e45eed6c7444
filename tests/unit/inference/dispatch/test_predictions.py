"""One prediction request from its rows to its answer, and the note of how it went."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import PredictInput
from inference.errors import (
    BrokerUnavailableError,
    BusyError,
    ConflictError,
    DatabaseAwayError,
    InferenceError,
    NoNetworkError,
    NotFoundError,
    PredictionFailedError,
    RequestTimeoutError,
)  # fmt: skip
from inference.statistics.timing import Timing
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, VERSION, answer_with, asking

ASKED = asking([0.5, 0.25])


def answer_of(*outputs: float) -> Answer:
    return answer_with({"sum": np.array([outputs], np.float32)}, 7, queue_ms=1.5, inference_ms=0.5)


def predict(gateway: PretendedGateway, asked: PredictInput = ASKED) -> Answer:
    return asyncio.run(gateway.predictions.predict(asked))


def noted(gateway: PretendedGateway) -> Timing:
    (timing,) = gateway.timings.noted
    return timing


def test_the_answer_is_the_dispatchers(gateway: PretendedGateway, settings: Settings) -> None:
    settings.PIPELINE_REQUEST_TIMEOUT = 12.0
    gateway.dispatcher.outcome = answer_of(0.75)

    assert predict(gateway) is gateway.dispatcher.outcome
    assert gateway.dispatcher.submitted == [(ASKED, 12.0)]


def test_an_answered_request_is_noted_with_its_times(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of(0.75)
    predict(gateway)

    timing = noted(gateway)
    assert (timing.outcome, timing.nn_id, timing.version, timing.worker) == ("answered", NN_ID, 1, "worker-1@here")
    assert (timing.rows, timing.batch_rows, timing.queue_ms, timing.inference_ms) == (1, 7, 1.5, 0.5)
    assert timing.total_ms > 0


def test_a_failed_request_is_noted_with_who_failed_it(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = PredictionFailedError("trace", VERSION, "worker-1@here")

    with pytest.raises(PredictionFailedError):
        predict(gateway)

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
        predict(gateway)
    assert (noted(gateway).outcome, noted(gateway).worker, noted(gateway).version) == (outcome, "", None)


def test_a_request_that_failed_is_noted_with_the_network_it_named(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = PredictionFailedError("trace")

    with pytest.raises(PredictionFailedError):
        predict(gateway, asking([0.5, 0.25], nn_id=NN_ID))
    assert noted(gateway).nn_id == NN_ID


def test_a_request_that_failed_is_noted_with_the_network_whose_name_it_said(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = PredictionFailedError("trace")
    gateway.versions._known["iris", None] = VERSION

    for name, nn_id in (("iris", VERSION.nn_id), ("nobody", "")):
        gateway.timings.noted.clear()
        with pytest.raises(PredictionFailedError):
            predict(gateway, asking([0.5, 0.25], nn_id=name))
        assert noted(gateway).nn_id == nn_id


def test_what_a_full_gateway_refuses_unread_is_noted_by_its_door(gateway: PretendedGateway) -> None:
    gateway.predictions.refuse_when_full("v2")
    gateway.dispatcher.admission.full = True

    with pytest.raises(BusyError):
        gateway.predictions.refuse_when_full("v2")
    assert (noted(gateway).outcome, noted(gateway).door) == ("refused", "v2")


def test_a_refused_request_is_noted_too(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = BusyError("Server is busy")

    with pytest.raises(BusyError):
        predict(gateway)
    assert noted(gateway).outcome == "refused"


def test_a_request_without_an_answer_at_its_deadline_is_told_so(gateway: PretendedGateway, settings: Settings) -> None:
    settings.PIPELINE_REQUEST_TIMEOUT = 0.01

    with pytest.raises(RequestTimeoutError, match=r"no worker answered within 0\.01 s"):
        predict(gateway)
    assert gateway.dispatcher.submitted == [(ASKED, 0.01)]
    assert noted(gateway).outcome == "timed_out"


def test_a_request_without_an_answer_while_the_broker_is_away_says_so(
    gateway: PretendedGateway, settings: Settings
) -> None:
    settings.PIPELINE_REQUEST_TIMEOUT = 0.01
    gateway.replies.connected = False

    with pytest.raises(BrokerUnavailableError, match="could not be reached"):
        predict(gateway)
    assert noted(gateway).outcome == "timed_out"


def test_a_request_without_an_answer_while_the_database_is_away_says_so(
    gateway: PretendedGateway, settings: Settings
) -> None:
    settings.PIPELINE_REQUEST_TIMEOUT = 0.01
    gateway.versions._away.set()

    with pytest.raises(DatabaseAwayError, match="has not told"):
        predict(gateway)
    assert noted(gateway).outcome == "timed_out"


def test_the_dispatcher_can_ask_whether_the_client_has_ended_its_side(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of(0.75)

    def client_has_ended() -> bool:
        return True

    asyncio.run(gateway.predictions.predict(ASKED, client_has_ended))

    assert gateway.dispatcher.clients == [client_has_ended]


@pytest.mark.parametrize(("seconds", "outcome"), [(60.0, "refused"), (0.001, "timed_out")])
def test_a_request_whose_client_ends_its_call_is_noted(
    seconds: float, outcome: str, gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asking([0.5, 0.25])
    asked.seconds = seconds

    async def ended(*_: object) -> Answer:
        raise asyncio.CancelledError

    monkeypatch.setattr(gateway.dispatcher, "predict", ended)

    with pytest.raises(asyncio.CancelledError):
        predict(gateway, asked)

    assert noted(gateway).outcome == outcome
