"""A Django REST Framework view that makes once what is the same for every request."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView


class LeanView(APIView):
    """As `APIView`; parsers, renderers and negotiation hold nothing of a request, so those of the class serve all."""

    _parsers: list[BaseParser]
    _renderers: list[BaseRenderer]
    _negotiator: BaseContentNegotiation
    _authenticators: list[BaseAuthentication]
    _permissions: list[Any]
    _throttles: list[BaseThrottle]

    def __init_subclass__(cls) -> None:
        cls._parsers = [kind() for kind in cls.parser_classes]
        cls._renderers = [kind() for kind in cls.renderer_classes]
        cls._negotiator = cls.content_negotiation_class()
        cls._authenticators = [kind() for kind in cls.authentication_classes]
        cls._permissions = [kind() for kind in cls.permission_classes]
        cls._throttles = [kind() for kind in cls.throttle_classes]

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

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Those of every request."""
        return self._authenticators

    def get_permissions(self) -> list[Any]:
        """Those of every request."""
        return self._permissions

    def get_throttles(self) -> list[BaseThrottle]:
        """Those of every request."""
        return self._throttles

    def perform_authentication(self, request: Request) -> None:
        """Not now: a permission that needs to know who asks finds it out."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: `Allow` comes with a 405, and nothing here varies with what the client accepts."""
        return {}


def json_answer(data: Any) -> HttpResponse:
    """An answer in JSON, written at once: a DRF `Response` is for those that choose among renderers."""
    return HttpResponse(orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY), content_type="application/json")
