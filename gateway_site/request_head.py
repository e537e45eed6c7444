"""What the head of a request may be, and what is refused before the application is asked."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from urllib.parse import urlsplit

import httptools

URL_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX = 8190, 8190, 100
#: All of a request's head.
HEAD_BYTES_MAX = 64 * 1024
#: Headers that two readers of a request might take for two different ones.
SINGLE_HEADERS = frozenset({b"host", b"content-type", b"expect", b"transfer-encoding"})
VERSIONS = frozenset({"1.0", "1.1"})

Headers = list[tuple[bytes, bytes]]


class RefusedError(Exception):
    """Raised within the parser's callbacks: the request is answered so, and nothing after it is read."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


class PassedOver(Headers):
    """Where headers behind a body are put: none is kept, and none may be larger than one of a head."""

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Look at one.

        Raises:
            RefusedError: it is too large.
        """
        _check_sizes([header])


PASSED_OVER = PassedOver()


def refusal_of(error: Exception) -> RefusedError:
    """What is answered when something was raised while a request was read; a defect of ours is raised again."""
    raised = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
    if isinstance(raised, RefusedError):
        return raised
    if not isinstance(raised, (httptools.HttpParserError, UnicodeError)):
        raise error
    told = f"this is no HTTP request: {error}" if raised is error else "the request's first line cannot be read"
    return RefusedError(HTTPStatus.BAD_REQUEST, told)


def check_head(url: bytes, version: str, headers: Headers, size: int) -> None:
    """Refuse what could be read in two ways, and what is not read here; the head is there, in `size` bytes at most.

    A header with `_` in its name is taken out: behind us it is the same as one with `-`.

    Raises:
        RefusedError: it is refused.
    """
    if len(url) > URL_BYTES_MAX:
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "the address is too long")
    if version not in VERSIONS:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1")
    if not url.startswith(b"/"):
        _check_address(url)
    # Every request comes this way: most are seen to be harmless without a look at each header.
    by_name = dict(headers)
    if size > HEADER_BYTES_MAX or len(headers) > HEADERS_MAX:
        _check_sizes(headers)
    if len(by_name) < len(headers):
        _check_single(headers)
    if b"expect" in by_name or b"transfer-encoding" in by_name:
        _check_framing(by_name, version)
    if b"_" in b"".join(by_name):
        headers[:] = [header for header in headers if b"_" not in header[0]]


def _check_address(url: bytes) -> None:
    """One that is no path is a whole address: a proxy may ask so."""
    try:
        parts = urlsplit(url.decode("ascii"))
        if parts.scheme in ("http", "https") and parts.hostname and parts.path.startswith("/") and parts.port != 0:
            return
    except ValueError:
        pass
    raise RefusedError(HTTPStatus.BAD_REQUEST, "the address can neither be read as a path nor as a whole address")


def _check_sizes(headers: Headers) -> None:
    sizes = [len(name) + len(value) for name, value in headers]
    if len(sizes) > HEADERS_MAX or max(sizes, default=0) > HEADER_BYTES_MAX or sum(sizes) > HEAD_BYTES_MAX:
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "a header is too large, or there are too many")


def _check_single(headers: Headers) -> None:
    for name, count in Counter(name for name, _ in headers).items():
        if count > 1 and name in SINGLE_HEADERS:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the header {name.decode()} is there more than once")


def _check_framing(headers: dict[bytes, bytes], version: str) -> None:
    expected, encoding = headers.get(b"expect"), headers.get(b"transfer-encoding")
    if expected is not None and expected.lower() != b"100-continue":
        raise RefusedError(HTTPStatus.EXPECTATION_FAILED, "only 100-continue can be expected")
    if encoding is not None and (encoding.strip().lower() != b"chunked" or version == "1.0"):
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "only chunked is read as a Transfer-Encoding, of HTTP/1.1")
