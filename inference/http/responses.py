"""One JSON shape for everything that goes wrong, and the one table from errors to HTTP statuses."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.request import split_domain_port
from django.shortcuts import render
from django.views import defaults
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from inference import errors
from inference.access.asks import Asks
from inference.http.authentication import CHALLENGE
from inference.http.bodies.base64_text import encode_text
from inference.http.error_shape import error_content
from inference.http.loop_request import LoopAnswer, LoopRequest
from inference.http.traces import reason_of, told_of

logger = logging.getLogger(__name__)

STATUS_OF: dict[type[errors.InferenceError], int] = {
    errors.BadInputError: 400,
    errors.NoTokenError: 401,
    errors.ForeignPageError: 403,
    errors.NoRightError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.ClientTimeoutError: 408,
    errors.AlreadyActiveError: 412,
    errors.TooLargeError: 413,
    errors.UnknownEncodingError: 415,
    errors.TooManyRequestsError: 429,
    errors.BusyError: 503,
    errors.TokensUnknownError: 503,
    errors.QuarantinedError: 503,
    errors.NoWorkersError: 503,
    errors.BrokerUnavailableError: 503,
    errors.DatabaseAwayError: 503,
    errors.RequestTimeoutError: 504,
    errors.DiskFullError: 507,
}
RETRY_AFTER_SECONDS = "1"
HOST_CHARACTERS_TOLD = 80
NO_NETWORK = "No weights loaded"
DEFECT = "internal error; the log tells more"
ENDING = "this gateway process ends: ask again"


@dataclass(frozen=True)
class Failure:
    """What is answered when something has gone wrong."""

    content: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def saying(cls, message: str, status: int, headers: dict[str, str] | None = None) -> Failure:
        """An error, in the one shape that all have."""
        return cls({"status": False, "message": message}, status, headers or {})

    @classmethod
    def of_prediction(cls, message: str, reason: str) -> Failure:
        """The seed system's answer when a prediction could not be made: HTTP 200; and the reason in one line."""
        return cls({"status": False, "message": message, "result": 0.0, "error": reason})


def failure_of(error: Exception, asks: Asks) -> Failure | None:
    """What who asks is told of an error; None when it is a defect of ours."""
    match error:
        case errors.PredictionFailedError():
            return Failure.of_prediction(encode_text(told_of(error.trace, asks)), reason_of(error.trace))
        case errors.NoNetworkError():
            return Failure.of_prediction(NO_NETWORK, NO_NETWORK)
        case errors.InferenceError():
            return Failure.saying(str(error), status_of(error), _headers_of(error))
        case UnreadablePostError():
            known = why_unreadable(error) or errors.BadInputError("the client has gone in the middle of the body")
            return failure_of(known, asks)
        case RequestDataTooBig():
            return Failure.saying("a field of the form is too large", 413)
        case DisallowedHost():
            return Failure.saying(_refused_host(asks), 400)
        case APIException():
            return Failure.saying(flatten(error.detail), error.status_code)
        case DatabaseError():
            logger.exception("The database failed a request.", exc_info=error)
            message = "the database cannot be reached; try again"
            return Failure.saying(message, 503, {"Retry-After": RETRY_AFTER_SECONDS})
        case Http404():
            return Failure.saying("not found", 404)
    return None


def why_unreadable(error: UnreadablePostError) -> errors.InferenceError | None:
    """What a body could not be read for, where Django's door (`UnreadableError`) has said so."""
    cause: BaseException | None = error
    while isinstance(cause, OSError):  # Django makes it one of its own, sometimes twice
        cause = cause.__cause__
    return cause if isinstance(cause, errors.InferenceError) else None


def answer_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST Framework's answer to an exception that a view raised; None lets Django answer 500."""
    failure = failure_of(error, context["request"])
    if failure is None:
        return None
    headers = {"Allow": ", ".join(context["view"].allowed_methods)} if failure.status == 405 else failure.headers
    return Response(failure.content, status=failure.status, headers=headers)


def answer_to(error: BaseException, asks: LoopRequest) -> LoopAnswer:
    """The event loop's answer to an exception; it is cancelled when its process is told to end at once."""
    if not isinstance(error, Exception):
        return refused(503, ENDING)
    failure = failure_of(error, asks)
    if failure is None:
        logger.error("A request failed for a defect of ours.", exc_info=error)
        failure = Failure.saying(DEFECT, 500)
    return _on_loop(failure)


def refused(status: int, message: str) -> LoopAnswer:
    """The answer to what is no request, as the server says."""
    return _on_loop(Failure.saying(message, status, {"Retry-After": RETRY_AFTER_SECONDS} if status == 503 else {}))


def _on_loop(failure: Failure) -> LoopAnswer:
    return LoopAnswer(orjson.dumps(failure.content), failure.status, list(failure.headers.items()))


def flatten(detail: Any) -> str:
    """A validation error's details as one line."""
    if isinstance(detail, dict):
        return "; ".join(f"{key}: {flatten(value)}" for key, value in detail.items())
    if isinstance(detail, list):
        return "; ".join(flatten(item) for item in detail)
    return str(detail)


def status_of(error: errors.InferenceError) -> int:
    """The HTTP status of what a gateway raises on purpose."""
    return next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 500)


def _headers_of(error: errors.InferenceError) -> dict[str, str]:
    match error:
        case errors.NoTokenError():
            return {"WWW-Authenticate": CHALLENGE}
        case errors.TooManyRequestsError():
            return {"Retry-After": str(error.seconds)}
        case errors.QuarantinedError():
            return {"Retry-After": str(error.retry_after_seconds)}
    return {"Retry-After": RETRY_AFTER_SECONDS} if status_of(error) == 503 else {}


def _page_or_json(request: HttpRequest, message: str, status: int, page: Any) -> HttpResponse:
    if request.path.startswith("/admin/"):
        response: HttpResponse = page()
        return response
    return JsonResponse(error_content(request.path, message), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for what it refuses before a view sees it."""
    if isinstance(exception, DisallowedHost):  # a page for a person would say no more
        return JsonResponse(error_content(request.path, _refused_host(request)), status=400)
    return _page_or_json(request, "bad request", 400, lambda: defaults.bad_request(request, exception))


def _refused_host(request: Asks) -> str:
    told = request.META.get("HTTP_HOST", "")
    host, _ = split_domain_port(told)
    shown = ascii((host or told)[:HOST_CHARACTERS_TOLD])
    if not host:
        return f"{shown} is not the name of a host"
    return f"this gateway is not asked by the name {shown}: add it to PIPELINE_ALLOWED_HOSTS"


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for what a user may not do."""
    return _page_or_json(request, "forbidden", 403, lambda: defaults.permission_denied(request, exception))


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a form that a page of another site may have sent; or a proxy hides that it is ours."""
    origin = request.headers.get("Origin", "")
    foreign = origin not in ("", "null") and "trusted origins" in reason
    told = {"reason": reason, "foreign": foreign, "origin": origin, "own": f"{request.scheme}://{request.get_host()}"}
    hint = f" A proxy in front that speaks https: PIPELINE_TRUSTED_ORIGINS={origin}" if foreign else ""
    return _page_or_json(request, reason + hint, 403, lambda: render(request, "403_csrf.html", told, status=403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for an unknown address."""
    return _page_or_json(request, "not found", 404, lambda: defaults.page_not_found(request, exception))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for a defect of ours."""
    return _page_or_json(request, DEFECT, 500, lambda: defaults.server_error(request))
