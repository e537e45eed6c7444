"""A batch that reaches a worker: which version answers it, and what does not."""

from __future__ import annotations

from contextlib import nullcontext
from time import monotonic
from unittest.mock import Mock

import numpy as np
import pytest
from celery.exceptions import Ignore

from tests.unit.pretended_worker import PretendedNetworks, PretendedVersion
from tests.unit.samples import NEXT_VERSION, VERSION, only_input, tensor
from workers.celery import app
from workers.consuming.strategy import GIVEN_UP_AT, DecodedRequest
from workers.messages.arrays import to_arrays
from workers.messages.message import ProtocolError
from workers.messages.protocol import PREDICT_TASK, PredictBatch, PredictReply, VersionRef
from workers.messages.tensors import TENSORS_BYTES_MAX
from workers.runtime.errors import AnswerTooLargeError, RowsError
from workers.tasks import predict
from workers.worker import Worker


def test_a_batch_is_answered_by_the_version_it_names(worker: Worker, networks: PretendedNetworks) -> None:
    batch = PredictBatch(
        NEXT_VERSION, {"a": tensor([1.0, 2.0], [3.0, 4.0]), "b": tensor([5.0, 6.0], [7.0, 8.0])}, [1, 1]
    )

    reply = PredictReply.from_json(predict.run(batch.to_json()))

    assert networks.acquired == [NEXT_VERSION]
    assert reply.worker == "worker-1@here"
    assert {name: outputs.tolist() for name, outputs in to_arrays(reply.outputs).items()} == {
        "a doubled": [[2.0, 4.0], [6.0, 8.0]],
        "b doubled": [[10.0, 12.0], [14.0, 16.0]],
    }
    assert 0 <= reply.inference_ms <= reply.handling_ms
    assert worker.stats.averages().requests_handled == 2


def test_only_a_batch_whose_network_is_not_loaded_makes_the_worker_take_others(
    worker: Worker, networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[VersionRef] = []
    monkeypatch.setattr(worker.consuming.prefetch, "waiting", lambda: nullcontext(waited.append(NEXT_VERSION)))
    message = PredictBatch(NEXT_VERSION, only_input([1.0, 2.0]), [1]).to_json()

    predict.run(message)
    assert waited == [NEXT_VERSION]
    predict.run(message)
    assert waited == [NEXT_VERSION]


def test_rows_of_another_shape_fail_the_task(worker: Worker) -> None:
    batch = PredictBatch(VERSION, only_input([1.0, 2.0, 3.0]), [1])

    with pytest.raises(RowsError):
        predict.run(batch.to_json())
    assert worker.stats.averages().requests_handled == 0


def test_a_message_that_is_no_batch_fails_the_task(worker: Worker) -> None:
    with pytest.raises(ProtocolError):
        predict.run({"vector": [0.1, 0.2]})


def test_outputs_travel_as_the_network_made_them(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"halves": np.array([[[0.5], [1.5]]], np.float16), "place": np.array([2**53 + 1])}
    monkeypatch.setattr(PretendedVersion, "predict", lambda *_: made)

    reply = PredictReply.from_json(predict.run(PredictBatch(VERSION, only_input([0.0, 0.0]), [1]).to_json()))

    outputs = to_arrays(reply.outputs)
    assert (outputs["halves"].dtype, outputs["halves"].shape) == (np.float16, (1, 2, 1))
    assert (outputs["place"].dtype, outputs["place"].tolist()) == (np.int64, [2**53 + 1])


def test_an_answer_that_no_message_holds_fails_the_task(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"large": np.zeros((1, TENSORS_BYTES_MAX + 1), np.int8)}
    monkeypatch.setattr(PretendedVersion, "predict", lambda *_: made)

    with pytest.raises(AnswerTooLargeError, match="ask for fewer rows at once"):
        predict.run(PredictBatch(VERSION, only_input([0.0, 0.0]), [1]).to_json())


def test_a_batch_whose_time_went_by_while_it_waited_here_is_not_computed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = PredictBatch(VERSION, only_input([0.0, 0.0]), [1]).to_json()
    monkeypatch.setattr(PretendedVersion, "predict", lambda *_: pytest.fail("it is computed"))
    predict.push_request(**{GIVEN_UP_AT: monotonic() - 0.001})
    try:
        with pytest.raises(Ignore):
            predict.run(message)
    finally:
        predict.pop_request()
    assert worker.stats.averages().requests_handled == 0


def test_a_message_tells_how_long_its_sender_waits() -> None:
    def given_up_after(**properties: str) -> float | None:
        message = Mock(headers={"id": "1", "task": PREDICT_TASK}, payload=([], {}, {}), delivery_info={})
        message.properties = properties
        given_up_at = DecodedRequest(message, app=app, task=predict).request_dict.get(GIVEN_UP_AT)
        return None if given_up_at is None else given_up_at - monotonic()

    assert given_up_after() is None
    assert given_up_after(expiration="12500") == pytest.approx(12.5, abs=0.5)
