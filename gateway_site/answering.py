"""How an answer goes to its client: what uvicorn's cycle of a request and an answer writes to, and a way past it."""

from __future__ import annotations

from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from inference.http.exchange import Exchange


class Connection(Protocol):
    """Whose transport it is."""

    is_leaving: bool
    client_has_ended: bool

    def say_goodbye(self) -> None:
        """The last answer is given."""

    def cut_off(self, cycle: RequestResponseCycle) -> None:
        """A request is too slow."""


class ClosingTransport:
    """A connection's transport for who answers requests: closing it lets the client read to the end."""

    def __init__(self, transport: Any, connection: Connection) -> None:
        self.write = transport.write
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.get_extra_info = transport.get_extra_info
        self.close = connection.say_goodbye
        self.is_closing = lambda: connection.is_leaving or transport.is_closing()

    def lose(self) -> None:
        """The client has gone: who still answers need not know."""
        self.write = _forget


def _forget(data: object) -> None:
    """Write to nobody."""


class ClientExchange(Exchange):
    """A request on its way, and its answer."""

    def __init__(self, connection: Connection, cycle: RequestResponseCycle) -> None:
        self._connection = connection
        self._cycle: RequestResponseCycle | None = cycle

    def client_has_ended(self) -> bool:
        """Whether the client has ended its side of the connection, and perhaps gone."""
        return self._connection.client_has_ended

    def cut_off(self) -> None:
        """Have the request's body end, unless all of it is there."""
        if self._cycle is not None:
            self._connection.cut_off(self._cycle)

    def take_body(self) -> bytes | None:
        """The whole body, when all of it is there, as what ASGI's message would have of it."""
        cycle = self._cycle
        if cycle is None or cycle.more_body or cycle.disconnected or not cycle.body:
            return None
        if cycle.flow.read_paused:  # as receiving it would: who does not read does not see that the client has gone
            cycle.flow.resume_reading()
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def answer(self, status: int, head: bytes, body: bytes) -> bool:
        """Write a whole answer, as the two messages of ASGI would have it, and whether that could be done.

        Not when answers have to wait for their reader, as ASGI's have it, or when each is to be logged.
        """
        cycle, self._cycle = self._cycle, None  # it knows the request, and would keep it for the garbage collector
        if cycle is None or cycle.flow.write_paused or cycle.access_log:
            return False
        if cycle.disconnected:
            return True
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        date = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
        ending = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        body = b"" if cycle.scope["method"] == "HEAD" else body
        cycle.transport.write(b"".join((STATUS_LINE[status], date, head, ending, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True
