"""Answers as Celery's workers write them (`RPCBackend._to_result`), so that its clients read them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import orjson

from inference.amqp_door.asked import Asked
from inference.dispatch.answer import Answer
from inference.errors import InferenceError, TooLargeError
from inference.http.error_texts import prediction_failure
from inference.http.open_inference.infer_answer import tell_output
from inference.http.responses import DEFECT, status_of
from workers.messages.message import storable
from workers.messages.protocol import MESSAGE_BYTES_MAX
from workers.messages.refusals import RefusedError

logger = logging.getLogger(__name__)

REASON_CHARACTERS_MAX = 2000


def result_of(asked: Asked, answer: Answer) -> dict[str, Any]:
    """What a prediction came to, in the form that it was asked in."""
    made_by = answer.version
    result: dict[str, Any] = {"network": made_by.nn_id, "version": made_by.number}
    if asked.tensors:
        return result | {"outputs": [tell_output(name, output) for name, output in answer.outputs.items()]}
    return result | {"result": answer.result(asked.predict.single)}


def success(task_id: str, result: dict[str, Any]) -> bytes:
    """A prediction.

    Raises:
        TooLargeError: it is more than a message holds, and RabbitMQ would end the connection for it.
    """
    content = _written(task_id, "SUCCESS", result)
    if len(content) > MESSAGE_BYTES_MAX:
        raise TooLargeError(
            f"the answer has {len(content)} bytes as JSON; a message holds {MESSAGE_BYTES_MAX}: ask for fewer rows"
        )
    return content


def failure(task_id: str, error: Exception) -> tuple[int, bytes]:
    """An error: the status that HTTP has for it, and what its client is told; never a stack trace."""
    status, kind, reason = _told(error)
    line = storable(" ".join(reason.split())[:REASON_CHARACTERS_MAX])
    result = {"exc_type": kind.__name__, "exc_message": [line], "exc_module": kind.__module__}
    return status, _written(task_id, "FAILURE", result)


def _told(error: Exception) -> tuple[int, type[Exception], str]:
    if (known := prediction_failure(error)) is not None:
        return known[0], type(error), known[1]
    match error:
        case InferenceError():
            return status_of(error), type(error), str(error)
        case RefusedError():
            return 400, type(error), str(error)
    logger.error("A task failed for a defect of ours.", exc_info=error)
    return 500, InferenceError, DEFECT


def _written(task_id: str, status: str, result: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "status": status,
            "result": result,
            "traceback": None,
            "children": [],
            "date_done": datetime.now(UTC).isoformat(),
            "task_id": task_id,
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )
