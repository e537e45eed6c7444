"""A client's connection: uvicorn's, with our bounds. No client keeps its place for ever, or takes more than its share.

What is no request is answered by the application like everything else: its exchange says so.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway_site.answering import ClientExchange, ClosingTransport
from gateway_site.http_parsing import BoundedParsing
from gateway_site.pace import Pace
from gateway_site.request_head import RefusedError, refusal_of
from inference.errors import BUSY_MESSAGE, BadInputError, ClientTimeoutError, InferenceError
from inference.http.exchange import EXCHANGE
from workers.log_limit import LimitedLines

logger = logging.getLogger(__name__)
logger.addFilter(LimitedLines())

#: So much, and for so long, is read and thrown away of a body that is not wanted: a client that is cut off while it
#: sends does not see its answer.
DISCARDED_BYTES_MAX = 64 * 1024**2
DISCARD_SECONDS = 5.0
#: For so long a client that has read its last answer may go on before it closes.
LINGER_SECONDS = 2.0
#: How long a process that ends lets clients make one more request, whose answer closes their connection.
LAST_REQUEST_SECONDS = 1.0
TOO_SLOW = "the rest of the request did not come in time"


class ClientConnection(BoundedParsing):
    """One; `look` is to be called now and then."""

    silent_seconds = 10.0
    idle_seconds = 75.0
    connections_max = 1024

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._socket: Any = None
        #: When bytes came last, or an answer was given.
        self.heard = 0.0
        self._sends, self._reads = Pace(self.silent_seconds), Pace(self.silent_seconds)
        #: How much of the answers had not gone yet when that was looked at last.
        self._unread = 0
        #: Until when a body that is not wanted is thrown away, or a client that has had its last answer may stay.
        self._until = 0.0
        #: Which request `_sends` is of.
        self._paced = 0
        self._discarded = 0
        #: Nothing that comes now is read.
        self._over = False
        self._exchange: Any = None
        #: The client has ended its side.
        self.client_has_ended = False
        #: The last answer is given.
        self.is_leaving = False
        #: The process ends.
        self._is_last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins; when there are too many, another one makes room."""
        super().connection_made(transport)  # type: ignore[arg-type]  # what a server's transport is
        self._socket = transport
        self.transport = ClosingTransport(transport, self)  # type: ignore[assignment]
        self.heard = self.loop.time()
        if len(self.connections) > self.connections_max:
            self._make_room()

    def _make_room(self) -> None:
        """The one that has been idle longest ends, or else the one whose request is the slowest to arrive."""
        others = [each for each in self.connections if isinstance(each, ClientConnection) and each is not self]
        if idle := [each for each in others if each.has_all_it_wants]:
            min(idle, key=lambda each: each.heard).abort()
        elif arriving := [each for each in others if each.arriving and not each._over]:
            min(arriving, key=lambda each: each._sending.seconds_left).give_up()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, BUSY_MESSAGE)

    @property
    def is_idle(self) -> bool:
        """Whether no request is there, and none has begun."""
        return not self.arriving and not self._over and (self.cycle is None or self.cycle.response_complete)

    @property
    def has_all_it_wants(self) -> bool:
        """Whether nobody would miss an answer if it ended now."""
        return (self.is_idle or self.is_leaving) and not self._socket.get_write_buffer_size()

    @property
    def _is_unwanted(self) -> bool:
        """Whether the rest of a body arrives whose request has been answered."""
        return self.arriving and self.has_head and self.cycle.response_complete

    def abort(self) -> None:
        """End it at once."""
        self._socket.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self.client_has_ended = self.is_leaving = True
        self.transport.lose()  # type: ignore[attr-defined]  # it is ours
        super().connection_lost(exc)

    # What comes.

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self.heard = self.loop.time()
        if self._over:
            self._discard(len(data))
            return
        try:
            self.feed(data)
            if self.arriving:
                self._sending.note(len(data))
                if self._is_unwanted:
                    self._discard(len(data))
        except (httptools.HttpParserError, RefusedError) as error:
            refused = refusal_of(error)
            if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                client = self.client[0] if self.client else "a socket"
                logger.warning("Invalid request from %s: %s", client, refused.message)
            self._refuse(refused.status, refused.message)

    def on_request(self) -> None:
        """All of a request's head is there: it begins to be answered."""
        self._discarded = 0
        self._exchange = self.scope["state"][EXCHANGE] = ClientExchange(self, self.cycle)
        if self._is_last:
            self.cycle.keep_alive = False

    def eof_received(self) -> bool:  # type: ignore[override]  # True keeps the other side open
        """The client has ended its side; it may still read."""
        self.client_has_ended = True
        if self.is_leaving or self.is_idle:
            return False
        if self.arriving:
            self._end_request(HTTPStatus.BAD_REQUEST, BadInputError("the body broke off"), "the request broke off")
        self.cycle.keep_alive = False
        return not self.is_leaving

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > DISCARDED_BYTES_MAX:
            self.abort()

    # What is answered without the application having been asked.

    def give_up(self) -> None:
        """The client was too slow with its request."""
        self._end_request(HTTPStatus.REQUEST_TIMEOUT, ClientTimeoutError(TOO_SLOW), TOO_SLOW)

    def cut_off(self, cycle: RequestResponseCycle) -> None:
        """A request is too slow, if it still arrives."""
        if cycle is self.cycle and self.arriving and self.has_head and not self._over:
            self.give_up()

    def _end_request(self, status: HTTPStatus, fault: InferenceError, message: str) -> None:
        """No more will come of the request that is arriving; whoever reads its body is told so."""
        if self.has_head:
            self._end_body(fault)
        else:
            self._refuse(status, message)

    def _end_body(self, fault: InferenceError) -> None:
        self.arriving, self._over = False, True
        self._exchange.fault = fault
        self.cycle.keep_alive = self.cycle.more_body = False
        self.cycle.message_event.set()
        if self.cycle.response_complete:
            self.say_goodbye()

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Have the application answer what is no request, after the requests before it, and read nothing more."""
        if self.arriving and self.has_head:
            self._end_body(BadInputError(message))
            return
        if not self.arriving:
            self.on_message_begin()
        self.arriving, self._over = False, True
        # What has been read of it may be another one's: nothing of it is believed, not even its id.
        state: dict[str, Any] = {}
        scope = {**self.scope, "method": "", "path": "", "query_string": b"", "headers": [], "state": state}
        waiting, self.cycle = self.cycle, self._last_cycle(scope)
        self._exchange = state[EXCHANGE] = ClientExchange(self, self.cycle)
        self._exchange.refusal = status, message
        if waiting is None or waiting.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _last_cycle(self, scope: Any) -> RequestResponseCycle:
        cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        return cycle

    # Its end.

    def on_response_complete(self) -> None:
        """An answer is given; the next one begins. uvicorn's own would set a timer, which `look` has no need of."""
        self.server_state.total_requests += 1
        self.heard = self.loop.time()
        if self._is_unwanted:
            if self.expect_100_continue and not self.body_bytes:
                self.say_goodbye()  # nobody knows whether it is the body that comes, or the next request
            self._until = self.heard + DISCARD_SECONDS
        if not self.is_leaving:
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())

    def say_goodbye(self) -> None:
        """End the answers; the client is to close: closing on bytes that are not read would take its answer from it."""
        if self.is_leaving:
            return
        self.is_leaving = self._over = True
        self._until = self.loop.time() + LINGER_SECONDS
        if self.client_has_ended or not self._socket.can_write_eof():  # TLS has no such half of a connection
            self._socket.close()
            return
        with suppress(OSError, RuntimeError):
            self._socket.write_eof()
        self.flow.resume_reading()

    def shutdown(self) -> None:
        """The process ends: one more request may come, and is the last."""
        self._is_last = True
        self.heard = self.loop.time()
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def look(self, now: float, since: float) -> None:
        """Has the client been too slow? `since` is how long ago that was asked last."""
        if unread := self._socket.get_write_buffer_size():
            self._look_at_reader(unread, since)
            self.heard = now
            self._until = max(self._until, now + LINGER_SECONDS)
            return
        if self._unread:
            self._unread = 0
            self._reads.begin()
        if self.is_leaving:
            if now > self._until:
                self.abort()
        elif self._is_unwanted:
            if now > self._until:
                self.say_goodbye()
        elif self.arriving:
            self._look_at_sender(since)
        elif self.is_idle and now - self.heard > (LAST_REQUEST_SECONDS if self._is_last else self.idle_seconds):
            self.say_goodbye()

    def _look_at_reader(self, unread: int, since: float) -> None:
        if unread != self._unread:  # when it is more, what was there has gone
            self._reads.note(max(0, self._unread - unread))
        self._unread = unread
        if self._reads.is_lost(since):
            self.abort()

    def _look_at_sender(self, since: float) -> None:
        if self.flow.read_paused or (self.has_head and self.cycle.waiting_for_100_continue):
            self._sending.note(0)  # it is not the client who is waited for
        elif self._sending.is_lost(since):
            self.give_up()

    @property
    def _sending(self) -> Pace:
        """How fast the request that is arriving does."""
        if self._paced != self.begun:
            self._paced = self.begun
            self._sends.begin()
        return self._sends
