"""The gateway's kind of gunicorn worker: a greenlet a connection, and threads for what takes long.

A prediction spends its time waiting, so it does that in a greenlet of the server's loop, where a thousand of them
cost little and a batch's answers wake all of its requests at once. Everything else (weight changes, /status, the
admin, large bodies) is answered by a thread, which may wait for the database and the disk as it likes. Nothing is
patched: gevent's loop, and its sockets, are used here and nowhere else.

No client holds a thread, or a place, for ever, and all errors are JSON.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gevent.threadpool import ThreadPool
from gunicorn.http.body import LengthReader
from gunicorn.workers.base_async import AsyncWorker

from gateway_site.client_socket import GreenletSocket
from gateway_site.greenlet_loop import GreenletLoop
from gateway_site.large_bodies import LARGEST_BODIES, LargeBodies, NoRoomError
from gateway_site.lean_answer import LeanAnswer
from gateway_site.refusal import Refused, write_error
from gateway_site.silent_clients import ClientTimeoutError, SilentClients
from gateway_site.succession import succession
from gateway_site.thread_socket import ThreadSocket
from inference.dispatch import server_loop
from inference.errors import BUSY_MESSAGE
from inference.http.bodies.discard import discard
from inference.supervision.options import read_gateway_options

#: What is answered in the server's loop, unless its body is large: reading much JSON would keep the others waiting.
IN_LOOP = ("POST", "/predict")
SMALL_BODY_BYTES = 64 * 1024
HTTP_1_1 = (1, 1)
#: How often the server looks whether it is to stop, and tells gunicorn that it lives.
LOOK_SECONDS = 0.2
#: Old processes serve while new ones start, for gunicorn's graceful timeout at most; for how much of it a new one lets
#: them, until it can answer predictions itself.
READY_SHARE = 0.75
#: How long a process that ends lets clients make one more request, whose answer closes their connection.
LAST_REQUEST_SECONDS = 1.0


class _Forever:
    """The deadline of the whole head of a request: the connection's own deadlines are enough."""

    def __enter__(self) -> None:
        """Nothing begins."""

    def __exit__(self, *_: object) -> None:
        """Nothing ends."""


class HttpWorker(AsyncWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves connections in greenlets of one loop."""

    alive: bool
    age: int
    #: Of which generation this process is, given by `gateway_site/gunicorn.py`.
    generation: int = 0
    #: Until when this process, which gunicorn has told to end, waits for its successors.
    _serves_until: float | None = None
    _forever = _Forever()

    def init_process(self) -> None:
        """Begin to serve."""
        gevent.reinit()
        self._silent_seconds = read_gateway_options().client_timeout_seconds
        self._idle = SilentClients(self.worker_connections)
        self._arriving = SilentClients(self.worker_connections)
        self._slow_bodies = SilentClients(max(1, self.cfg.threads // 2))
        self._connections = Pool(self.worker_connections)
        self._threads = ThreadPool(self.cfg.threads)
        server_loop.use(GreenletLoop())
        # gunicorn looks settings up some twenty times a request: as plain attributes they cost a tenth.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def run(self) -> None:
        """Accept and answer until gunicorn says stop; then let the requests that are there end."""
        # The application is loaded by now, and Django set up.
        from django.conf import settings

        from inference.gateway import gateway
        from inference.http.authentication import lets_in

        self._lets_in = lets_in
        self._is_full: Callable[[], bool] = lambda: gateway().dispatcher.admission.full
        self._body_bytes_max = settings.PIPELINE_MAX_BODY_BYTES
        self._large_bodies = LargeBodies(LARGEST_BODIES * self._body_bytes_max)
        self._lean = LeanAnswer.for_worker(self)
        self._let_predecessors_serve(lambda: gateway().ready)
        servers = []
        for listener in self.sockets:
            listening = gevent.socket.socket(listener.FAMILY, fileno=listener.sock.detach())
            listening.setblocking(True)
            server = StreamServer(listening, handle=partial(self.handle, listening), spawn=self._connections)
            # Few at a time, so that the processes share the connections; with one at a time a burst of them waited for
            # whole rounds of a busy loop: the slowest hundredth of 256 clients' requests took 0.5 s, now 0.05 s.
            server.max_accept = 8
            server.start()
            servers.append(server)
        succession().serves(self.age, self.generation)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            if self._serves_until is not None and self._is_succeeded(self._serves_until):
                self.alive = False
            gevent.sleep(LOOK_SECONDS)
        self.alive = False
        for server in servers:
            server.close()
        self._let_end()

    def _let_predecessors_serve(self, ready: Callable[[], bool]) -> None:
        """After a reload, accept nobody before this process can answer: old ones still do, but not for ever."""
        until = time.monotonic() + self.cfg.graceful_timeout * READY_SHARE
        if self.generation == 0 or succession().serving():
            return  # there are no old ones, or they have ended already
        while self.alive and self.ppid == os.getppid() and not ready() and time.monotonic() < until:
            self.notify()
            gevent.sleep(LOOK_SECONDS)

    def _let_end(self) -> None:
        began = time.monotonic()
        while len(self._connections) and time.monotonic() < began + self.cfg.graceful_timeout:
            # Cutting off a client that is about to send fails its request: first it may have an answer that says so.
            if time.monotonic() >= began + LAST_REQUEST_SECONDS:
                self._idle.cut_off(most=self._idle.limit)
            self.notify()
            self._connections.join(LOOK_SECONDS)
        if len(self._connections):
            self.log.warning("%d connections did not end in time: they are cut off.", len(self._connections))

    def timeout_ctx(self) -> _Forever:
        """What gunicorn waits for a request in."""
        return self._forever

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Answer a connection's requests, one after the other."""
        if self._connections.free_count() == 0:
            # One more could not be accepted: the one that has been idle longest makes room, or the slowest.
            self._idle.cut_off(most=1) or self._arriving.cut_off(most=1)
        seconds = self._silent_seconds, self.cfg.keepalive
        ours = GreenletSocket.taking_over(client, *seconds, self._idle, self._arriving)
        super().handle(listener, ours, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: GreenletSocket, addr: Any) -> None:
        """Answer one request; StopIteration says that it was the connection's last."""
        if req.version > HTTP_1_1:
            # gunicorn would say in its answer that it speaks HTTP/1.9, too.
            req.version = HTTP_1_1
        small = isinstance(req.body.reader, LengthReader) and req.body.reader.length <= SMALL_BODY_BYTES
        if small and not req._expected_100_continue:
            # A client that sends half of it keeps a greenlet, not a thread.
            req.body = io.BytesIO(req.body.read())
        sock.has_arrived()
        if small and (req.method, req.path) == IN_LOOP:
            self._answer_in_loop(listener_name, req, sock, addr)
        else:
            self._answer_in_thread(listener_name, req, sock, addr)
            if _much_is_unread(req):
                raise StopIteration
        # When a part of the next request is there already, its client is silent in the middle of it.
        sock.await_request(begun=bool(req.unreader.buf.getbuffer()))
        if self._connections.free_count() == 0 and not self._idle.cut_off(most=1):
            raise StopIteration  # nobody else makes room for those that cannot be accepted

    def _answer_in_loop(self, listener_name: Any, req: Any, sock: GreenletSocket, addr: Any) -> None:
        server_loop.CLIENT_HAS_ENDED.set(sock.has_ended)
        plain = req.version == HTTP_1_1 and not req._expected_100_continue and isinstance(addr, tuple)
        if self._lean is None or not plain:
            with sock.gathering():
                super().handle_request(listener_name, req, sock, addr)
            return
        closing = not self.alive or not self.cfg.keepalive or req.should_close()
        self._lean.answer(req, sock, addr, listener_name, closing)
        if closing:
            raise StopIteration

    def _answer_in_thread(self, listener_name: Any, req: Any, sock: GreenletSocket, addr: Any) -> None:
        with ThreadSocket.borrowing(sock, self._slow_bodies) as borrowed:
            req.unreader.sock = borrowed
            try:
                ended = self._threads.apply(self._answer, (listener_name, req, borrowed, addr))
            finally:
                req.unreader.sock = sock
        if ended is not None:
            try:
                raise ended
            finally:
                del ended  # it holds this call, which would hold it

    def _answer(self, listener_name: Any, req: Any, sock: ThreadSocket, addr: Any) -> BaseException | None:
        """Answer one request; returns what ends its connection: gevent would print whatever is raised here."""
        server_loop.CLIENT_HAS_ENDED.set(sock.has_ended)
        try:
            if self._needs_room(req):
                self._answer_large(listener_name, req, sock, addr)
            else:
                super().handle_request(listener_name, req, sock, addr)
        except (Exception, ClientTimeoutError) as ended:  # noqa: BLE001 - the connection's greenlet raises it again
            return ended
        return None

    def _needs_room(self, req: Any) -> bool:
        """Whether this is a large prediction that will be read; without a place or a token it is refused unread."""
        if (req.method, req.path) != IN_LOOP or not SMALL_BODY_BYTES < _length(req) <= self._body_bytes_max:
            return False
        return not self._is_full() and self._lets_in(dict(req.headers).get("AUTHORIZATION", ""))

    def _answer_large(self, listener_name: Any, req: Any, sock: ThreadSocket, addr: Any) -> None:
        """Answer a prediction with a large body, which is read first: whoever waits for it to come holds up nobody."""
        try:
            with self._large_bodies.room(_length(req), sock, lambda: _length(req) > 0):
                if not req._expected_100_continue:  # else gunicorn tells the client to go on later
                    req.body = io.BytesIO(req.body.read())
                super().handle_request(listener_name, req, sock, addr)
        except NoRoomError:
            if not req._expected_100_continue:  # else the client sends nothing before it is told to
                discard(req.body, _length(req))
            self.wsgi.identify(dict(req.headers).get("X-REQUEST-ID"))
            write_error(Refused(sock, req, self.wsgi), HTTPStatus.SERVICE_UNAVAILABLE, "", BUSY_MESSAGE)
            raise StopIteration from None

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what never reached the application, or broke it."""
        self.wsgi.identify(dict(req.headers).get("X-REQUEST-ID") if req else None)
        refused = Refused(client, req, self.wsgi)
        if isinstance(exc, ClientTimeoutError):
            self.log.debug("A client sent nothing for too long: its connection is closed.")
            with suppress(OSError):
                write_error(refused, HTTPStatus.REQUEST_TIMEOUT, "", "the rest of the request did not come in time")
        else:
            super().handle_error(req, refused, addr, exc)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """End; when gunicorn reloads, not before new processes serve, unless it insists."""
        generations = succession()
        replaced = generations.generation != self.generation
        if self._serves_until is None and replaced and not generations.complete():
            self._serves_until = time.monotonic() + self.cfg.graceful_timeout
        else:
            super().handle_exit(sig, frame)

    def _is_succeeded(self, serves_until: float) -> bool:
        return succession().complete() or time.monotonic() > serves_until

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once; not in the signal's handler, where the loop cannot be waited for."""
        gevent.spawn(super().handle_quit, sig, frame)


def _length(req: Any) -> int:
    """How many bytes of the body are still to be read; 0 where nobody knows."""
    reader = getattr(req.body, "reader", None)
    return reader.length if isinstance(reader, LengthReader) else 0


def _much_is_unread(req: Any) -> bool:
    """Whether so much of the body is still to come that waiting for it takes longer than a new connection."""
    reader = getattr(req.body, "reader", None)
    return reader is not None and not (isinstance(reader, LengthReader) and reader.length <= SMALL_BODY_BYTES)
