"""The way of `/predict` through Django without what it does not use: middleware, signals, the search for the address.

Sessions, CSRF, static files and messages are for people with a browser; a prediction would pay for them with half of
its time. Its view is a Django REST Framework view like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponseBase

from inference.gateway_request import GatewayRequest

#: What Django's middleware would add for browsers.
HEADERS = [("X-Content-Type-Options", "nosniff")]


class LeanHandler:
    """A WSGI application: one path is answered by its view at once, all others by Django as usual."""

    def __init__(self, django: WSGIHandler, path: str, view: Callable[..., HttpResponseBase]) -> None:
        self._django = django
        self._path = path
        self._view = view
        self._any_host = "*" in settings.ALLOWED_HOSTS

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] != self._path:
            return self._django(environ, start_response)
        request = GatewayRequest(environ)
        try:
            if not self._any_host:
                request.get_host()  # refuses a host that is not ours
            response = self._view(request)
        except Exception as error:  # noqa: BLE001 - Django logs it and answers 500, as it does elsewhere
            response = response_for_exception(request, error)
        content = response.content  # type: ignore[attr-defined]  # no view of ours streams on this path
        headers = [*response.items(), ("Content-Length", str(len(content))), *HEADERS]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return [content]
