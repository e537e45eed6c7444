"""JSON in and out for Django REST Framework, by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer


class JsonParser(BaseParser):
    """Reads JSON whatever content type it comes with: `curl -d` calls it a form."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body's value; raises as `read_json` does."""
        return read_json(stream.read())


def read_json(content: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ParseError: it is no JSON (which has no NaN or Infinity).
    """
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
