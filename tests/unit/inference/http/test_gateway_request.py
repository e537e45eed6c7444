"""A request whose content type is odd is read all the same."""

from __future__ import annotations

from io import BytesIO

import pytest

from inference.http.gateway_request import GatewayRequest

CHARSETS = ["zlib", "rot13", "punycode", "idna", "undefined", "utf-16", "nonsense", "\xff"]


def request_of(content_type: str) -> GatewayRequest:
    return GatewayRequest(
        {
            "REQUEST_METHOD": "POST",
            "QUERY_STRING": "limit=5&name=%C3%A9",
            "CONTENT_TYPE": content_type,
            "wsgi.input": BytesIO(),
        }
    )


@pytest.mark.parametrize("charset", CHARSETS)
def test_text_is_utf_8_whatever_charset_is_named(charset: str) -> None:
    request = request_of(f"text/plain; charset={charset}")

    assert request.GET.dict() == {"limit": "5", "name": "é"}
    assert (request.content_type, request.encoding) == ("text/plain", None)


def test_a_content_type_that_cannot_be_read_is_none() -> None:
    request = request_of("text/plain; name*=idna''%ff")

    assert request.GET.dict() == {"limit": "5", "name": "é"}
    assert (request.content_type, request.META["CONTENT_TYPE"]) == ("", "")
