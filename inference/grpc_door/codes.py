"""Errors as gRPC says them: the text that HTTP has, and a code in place of its status."""

from __future__ import annotations

import logging

from grpc import StatusCode

from inference.access.asks import Asks
from inference.http.error_texts import prediction_failure
from inference.http.responses import DEFECT, failure_of

logger = logging.getLogger(__name__)

CODE_OF = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.FAILED_PRECONDITION,
    412: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.RESOURCE_EXHAUSTED,  # as gRPC itself says of a message that is too large
    415: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
    507: StatusCode.RESOURCE_EXHAUSTED,
}
#: A text goes as a header, of which clients take 8 KiB in all; each of its bytes may become three.
TEXT_BYTES_MAX = 2000


def told(error: Exception, asks: Asks) -> tuple[int, str]:
    """The status and the text of an error, which is logged if it is a defect of ours."""
    if (found := prediction_failure(error)) is not None:
        status, text = found
    elif (failure := failure_of(error, asks)) is not None:
        status, text = failure.status, str(failure.content["message"])
    else:
        logger.error("A call failed for a defect of ours.", exc_info=error)
        status, text = 500, DEFECT
    return status, text.encode()[:TEXT_BYTES_MAX].decode(errors="ignore")


def code_of(status: int) -> StatusCode:
    """The code that says what a status of HTTP says."""
    return CODE_OF.get(status, StatusCode.INTERNAL)
