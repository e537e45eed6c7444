"""What every answer tells a browser that it may not do with it.

An answer that is no page is not to be shown as one, whatever it holds. A page takes scripts, styles and pictures from
the gateway only; `unsafe-eval` is for the expressions in the admin's attributes, which its script Alpine compiles, and
`unsafe-inline` for styles in attributes. No script may stand in a page itself.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from inference.access.asks import Asks

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
POLICY = "Content-Security-Policy"
NO_PAGE = {**EVERYWHERE, POLICY: "default-src 'none'; frame-ancestors 'none'"}
PAGE = {
    **EVERYWHERE,
    POLICY: (
        "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}

Answerer = Callable[[HttpRequest], HttpResponseBase]


def security_headers(answer: Answerer) -> Answerer:
    """A Django middleware, the outermost one; a header that an answer has already stays."""

    def answer_with_headers(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        page = response.get("Content-Type", "").startswith("text/html")
        for name, value in (PAGE if page else NO_PAGE).items():
            response.headers.setdefault(name, value)
        return response

    return answer_with_headers


def strict_transport(seconds: int) -> list[tuple[str, str]]:
    """The header that has a browser use https for so long, for answers to those who do; none for 0."""
    return [("Strict-Transport-Security", f"max-age={seconds}")] if seconds else []


def asked_by_https(asks: Asks) -> bool:
    """Whether the proxy in front says that it was asked so."""
    name, https = settings.SECURE_PROXY_SSL_HEADER
    return bool(asks.META.get(name, "").partition(",")[0].strip() == https)
