"""Every status of an error: what it means, and what a client can do. Each has one of two shapes as its body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from inference.api_schema.fields import ref

#: The component that is the body of an error; and that of one at the addresses of the field's protocols.
FAILURE, ERROR = "Failure", "Error"


@dataclass(frozen=True)
class Refusal:
    """What a status means, and the message of one that was really answered."""

    meaning: str
    message: str


REFUSALS: dict[int, Refusal] = {
    400: Refusal(
        "What was sent cannot be read, as HTTP, as a form or as JSON, broke off, or does not say what is needed.",
        'the body must have either "vector" (one row) or "data" (a list of rows)',
    ),
    401: Refusal(
        "Where tokens are required: there is none, or one that is unknown or revoked.",
        "this needs a token with the right 'predict', sent as the header `Authorization: Token <key>`",
    ),
    403: Refusal(
        "The token lacks the right for this, or a web page of another site asks.",
        "a web page of another site (http://localhost:3000) may not ask this of the gateway",
    ),
    404: Refusal("There is no network or version of that name.", "not found"),
    405: Refusal(
        "This address does not have that method; `Allow` names those that it has.", 'Method "GET" not allowed.'
    ),
    408: Refusal(
        "The client fell silent in the middle of its request, for PIPELINE_CLIENT_TIMEOUT.",
        "the rest of the request did not come in time",
    ),
    409: Refusal("It does not fit the state that the network or version is in.", "nothing is left to roll back to"),
    412: Refusal(
        "The upload was to be active only while no network is (`If-None-Match: *`), and one is: nothing was replaced.",
        "network 000127a35b5f462b8ec68fb4d905ac36 is active already, and nothing was to be replaced",
    ),
    413: Refusal(
        "The body is larger than PIPELINE_MAX_BODY_BYTES, an upload than PIPELINE_MAX_UPLOAD_BYTES, or the rows than "
        "one message to a worker holds.",
        "the body has 20000015 bytes, this gateway takes 8388608",
    ),
    414: Refusal("The address is too long.", "the address is too long"),
    415: Refusal(
        "The body is compressed, as `Content-Encoding` says, in a way that is not read here: gzip and deflate are.",
        "the Content-Encoding 'br' is not read here: send gzip, deflate, or none",
    ),
    417: Refusal("`Expect` expects something else than `100-continue`.", "only 100-continue can be expected"),
    429: Refusal(
        "Too many requests by this token or address; ask again after `Retry-After` seconds.",
        "more requests for 'predict' than you may send",
    ),
    431: Refusal("The headers are too many or too long.", "a header is too large, or there are too many"),
    500: Refusal("A defect of the gateway's; its log tells more.", "internal error; the log tells more"),
    501: Refusal(
        "A Transfer-Encoding that the gateway does not know.",
        "only chunked is read as a Transfer-Encoding, of HTTP/1.1",
    ),
    503: Refusal(
        "Not now: the gateway is busy, or lacks its broker, its database or a worker. Ask again after `Retry-After` "
        "seconds.",
        "Server is busy",
    ),
    504: Refusal(
        "No answer within PIPELINE_REQUEST_TIMEOUT.",
        "no worker answered within 30 s; see /status for the workers that are connected",
    ),
    507: Refusal("There is no room for the upload.", "the gateway's disk is full: nothing was stored"),
}
#: What the server in front of the application answers, whatever is asked.
ANY = (400, 405, 408, 414, 417, 431, 500, 501, 503)
#: What is answered where tokens are required.
GUARDED = (401, 403, 429)
#: What those may be answered that send a body.
WITH_BODY = (403, 413, 415)


def refusals(
    *statuses: int, messages: dict[int, str] | None = None, shape: str = FAILURE
) -> dict[int, OpenApiResponse]:
    """The answers of these statuses, and of `ANY`, in that shape; `messages` are examples of one's own."""
    told = messages or {}
    return {each: _response(each, told.get(each), shape) for each in sorted({*ANY, *statuses, *told})}


def _response(status: int, message: str | None, shape: str) -> OpenApiResponse:
    refusal = REFUSALS[status]
    said = message or refusal.message
    body = {"error": said} if shape == ERROR else {"status": False, "message": said}
    example = OpenApiExample(f"{status}", value=body, response_only=True, status_codes=[str(status)])
    return OpenApiResponse(ref(shape), refusal.meaning, [example])


def having(statuses: Iterable[int], wanted: Iterable[int]) -> list[int]:
    """Those of `statuses` that are wanted: a header belongs to some of an operation's answers only."""
    return sorted(set(statuses) & set(wanted))
