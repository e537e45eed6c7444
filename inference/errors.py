"""What can go wrong in a gateway; `inference.http.responses` maps each to an HTTP status."""

from __future__ import annotations

from math import ceil

from workers.messages.message import shorten, storable
from workers.messages.protocol import VersionRef


class InferenceError(Exception):
    """Base of everything a gateway raises on purpose."""


class BadInputError(InferenceError):
    """The request does not say what is needed; the message tells what to send instead."""


class NoTokenError(InferenceError):
    """The request needs a token, and has none that is known."""


class NoRightError(InferenceError):
    """The request's token has not the right that it needs."""


class TokensUnknownError(InferenceError):
    """Nobody knows which tokens there are: the database is away."""


class TooManyRequestsError(InferenceError):
    """The client asks more often than it may; `seconds` is how long it has to wait."""

    def __init__(self, message: str, seconds: float) -> None:
        self.seconds = max(1, ceil(seconds))
        super().__init__(f"{message}: try again in {self.seconds} s")


class ForeignPageError(InferenceError):
    """A web page of another site asks for a change: a browser says so of it."""


class NotFoundError(InferenceError):
    """There is no network or version of that name; the message says where to see which there are."""


class ConflictError(InferenceError):
    """What is asked for does not fit the state that the network or the version is in."""


class AlreadyActiveError(ConflictError):
    """The upload was to be the first network only, and one is active: upload without that condition to replace it."""


class TooLargeError(InferenceError):
    """The request is larger than this gateway takes."""


class UnknownEncodingError(InferenceError):
    """The body is compressed in a way that this gateway does not read: send it as gzip, or as it is."""


class ClientTimeoutError(InferenceError):
    """The client sent nothing, or little, for too long in the middle of its request."""


class DiskFullError(InferenceError):
    """There is no room for the upload, in the database or in the data directory: make some."""


#: What is said to whom there is no room for.
BUSY_MESSAGE = "Server is busy"


class BusyError(InferenceError):
    """The gateway holds as many requests as it may, or makes as many weight changes."""


class ClientGoneError(BusyError):
    """The request has waited for long, and its client has ended its side: it is taken to have gone."""


class QuarantinedError(InferenceError):
    """The version is refused for a while: a batch of it killed the workers that took it."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class NoNetworkError(InferenceError):
    """No weights are loaded yet: send some with PUT /set_weights."""


class NoWorkersError(InferenceError):
    """No worker is connected: start one with `celery -A workers worker`."""


class BrokerUnavailableError(InferenceError):
    """The broker cannot be reached."""


class BrokerBlockedError(BrokerUnavailableError):
    """The broker takes no messages, because its memory or disk is full; it says when it does again."""


class DatabaseAwayError(InferenceError):
    """The database does not answer, and what is asked for cannot do without."""


class RequestTimeoutError(InferenceError):
    """No answer came before the request's deadline."""


class PredictionFailedError(InferenceError):
    """The worker could not make the prediction; `trace` is its stack trace, shortened, `version` the one asked.

    It is the rows' fault when they are not those that the network takes.
    """

    def __init__(
        self, trace: str, version: VersionRef | None = None, worker: str = "", is_rows_fault: bool = False
    ) -> None:
        self.version = version
        self.worker = worker
        self.is_rows_fault = is_rows_fault
        self.trace = shorten(storable(trace))
        super().__init__(self.trace.strip().rpartition("\n")[2])
