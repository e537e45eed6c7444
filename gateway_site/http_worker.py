"""A gateway process: gunicorn's worker that is uvicorn's server, which looks after slow clients and its successors."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from contextlib import suppress
from signal import SIGQUIT
from typing import Any

from gunicorn.arbiter import Arbiter
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker

from gateway_site.ending import ENDING
from gateway_site.http_protocol import ClientConnection
from gateway_site.succession import succession
from inference.supervision.options import read_gateway_options

logger = logging.getLogger(__name__)

#: How often connections are looked at; of a loop that was busy for longer clients lose no more than twice as much.
LOOK_SECONDS = 0.25
#: So much of an answer the kernel takes before it can send it. It takes more when half of that has gone: of a slow
#: reader one would see nothing for long, and the kernel would hold megabytes for it.
UNSENT_BYTES = 128 * 1024
#: How often it is looked whether what is there has ended, when the process is to; so long it has when told to at once.
END_SECONDS = 0.1


class GatewayServer(Server):
    """uvicorn's server; on a reload it serves until the new processes do."""

    def __init__(self, worker: HttpWorker) -> None:
        super().__init__(worker.config)
        self._worker = worker
        self._serves_until: float | None = None
        self._insisted = self._at_once = False

    async def _serve(self, sockets: Any = None) -> None:
        looks = asyncio.create_task(self._look_at_clients())
        try:
            await super()._serve(sockets)
        finally:
            looks.cancel()
            self._captured_signals.clear()  # else uvicorn raises them again, and gunicorn takes its end for an accident

    async def _look_at_clients(self) -> None:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.sleep(0)  # what has come while the loop was busy is read first
            now = loop.time()
            self.look_at_clients(now, min(now - looked, 2 * LOOK_SECONDS))
            looked = now
            self._worker.notify()  # uvicorn tells gunicorn only while it serves, not while it begins or ends

    def look_at_clients(self, now: float, since: float) -> None:
        """See who of them is too slow; `since` is how long ago that was done last."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, ClientConnection):
                try:
                    connection.look(now, since)
                except Exception:  # the others are looked at all the same
                    logger.exception("A connection could not be looked at: it is cut off.")
                    connection.abort()

    async def startup(self, sockets: Any = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        succession().serves()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """End; when gunicorn reloads, not before new processes serve, unless it insists."""
        self._insisted = self.should_exit
        super().handle_exit(sig, frame)

    def quit(self) -> None:
        """End at once, whoever is being answered, also when the process ends already and waits for them."""
        self.should_exit = self._insisted = self._at_once = True
        ENDING.at_once.set()

    async def shutdown(self, sockets: Any = None) -> None:
        """End, and have end what listens beside."""
        ENDING.begins.set()
        await super().shutdown(sockets)

    async def _wait_tasks_to_complete(self) -> None:
        """Let end what is there; when that is to be at once, the time for it is over, and uvicorn cancels the rest."""
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:
            await asyncio.sleep(END_SECONDS)
            if self._at_once:
                raise TimeoutError

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to end."""
        if os.getppid() != self._worker.ppid:
            return True  # gunicorn itself has gone
        if not await super().on_tick(counter):
            return False
        now = asyncio.get_running_loop().time()
        if self._serves_until is None:
            self._serves_until = now + self._worker.cfg.graceful_timeout if succession().is_replaced else now
        return self._insisted or now >= self._serves_until or succession().complete()


class HttpWorker(UvicornWorker):  # type: ignore[misc]  # it has no types
    """gunicorn's worker."""

    CONFIG_KWARGS = {
        "loop": "uvloop",
        "http": ClientConnection,
        "ws": "none",
        "lifespan": "on",
        "server_header": False,
        # Who is behind a proxy is found out by PIPELINE_PROXIES.
        "proxy_headers": False,
    }
    config: Any
    cfg: Any
    ppid: int
    sockets: list[Any]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # It tells of each start and end, as gunicorn does.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        ClientConnection.silent_seconds = read_gateway_options().client_timeout_seconds
        ClientConnection.idle_seconds = self.cfg.keepalive
        ClientConnection.connections_max = self.cfg.worker_connections
        self.config.timeout_graceful_shutdown = self.cfg.graceful_timeout

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        server = GatewayServer(self)
        asyncio.get_running_loop().add_signal_handler(SIGQUIT, server.quit)
        # gunicorn's own kind of sockets uvloop would close a second time, when the number may be another one's.
        listeners: list[socket.socket] = [each.sock for each in self.sockets]
        for listener in listeners:  # the connections have it from them
            with suppress(AttributeError, OSError):  # not every system, nor kind of socket, has it
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        await server.serve(sockets=listeners)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
