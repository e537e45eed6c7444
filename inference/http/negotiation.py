"""Which format an answer has: JSON, whatever the client says that it accepts; the front page asks what it likes."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class FirstOfEach(BaseContentNegotiation):
    """Takes the view's first renderer, and the first parser that reads the body's content type."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser for the request's body."""
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        for parser in parsers:
            if parser.media_type in (content_type, "*/*"):
                return parser
        return None

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        first = next(iter(renderers))
        return first, str(first.media_type)


def rather_html(accept: str) -> bool:
    """Whether a client that sends this `Accept` would rather have a page than JSON, as browsers would.

    What cannot be read is no preference: Django's parser fails by charsets that a parameter names.
    """
    asks = HttpRequest()
    asks.META["HTTP_ACCEPT"] = accept or "*/*"
    try:
        return asks.get_preferred_type(["application/json", "text/html"]) == "text/html"
    except (LookupError, ValueError):
        return False
