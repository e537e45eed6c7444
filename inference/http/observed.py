"""Each request's id, and its note for /metrics when it is answered.

This is on every prediction's way, so it looks nothing up and locks nothing: what it notes is counted elsewhere.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from itertools import count

from inference.monitoring import observations
from workers.messages.request_id import REQUEST_ID, REQUEST_ID_CHARACTERS_MAX

#: An id that a client may give its request: printable, and of one word in every log.
_SANE = re.compile(rb"[!-~]{1,%d}" % REQUEST_ID_CHARACTERS_MAX)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NAME = "[A-Za-z0-9._-]{1,128}"
#: What stands in an address for one network and one version: each would be a time series.
_NETWORK = re.compile(rf"/networks/{_NAME}(/versions/[0-9]+|/labels/{_NAME})?(/activate|/rollback|/weights)?")
#: And in those of the field's protocols.
_MODEL = re.compile(
    rf"(/v2/models/){_NAME}(?:/versions/[0-9]+)?(/infer|/ready|/config|/stats)?"
    rf"|(/v2/repository/models/){_NAME}(/load|/unload)"
    rf"|(/v1/models/){_NAME}(?:/versions/[0-9]+|/labels/{_NAME})?(/metadata|:predict)?"
)
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
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/stats",
        "/v2/repository/index",
        "/v1/models",
    }
)

#: What the ids of this process begin with; made anew in each.
PREFIX = secrets.token_hex(4).encode()
_next_number = count(1).__next__


def identify(headers: Mapping[bytes, bytes]) -> bytes:
    """The id of the request that is handled from now on: the one that its client gave, if it is sane, or ours."""
    request_id = headers.get(b"x-request-id")
    if request_id is None or not _SANE.fullmatch(request_id):
        request_id = b"%b-%d" % (PREFIX, _next_number())
    REQUEST_ID.set(request_id.decode("ascii"))
    return request_id


def note(method: str, path: str, status: int, seconds: float | None) -> None:
    """Note an answer, and how long it took to begin; None where nobody knows when its request began."""
    method = method if method in METHODS else "other"
    observations.requests.append((endpoint_of(path), method, str(status), seconds))


def note_prediction(endpoint: str, status: int, seconds: float) -> None:
    """Note the answer to a prediction, by whatever protocol, and how long it took."""
    observations.predict_requests.append((endpoint, str(status), seconds))


def endpoint_of(path: str) -> str:
    """An address without what differs from request to request; `other` for what nothing answers."""
    if path in ONE_BY_ONE:
        return path
    if found := _NETWORK.fullmatch(path):
        part = "" if not found[1] else "/versions/<n>" if found[1].startswith("/versions") else "/labels/<label>"
        return f"/networks/<nn_id>{part}{found[2] or ''}"
    if found := _MODEL.fullmatch(path):
        where, *what = filter(None, found.groups())
        return f"{where}<name>{''.join(what)}"
    return next((f"/{part}/" for part in ("admin", "static") if path.startswith(f"/{part}/")), "other")
