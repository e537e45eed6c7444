"""JSON in and out for Django REST Framework, by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from inference.errors import BadInputError


class JsonParser(BaseParser):
    """Reads JSON whatever content type it comes with: `curl -d` calls it a form."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body's value.

        Raises:
            BadInputError: the client has gone before the end: what has come may be JSON by itself.
            ParseError: it is no JSON (which has no NaN or Infinity).
        """
        content = stream.read()
        if parser_context is not None:
            missing = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0) - len(content)
            if missing > 0:
                raise BadInputError(f"the body broke off: {missing} bytes are missing")
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"the body is no JSON: {error}") from error


class JsonRenderer(BaseRenderer):
    """Writes JSON; a float32 shows every digit that tells it from its neighbours as a float64."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The value as JSON bytes."""
        return orjson.dumps(data)
