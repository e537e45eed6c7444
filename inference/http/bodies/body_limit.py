"""Refuses a request of Django's whose body is too large: before it is read, or as soon as that is known."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from inference.errors import TooLargeError
from inference.http.bodies.request_body import RequestBody

#: Where a request's `state` has its body.
BODY = "body"


def load_bytes_max() -> int:
    """The largest body of a load, in Triton's protocol: the largest upload in base64, and JSON around it."""
    return -(-settings.PIPELINE_MAX_UPLOAD_BYTES // 3) * 4 + int(settings.PIPELINE_MAX_BODY_BYTES)


def refuse_larger(request: Request | HttpRequest, limit: int) -> None:
    """Refuse a body of more than `limit` bytes; one that does not say how many it has, when more of it is read.

    Raises:
        TooLargeError: it is larger.
    """
    body: RequestBody | None = request.META.get("asgi.scope", {}).get("state", {}).get(BODY)
    if body is not None:
        body.refuse_larger(limit)
    elif (size := int(request.META.get("CONTENT_LENGTH") or 0)) > limit:
        raise TooLargeError(f"the body has {size} bytes, this gateway takes {limit}")
