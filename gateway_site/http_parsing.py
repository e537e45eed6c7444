"""How a client's bytes become requests: uvicorn's way, but nothing goes on without end, or can be read in two ways."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway_site.request_head import HEAD_BYTES_MAX, HEADERS_MAX, PASSED_OVER, URL_BYTES_MAX, RefusedError, check_head
from inference.errors import BUSY_MESSAGE

#: What stands between two pieces of a body or behind it has no more bytes than a head: the parser holds a header there
#: until it ends. In all, what stands between chunks may be more by so many times their size.
FRAMING_MOST = 8
#: So many requests of one client wait for its first one's answer: each costs far more memory than it takes to ask.
PIPELINED_MAX = 64


class BoundedParsing(HttpToolsProtocol):
    """The half of a connection that reads; a request that is refused raises RefusedError in its callbacks."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        #: A request has begun and is not all there; its head is.
        self.arriving = self.has_head = False
        #: How many requests have begun.
        self.begun = 0
        self.body_bytes = self._framing_bytes = 0
        #: How many bytes came last, and no fewer than how many the head has.
        self._fed_bytes = self._head_most = 0
        #: How many bytes have come since a piece of its body.
        self._between_bytes = 0

    def feed(self, data: bytes) -> None:
        """Read what has come.

        Raises:
            httptools.HttpParserError: it is no HTTP.
            RefusedError: it is refused; the parser may have made an HttpParserCallbackError of it.
        """
        self._fed_bytes = size = len(data)
        self._head_most += size
        self._framing_bytes += size  # of a request that has begun before
        self._between_bytes += size
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # Nothing is upgraded here: what follows is the body, or the next request.
                data = data[upgrade.args[0] :]
                if self.arriving:
                    self._await_body()
            else:
                break
        if self.arriving:
            self._bound_framing()

    def _await_body(self) -> None:
        """The parser reads no body behind a wish to upgrade: another one does, which is told how it comes."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % self._framing)

    @property
    def _framing(self) -> bytes:
        """The header that says how the request's body comes; empty when it has none."""
        for name, value in self.scope["headers"]:
            if name == b"transfer-encoding" or (name == b"content-length" and int(value)):
                return name + b": " + value
        return b""

    def _bound_framing(self) -> None:
        """Neither a head nor what stands between chunks goes on without end."""
        if not self.has_head:
            if len(self.url) > URL_BYTES_MAX:
                raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "the address is too long")
            if self._framing_bytes > HEAD_BYTES_MAX or len(self.headers) > HEADERS_MAX:
                raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too large")
        if self._framing_bytes > HEAD_BYTES_MAX + FRAMING_MOST * self.body_bytes:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "there is more between the chunks than in them")
        if self._between_bytes > HEAD_BYTES_MAX:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "there is too much between two chunks, or behind the last one")

    def on_message_begin(self) -> None:
        """A request begins."""
        if self.arriving:
            return  # another parser is told of it
        super().on_message_begin()
        self.begun += 1
        self.arriving, self.has_head = True, False
        self.body_bytes = self._framing_bytes = self._between_bytes = 0
        self._head_most = self._fed_bytes

    def on_headers_complete(self) -> None:
        """All of its head is there."""
        if self.has_head:
            return
        version = self.parser.get_http_version()
        check_head(self.url, version, self.headers, self._head_most)
        if len(self.pipeline) >= PIPELINED_MAX:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, BUSY_MESSAGE)
        if version == "1.0":
            self.expect_100_continue = False  # its clients know no such answer
        super().on_headers_complete()
        self.has_head = True
        # What comes behind the body would count as a header of the request, past whoever looks at those.
        self.headers = PASSED_OVER
        self.on_request()

    def on_request(self) -> None:
        """A request begins to be answered."""

    def on_body(self, body: bytes) -> None:
        """A part of its body is there."""
        self.body_bytes += len(body)
        self._framing_bytes -= len(body)
        self._between_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self.parser.should_upgrade() and self._framing:
            return
        self.arriving = False
        super().on_message_complete()
