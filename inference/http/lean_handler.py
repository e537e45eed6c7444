"""The way of `/predict` through Django without what it does not use: middleware, signals, the search for the address.

Sessions, CSRF, static files and messages are for people with a browser; a prediction would pay for them with half of
its time. Its view is a Django REST Framework view like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponseBase

from inference.errors import BUSY_MESSAGE
from inference.http.bodies.discard import discard_body
from inference.http.gateway_request import GatewayRequest
from inference.http.responses import RETRY_AFTER_SECONDS
from inference.http.security_headers import NO_PAGE, strict_transport

BUSY = orjson.dumps({"status": False, "message": BUSY_MESSAGE})
BUSY_HEADERS = [
    ("Content-Type", "application/json"),
    ("Retry-After", RETRY_AFTER_SECONDS),
    ("Content-Length", str(len(BUSY))),
]


class LeanHandler:
    """A WSGI application: one path is answered by its view at once, all others by Django as usual.

    What is posted there while `full` says so is answered 503; what is still to come of it is thrown away.
    """

    def __init__(
        self,
        django: WSGIHandler,
        path: str,
        view: Callable[..., HttpResponseBase],
        full: Callable[[], bool] = lambda: False,
    ) -> None:
        self._django = django
        self._path = path
        self._view = view
        self._full = full
        self._any_host = "*" in settings.ALLOWED_HOSTS
        self._headers = list(NO_PAGE.items())
        self._headers_of_https = [*self._headers, *strict_transport(settings.SECURE_HSTS_SECONDS)]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] != self._path:
            return self._django(environ, start_response)
        more = self._headers_of_https if environ["wsgi.url_scheme"] == "https" else self._headers
        if environ["REQUEST_METHOD"] == "POST" and self._full():
            discard_body(environ)
            start_response("503 Service Unavailable", [*BUSY_HEADERS, *more])
            return [BUSY]
        request = GatewayRequest(environ)
        try:
            if not self._any_host:
                request.get_host()  # refuses a host that is not ours
            response = self._view(request)
        except Exception as error:  # noqa: BLE001 - Django logs it and answers 500, as it does elsewhere
            response = response_for_exception(request, error)
        content = response.content  # type: ignore[attr-defined]  # no view of ours streams on this path
        headers = [*response.items(), ("Content-Length", str(len(content))), *more]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return [content]
