"""Answers, as Celery's own client reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from celery import Celery

from inference.amqp_door import told
from inference.amqp_door.asked import Asked, read_asked
from inference.amqp_door.told import failure, result_of, success
from inference.errors import BusyError, NoNetworkError, PredictionFailedError, TooLargeError
from tests.unit.samples import VERSION, answer_with
from workers.messages.refusals import RefusedError

ROWS = answer_with({"sum": np.array([[0.5], [0.25]], np.float32)}, 5)
BY_ROWS: Asked = read_asked({"data": [[0.1, 0.2], [0.3, 0.4]]}, None)


def raised(content: bytes) -> Exception:
    """What a client's `get` raises."""
    answer = orjson.loads(content)
    assert (answer["status"], answer["traceback"]) == ("FAILURE", None)
    app = Celery(backend="rpc://", broker="memory://", set_as_current=False)
    error = app.backend.exception_to_python(answer["result"])
    assert isinstance(error, Exception)
    return error


def test_an_answer_says_who_made_it() -> None:
    answer = orjson.loads(success("1", result_of(BY_ROWS, ROWS)))

    assert (answer["status"], answer["task_id"], answer["children"]) == ("SUCCESS", "1", [])
    assert answer["result"] == {"network": VERSION.nn_id, "version": VERSION.number, "result": [[0.5], [0.25]]}
    by_row = read_asked({"vector": [0.1, 0.2]}, None)
    assert result_of(by_row, answer_with({"sum": np.array([[0.5]])}))["result"] == 0.5


def test_who_asks_with_tensors_is_answered_with_tensors() -> None:
    sent = [{"name": "numbers", "shape": [2, 2], "datatype": "FP32", "data": [0.1, 0.2, 0.3, 0.4]}]
    answer = orjson.loads(success("1", result_of(read_asked({"inputs": sent}, None), ROWS)))

    told_outputs = [{"name": "sum", "datatype": "FP32", "shape": [2, 1], "data": [0.5, 0.25]}]
    assert answer["result"] == {"network": VERSION.nn_id, "version": VERSION.number, "outputs": told_outputs}


def test_an_answer_larger_than_a_message_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "MESSAGE_BYTES_MAX", 100)

    with pytest.raises(TooLargeError, match="a message holds 100"):
        success("1", result_of(BY_ROWS, ROWS))


@pytest.mark.parametrize(
    ("error", "status", "kind", "said"),
    [
        (BusyError("Server is busy"), 503, "BusyError", "Server is busy"),
        (NoNetworkError("no weights"), 404, "NoNetworkError", "no weights"),
        (RefusedError("it is no JSON"), 400, "RefusedError", "it is no JSON"),
        (
            PredictionFailedError("Traceback\n  File secret.py\na.b.RowsError: two numbers", is_rows_fault=True),
            400,
            "PredictionFailedError",
            "RowsError: two numbers",
        ),
        (
            PredictionFailedError("Traceback\n  File secret.py\nOSError: no"),
            500,
            "PredictionFailedError",
            "OSError: no",
        ),
        (KeyError("secret"), 500, "InferenceError", "internal error; the log tells more"),
        (BusyError("two\nlines\ud800"), 503, "BusyError", "two lines\\ud800"),
    ],
)
def test_an_error_is_told_in_one_line(error: Exception, status: int, kind: str, said: str) -> None:
    told_status, content = failure("1", error)

    assert (told_status, type(raised(content)).__name__, str(raised(content))) == (status, kind, said)
    assert b"secret" not in content


def test_a_long_error_is_cut() -> None:
    answer: Any = orjson.loads(failure("1", BusyError("x" * 10**6))[1])

    assert len(answer["result"]["exc_message"][0]) == 2000
