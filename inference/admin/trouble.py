"""What went wrong, for a person: what it was, and what to do now."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import Error as DatabaseError
from django.http import UnreadablePostError
from rest_framework.exceptions import APIException

from inference import errors
from inference.http.responses import flatten, status_of, why_unreadable

logger = logging.getLogger(__name__)

#: What a page of a change catches; anything else is a defect of ours.
EXPECTED = (errors.InferenceError, DatabaseError, APIException, UnreadablePostError)

_WORKER_COMMAND = "BROKER_URL=amqp://… celery -A workers worker"
_TO_DO: dict[type[Exception], str] = {
    errors.NoWorkersError: f"Start a worker ({_WORKER_COMMAND}), see that Workers shows it, and activate the version.",
    errors.BrokerUnavailableError: "See that the broker runs and that BROKER_URL names it; then activate the version.",
    errors.ConflictError: "Go back to the network: it has changed, or is not in a state for this.",
    errors.NotFoundError: "Go back to the network and see which versions it has.",
    errors.BusyError: "Wait until the other weight changes have ended (see Activations), then try again.",
    errors.TooLargeError: "Send a smaller file, or raise PIPELINE_MAX_UPLOAD_BYTES on every gateway.",
    errors.DiskFullError: "Make room on the disk that it names, then try again.",
    errors.BadInputError: "Choose another file, and try again.",
}


@dataclass(frozen=True)
class Trouble:
    """What went wrong, what to do, and the HTTP status that says so."""

    what: str
    to_do: str
    status: int


def trouble_of(error: Exception) -> Trouble:
    """What an error that is expected here tells a person."""
    match error:
        case UnreadablePostError() if known := why_unreadable(error):
            return trouble_of(known)
        case errors.NoWorkersError():
            return Trouble("No worker is connected, so nobody could load it.", _TO_DO[type(error)], status_of(error))
        case errors.BrokerUnavailableError():
            return Trouble("The broker cannot be reached.", _TO_DO[type(error)], status_of(error))
        case errors.NotFoundError():
            # Where to look is on the page; the API's address is for its clients.
            what = str(error).partition(": GET ")[0].partition("; GET ")[0]
            return Trouble(_sentence(what), _TO_DO[errors.NotFoundError], status_of(error))
        case errors.InferenceError():
            to_do = next((_TO_DO[kind] for kind in type(error).__mro__ if kind in _TO_DO), "Try again.")
            return Trouble(_sentence(str(error)), to_do, status_of(error))
        case DatabaseError():
            logger.error("The database failed a change.", exc_info=error)
            return Trouble("The database cannot be reached.", "See that it runs, and try again.", 503)
        case APIException():
            return Trouble(_sentence(flatten(error.detail)), "Try again.", error.status_code)
    return Trouble("The upload broke off.", "Try again.", 400)


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
