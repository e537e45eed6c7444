"""What the head of a request may be, and what is refused before the application is asked."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

import httptools

URL_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX = 8190, 8190, 100
#: Headers that two readers of a request might take for two different ones.
SINGLE_HEADERS = frozenset({b"host", b"content-type", b"expect", b"transfer-encoding"})

Headers = list[tuple[bytes, bytes]]


class RefusedError(Exception):
    """Raised within the parser's callbacks: the request is answered so, and nothing after it is read."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


def refusal_of(error: Exception) -> RefusedError:
    """What is answered when something was raised while a request was read; a defect of ours is raised again."""
    raised = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
    if isinstance(raised, RefusedError):
        return raised
    if not isinstance(raised, (httptools.HttpParserError, UnicodeError)):
        raise error
    told = f"this is no HTTP request: {error}" if raised is error else "the request's first line cannot be read"
    return RefusedError(HTTPStatus.BAD_REQUEST, told)


def check_head(url: bytes, version: str, headers: Headers) -> None:
    """Refuse what could be read in two ways, and what is not read here; all of the head is there.

    Raises:
        RefusedError: it is refused.
    """
    if version not in ("1.0", "1.1"):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1")
    if not url.startswith(b"/"):
        _check_address(url)
    if len(headers) > HEADERS_MAX:
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "there are too many headers")
    single = set()
    for name, value in headers:
        if len(name) + len(value) > HEADER_BYTES_MAX:
            raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "a header is too large")
        if name in SINGLE_HEADERS:
            if name in single:
                raise RefusedError(HTTPStatus.BAD_REQUEST, f"the header {name.decode()} is there more than once")
            single.add(name)
            _check_header(name, value, version)


def _check_address(url: bytes) -> None:
    """One that is no path is a whole address: a proxy may ask so."""
    try:
        parts = urlsplit(url.decode("ascii"))
        if parts.scheme in ("http", "https") and parts.hostname and parts.path.startswith("/") and parts.port != 0:
            return
    except ValueError:
        pass
    raise RefusedError(HTTPStatus.BAD_REQUEST, "the address can neither be read as a path nor as a whole address")


def _check_header(name: bytes, value: bytes, version: str) -> None:
    if name == b"expect" and value.lower() != b"100-continue":
        raise RefusedError(HTTPStatus.EXPECTATION_FAILED, "only 100-continue can be expected")
    if name == b"transfer-encoding" and (value.strip().lower() != b"chunked" or version == "1.0"):
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "only chunked is read as a Transfer-Encoding, of HTTP/1.1")
