"""Errors as the field's protocols say them: `{"error": "…"}`, and a status that tells whose fault it is."""

from __future__ import annotations

from typing import Any

import orjson
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inference.access.rights import EVERYBODY
from inference.errors import NoNetworkError, NotFoundError, PredictionFailedError
from inference.http.error_shape import says_error
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.responses import answer_exception, answer_to
from inference.http.traces import reason_of


def error_answer(error: BaseException, asks: LoopRequest) -> LoopAnswer:
    """The event loop's answer to what a prediction has failed by."""
    answer = answer_to(error, asks)
    if (told := prediction_failure(error)) is not None:
        status, message = told
        return _saying(message, status, answer)
    return _saying(orjson.loads(answer.body)["message"], answer.status, answer)


def prediction_failure(error: BaseException) -> tuple[int, str] | None:
    """The status and the text of a failure that the seed system answers with 200; None of all others.

    What a worker could not predict is the client's fault where the rows do not fit the network, and else ours.
    """
    match error:
        case PredictionFailedError():
            return 400 if error.is_rows_fault else 500, reason_of(error.trace)
        case NoNetworkError():
            return 404, str(error)
    return None


def shaped(path: str, answer: LoopAnswer) -> LoopAnswer:
    """An error that no view has answered, as those of its address are."""
    return _saying(orjson.loads(answer.body)["message"], answer.status, answer) if says_error(path) else answer


def _saying(message: str, status: int, answer: LoopAnswer) -> LoopAnswer:
    return LoopAnswer(orjson.dumps({"error": message}), status, answer.headers)


class ProtocolView(APIView):
    """A view whose errors are said as its protocol says them."""

    def get_exception_handler(self) -> Any:
        """Django REST Framework asks for it."""
        return _answer_error


class NotThere(ProtocolView):
    """An address that the protocol does not have, or that this gateway does not serve."""

    right = EVERYBODY

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answered whatever the method."""
        super().initial(request, *args, **kwargs)
        raise NotFoundError(f"nothing answers at {request.path}: GET /api/docs tells what does")


def _answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    answer = answer_exception(error, context)
    if answer is not None:
        answer.data = {"error": answer.data["message"]}
    return answer
