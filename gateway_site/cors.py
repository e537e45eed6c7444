"""What pages of PIPELINE_CORS_ORIGINS may ask for, and the answers to browsers that ask so beforehand."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from inference.http.observed import identify
from inference.http.security_headers import NO_PAGE

#: What pages may send, beside what every page may, and read. Cookies are not among it.
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SENT = [
    "Authorization", "Content-Type", "Content-Encoding", "If-None-Match", "Inference-Header-Content-Length",
    "X-Request-Id",
]  # fmt: skip
READ = ["Inference-Header-Content-Length", "Retry-After", "X-Request-Id", "ETag", "Content-Disposition"]


class Cors(CORSMiddleware):
    """Starlette's; its own answers have the headers that all answers have."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        super().__init__(
            app, allow_origins=sorted(origins), allow_methods=METHODS, allow_headers=SENT, expose_headers=READ
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Whether a page may ask what its browser wants to know."""
        response = super().preflight_response(request_headers)
        response.headers.update({**NO_PAGE, "x-request-id": identify({}).decode()})
        return response
