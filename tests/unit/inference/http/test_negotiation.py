"""Which parser reads a body, and which renderer writes the answer."""

from __future__ import annotations

import pytest
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from inference.http.bodies.json_format import JsonParser, JsonRenderer
from inference.http.negotiation import FirstOfEach

MULTIPART, FORM, JSON = MultiPartParser(), FormParser(), JsonParser()


def request(content_type: str = "", accept: str = "*/*") -> Request:
    made = APIRequestFactory().generic("POST", "/predict", b"{}", content_type=content_type, HTTP_ACCEPT=accept)
    return Request(made)


@pytest.mark.parametrize(
    ("content_type", "parser"),
    [
        ("multipart/form-data; boundary=x", MULTIPART),
        ("Multipart/Form-Data; boundary=x", MULTIPART),
        ("application/x-www-form-urlencoded", FORM),
        ("application/json; charset=utf-8", JSON),
        ("text/plain", JSON),
        ("", JSON),
        ("nonsense", JSON),
    ],
)
def test_a_body_is_read_by_the_first_parser_of_its_content_type(content_type: str, parser: BaseParser) -> None:
    assert FirstOfEach().select_parser(request(content_type), [MULTIPART, FORM, JSON]) is parser


def test_a_view_of_json_only_reads_what_curl_calls_a_form_as_json() -> None:
    assert FirstOfEach().select_parser(request("application/x-www-form-urlencoded"), [JSON]) is JSON


def test_a_body_that_no_parser_reads_has_none() -> None:
    assert FirstOfEach().select_parser(request("text/plain"), [MULTIPART, FORM]) is None


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "image/png", "nonsense", ""])
def test_the_answer_is_json_whatever_the_client_accepts(accept: str) -> None:
    renderer = JsonRenderer()

    assert FirstOfEach().select_renderer(request(accept=accept), [renderer]) == (renderer, "application/json")
