"""gunicorn's configuration: `gunicorn -c gateway_site/gunicorn.py gateway_site.asgi`."""

from __future__ import annotations

import resource
import runpy
import sys
from collections.abc import Iterable
from typing import Any

from environs import EnvError

from gateway_site.succession import succession
from inference.access.requirement import Address, OpenBindError, Requirement, listen_at
from inference.monitoring.board import gateway_board, sit_down
from inference.supervision.addresses import Bind
from inference.supervision.errors import BindError
from inference.supervision.options import read_gateway_options
from workers.settings import settings

try:
    # Each process reads them for itself, and not as they were before a reload; what is wrong is said here, once.
    told: dict[str, Any] = runpy.run_module("gateway_site.settings")
    options = read_gateway_options()
    Requirement.read()
except (EnvError, OSError) as error:
    sys.exit(f"gunicorn: {error}")

#: A connection costs little, and a client whose connection makes room for another's may just be sending.
CONNECTIONS_LEAST = 1024
#: Those that are there for /status, the admin and the like.
OTHER_CONNECTIONS = 128

bind = told["PIPELINE_BIND"]
#: Where each process answers gRPC, if anywhere.
grpc_bind = Bind.parse(told["PIPELINE_GRPC_BIND"]) if told["PIPELINE_GRPC_BIND"] else None
worker_class = "gateway_site.http_worker.HttpWorker"
# The embedded form is one process by its nature: the broker lives in it.
workers = 1 if settings().embedded else options.processes
worker_connections = max(4 * told["PIPELINE_QUEUE_REQUESTS_MAX"] + OTHER_CONNECTIONS, CONNECTIONS_LEAST)
keepalive = 75
graceful_timeout = int(settings().request_timeout_seconds) + 5
timeout = 60
# No preload: threads and connections do not survive a fork.
preload_app = False
control_socket_disable = True
accesslog = None
logger_class = "gateway_site.gunicorn_log.GatewayLogger"
OTHER_FILES = 256
#: Where this gateway's processes leave their metrics; shared with them because it is made before they are.
board = gateway_board()
#: Who of them serves; an old one serves until the new ones do.
generations = succession()


def on_starting(server: Any) -> None:
    """Look whether this may begin, and let each process have as many files as connections: many systems allow 1024
    unless asked for more.
    """
    _refuse_open([*server.cfg.address, *_grpc_addresses()])
    if grpc_bind and not server.master_pid:  # on an upgrade the gunicorn before listens there
        _claim(grpc_bind)
    wanted, (soft, hard) = worker_connections + OTHER_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def when_ready(server: Any) -> None:
    """Look again whether this may begin, now where it really listens, and before anybody is answered."""
    _refuse_open(_addresses(server))


def _refuse_open(addresses: Iterable[Address]) -> None:
    """Refuse to begin where everybody would be let in by mistake; gunicorn ends with the message."""
    try:
        Requirement.read().refuse_open(addresses)
    except OpenBindError as error:
        raise RuntimeError(error) from error


def _addresses(server: Any) -> list[Address]:
    """Where it really listens, whoever has said so: settings, the command line, systemd, or the process before."""
    http = [listener.sock.getsockname() for listener in server.LISTENERS] or list(server.cfg.address)
    return [*http, *_grpc_addresses()]


def _grpc_addresses() -> list[Address]:
    return [(grpc_bind.host, grpc_bind.port)] if grpc_bind else []


def _claim(address: Bind) -> None:
    """Refuse to begin where another program answers: processes share the address, so the kernel would let them in."""
    try:
        address.claim()
    except BindError as error:
        raise RuntimeError(f"PIPELINE_GRPC_BIND: {error}") from error


def on_reload(server: Any) -> None:
    """Have old processes serve until new ones do."""
    generations.begin(server.cfg.workers)


def pre_fork(server: Any, worker: Any) -> None:
    """Tell a process that is about to start where requests come from, and give it a seat for its metrics."""
    listen_at(_addresses(server))
    worker.seat = board.take_seat()
    worker.generation = generations.generation


def post_fork(server: Any, worker: Any) -> None:
    """Tell it where its seat is, and when it was born."""
    generations.starts(worker.age, worker.generation)
    if worker.seat is not None:
        sit_down(board, worker.seat)


def child_exit(server: Any, worker: Any) -> None:
    """Free the seat of a process that has ended, whyever; its counts are the next one's."""
    generations.has_ended(worker.age)
    if worker.seat is not None:
        board.leave(worker.seat)
