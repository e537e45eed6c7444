"""A request as Django has it, whatever its Content-Type says."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.utils.http import parse_header_parameters


class GatewayRequest(WSGIRequest):
    """Text is UTF-8, and no charset that a client names is looked up: Django fails by those that are none of text
    (`zlib`) and by those that cannot replace what they cannot read (`punycode`). A content type that cannot be read is
    taken for none.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):  # a parameter may come in a charset of its own
            meta["CONTENT_TYPE"] = self.content_type = ""
            self.content_params = {}
