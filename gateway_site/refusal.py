"""The answers that gunicorn gives itself, without the application: as JSON, with an id, and counted like all others.

gunicorn imports this before there is an application.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from gunicorn import util

from inference.http.security_headers import NO_PAGE
from workers.messages.request_id import REQUEST_ID


class Observer(Protocol):
    """Who counts them: the application around all others, `gateway_site.observed`."""

    def note_refused(self, method: str, path: str, status: str) -> None:
        """Count one; method and path are empty where they could not be read."""


@dataclass(frozen=True)
class Refused:
    """A client that gunicorn answers itself; `request` is None when what it sent could not be read as one."""

    client: Any
    request: Any
    observer: Observer


def write_error(refused: Refused, status: int, reason: str, message: str) -> None:
    """Answer a request that never reaches the application, in the shape of every other error, and note it."""
    request = refused.request
    method, path = (request.method, request.path) if request else ("", "")
    refused.observer.note_refused(method, path, str(int(status)))
    phrase = HTTPStatus(status).phrase
    body = json.dumps({"status": False, "message": message or reason or phrase})
    head = f"HTTP/1.1 {int(status)} {phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in NO_PAGE.items())
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        head += "Retry-After: 1\r\n"
    head += f"X-Request-ID: {REQUEST_ID.get()}\r\nContent-Length: {len(body)}\r\n\r\n"
    refused.client.sendall((head + body).encode("ascii"))


# Every worker of gunicorn writes its own errors by this name, as HTML.
util.write_error = write_error
