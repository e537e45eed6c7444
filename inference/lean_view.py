"""A Django REST Framework view that makes once what is the same for every request."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class LeanView(APIView):
    """As `APIView`; parsers, renderers and negotiation hold nothing of a request, so those of the class serve all."""

    _parsers: list[BaseParser]
    _renderers: list[BaseRenderer]
    _negotiator: BaseContentNegotiation

    def __init_subclass__(cls) -> None:
        cls._parsers = [kind() for kind in cls.parser_classes]
        cls._renderers = [kind() for kind in cls.renderer_classes]
        cls._negotiator = cls.content_negotiation_class()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and leave nothing to the garbage collector: what a request held is free for the next one at once."""
        response = super().dispatch(request, *args, **kwargs)
        if isinstance(response, Response):
            response.render()
            vars(response).pop("renderer_context", None)
        self.request.parser_context.clear()  # both name the request and the view, which name them
        return response

    def get_parsers(self) -> list[BaseParser]:
        """The parsers of every request."""
        return self._parsers

    def get_renderers(self) -> list[BaseRenderer]:
        """The renderers of every request."""
        return self._renderers

    def get_content_negotiator(self) -> BaseContentNegotiation:
        """The negotiation of every request."""
        return self._negotiator

    def perform_authentication(self, request: Request) -> None:
        """Who asks is found out only where somebody may say so."""
        if self.authentication_classes:
            super().perform_authentication(request)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: `Allow` comes with a 405, and nothing here varies with what the client accepts."""
        return {}


def json_answer(data: Any) -> HttpResponse:
    """An answer in JSON, written at once: a DRF `Response` is for those that choose among renderers."""
    return HttpResponse(orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY), content_type="application/json")
