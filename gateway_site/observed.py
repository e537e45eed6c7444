"""The outermost part of the WSGI application: each request has an id, and is noted for /metrics when it is answered.

It is on every prediction's way, so it looks nothing up and locks nothing: what it notes is counted elsewhere.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from itertools import count
from time import monotonic
from typing import Any

from inference.monitoring import observations
from workers.messages.request_id import REQUEST_ID, REQUEST_ID_CHARACTERS_MAX

#: An id that a client may give its request: printable, and of one word in every log.
_SANE = re.compile(rf"[!-~]{{1,{REQUEST_ID_CHARACTERS_MAX}}}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
#: What stands in an address for one network and one version: each would be a time series.
_NETWORK = re.compile(r"/networks/[0-9a-f]{32}(/versions/[0-9]+)?(/activate|/rollback|/weights)?")
ONE_BY_ONE = frozenset(
    {
        "/",
        "/predict",
        "/set_weights",
        "/status",
        "/networks",
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/schema",
        "/api/docs",
    }
)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Observed:
    """A WSGI application around another one."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._prefix = secrets.token_hex(4)
        self._next_number = count(1).__next__

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        began = monotonic()
        request_id = self.identify(environ.get("HTTP_X_REQUEST_ID"))

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            headers.append(("X-Request-ID", request_id))
            if environ["PATH_INFO"] == "/predict" and environ["REQUEST_METHOD"] == "POST":
                note_prediction((status, monotonic() - began))
            else:
                note(environ["REQUEST_METHOD"], environ["PATH_INFO"], status, monotonic() - began)
            return start_response(status, headers, *more)

        return self._application(environ, start)

    def identify(self, given: str | None) -> str:
        """The id of the request that is handled from now on: the one that its client gave, if it is sane, or ours."""
        if given is None or _SANE.fullmatch(given) is None:
            given = f"{self._prefix}-{self._next_number()}"
        REQUEST_ID.set(given)
        return given

    def note_refused(self, method: str, path: str, status: str) -> None:
        """Note an answer that the server has given itself; when its request began, nobody knows."""
        note(method, path, status, None)


note_prediction = observations.predict_requests.append


def note(method: str, path: str, status: str, seconds: float | None) -> None:
    """Note any other request; without `seconds` where nobody knows when it began."""
    method = method if method in METHODS else "other"
    observations.requests.append((endpoint_of(path), method, status[:3], seconds))


def endpoint_of(path: str) -> str:
    """An address without what differs from request to request; `other` for what nothing answers."""
    if path in ONE_BY_ONE:
        return path
    if found := _NETWORK.fullmatch(path):
        version = "/versions/<n>" if found[1] else ""
        return f"/networks/<nn_id>{version}{found[2] or ''}"
    return next((f"/{part}/" for part in ("admin", "static") if path.startswith(f"/{part}/")), "other")
