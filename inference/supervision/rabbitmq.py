"""A RabbitMQ node of our own: loopback only, own name, ports, cookie and data, beside any other node on the machine.

It needs no root and none of the system's RabbitMQ settings: Debian's `rabbitmq-server` is a wrapper that insists on one
user, so the script behind it is run. Erlang's port mapper (epmd) is a child too, on a port of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from kombu import Connection

from inference.supervision.addresses import LOOPBACK, Bind, free_ports
from inference.supervision.errors import StartError, log_tail
from inference.supervision.processes import Child

INSTALL_HINT = "apt-get install rabbitmq-server"
READY_SECONDS = 60.0
POLL_SECONDS = 0.1
#: What RabbitMQ 4 takes by default, on every release: a larger message of ours fails here first.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
SERVER_SCRIPTS = (
    ("/usr/lib/rabbitmq/lib", "rabbitmq_server-*/sbin/rabbitmq-server"),  # Debian, Ubuntu, Fedora
    ("/opt", "rabbitmq*/sbin/rabbitmq-server"),  # the generic archive, and the official container
    ("/opt/homebrew/opt", "rabbitmq/sbin/rabbitmq-server"),
    ("/usr/local/opt", "rabbitmq/sbin/rabbitmq-server"),
)
FOREIGN_SETTINGS = ("RABBITMQ_", "ERL_", "ERLANG_", "NOTIFY_SOCKET")


def server_script() -> Path | None:
    """The `rabbitmq-server` script that any user may run, or None."""
    for folder, pattern in SERVER_SCRIPTS:
        found = sorted(Path(folder).glob(pattern))
        if found:
            return found[-1]
    on_path = shutil.which("rabbitmq-server")
    return Path(on_path) if on_path else None


def epmd_program() -> Path | None:
    """Erlang's port mapper daemon, or None."""
    on_path = shutil.which("epmd")
    if on_path:
        return Path(on_path)
    erl = shutil.which("erl")
    return next(iter(Path(erl).resolve().parent.parent.glob("erts-*/bin/epmd")), None) if erl else None


def installed() -> bool:
    """Whether a private node can be started on this machine."""
    return server_script() is not None and epmd_program() is not None


class PrivateNode:
    """A RabbitMQ node with everything it owns under `directory`; `port` 0 takes a free one.

    It can be stopped, killed and started again with the same name, port and data. Start it from the main thread.
    """

    def __init__(self, directory: Path, port: int = 0, *, log: Path | None = None, name: str = "rabbitmq") -> None:
        self.name = name
        self.directory = directory.resolve()
        self.log = log or self.directory / "rabbitmq.log"
        self.port = port
        self._epmd: Child | None = None
        self._node: Child | None = None

    @property
    def node_name(self) -> str:
        """The Erlang node's name: the same for the same directory, different for any other."""
        return f"pipeline-{hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]}@localhost"

    @property
    def url(self) -> str:
        """The broker address for `BROKER_URL`."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    @property
    def log_start(self) -> int:
        """Where in the log the present run begins, in bytes."""
        return self._node.log_start if self._node else 0

    @property
    def pid(self) -> int | None:
        """The process id of the node, or None before the first start."""
        return self._node.pid if self._node else None

    def start(self) -> None:
        """Start the node, and return before it answers: see `wait_ready`.

        Raises:
            StartError: RabbitMQ is not installed, or the directory is not writable.
            BindError: the port is taken.
        """
        if self.alive():
            return
        script, epmd = server_script(), epmd_program()
        if script is None or epmd is None:
            raise StartError(f"RabbitMQ is not installed: {INSTALL_HINT}")
        self._end_leftovers()
        self.port = Bind(LOOPBACK, self.port).claim().port
        epmd_port, distribution_port = free_ports(2)
        environment = self._environment(epmd_port, distribution_port)
        try:
            self._write_files()
        except OSError as error:
            raise StartError(f"cannot write to {self.directory}: {error.strerror}") from error
        self._epmd = Child(
            "epmd", [str(epmd), "-port", str(epmd_port), "-address", LOOPBACK], log=self.log, env=environment
        )
        self._node = Child(
            self.name, [str(script), "-noinput"], log=self.log, env=environment, cwd=self.directory, stop_seconds=20.0
        )
        self._epmd.start()
        self._node.start()

    def wait_ready(self, deadline_seconds: float = READY_SECONDS, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until the node answers an AMQP handshake; `meanwhile` is called at every look.

        Raises:
            StartError: the node ended, or does not answer by the deadline; the message has the end of its log.
        """
        end = time.monotonic() + deadline_seconds
        while not self.answers():
            if not self.alive():
                raise StartError(f"RabbitMQ ended while starting ({self.ending()}){self._log_says()}")
            if time.monotonic() >= end:
                raise StartError(f"RabbitMQ did not answer within {deadline_seconds:g} s{self._log_says()}")
            meanwhile()
            time.sleep(POLL_SECONDS)

    def answers(self) -> bool:
        """Whether the node completes an AMQP handshake now."""
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=1.0).close()
            with Connection(self.url, connect_timeout=2.0) as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
        except OSError:
            return False
        return True

    def alive(self) -> bool:
        """Whether the node's process runs now; it may not answer yet."""
        return self._node is not None and self._node.alive()

    def ending(self) -> str:
        """How the node ended, for a line of text."""
        return self._node.ending() if self._node else "not started"

    def ask_to_stop(self) -> None:
        """Ask the node to stop, without waiting."""
        if self._node:
            self._node.ask_to_stop()

    def stop(self) -> None:
        """Stop the node, by force when it has not stopped within 20 s, and its port mapper."""
        if self._node:
            self._node.stop()
        self._end_leftovers()

    def kill(self) -> None:
        """End the node with SIGKILL, as a crash would; `start` brings it back with the same port and data."""
        if self._node:
            self._node.kill()
        self._end_leftovers()

    def end_by_force(self) -> None:
        """End node and port mapper at once, without waiting."""
        for child in (self._node, self._epmd):
            if child:
                child.end_by_force()

    def _end_leftovers(self) -> None:
        if self._epmd:
            self._epmd.kill()

    def _log_says(self) -> str:
        return f"; its log {self.log} ends with:\n{log_tail(self.log, start=self.log_start)}"

    def _write_files(self) -> None:
        for folder in ("home", "data", "conf.d"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        (self.directory / "enabled_plugins").write_text("[].\n")
        (self.directory / "rabbitmq-env.conf").write_text("")
        (self.directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = {LOOPBACK}:{self.port}\n"
            f"max_message_size = {MAX_MESSAGE_BYTES}\n"
            "log.console.level = warning\n"
        )

    def _environment(self, epmd_port: int, distribution_port: int) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN_SETTINGS)}
        schedulers = min(os.cpu_count() or 1, 4)
        at = self.directory
        return inherited | {
            "HOME": str(at / "home"),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_AFLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_NODENAME": self.node_name,
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_MNESIA_BASE": str(at / "data"),
            "RABBITMQ_LOG_BASE": str(at),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(at / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(at / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(at / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(at / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(at / "enabled_plugins"),
            # The script then becomes the node itself, which stops gracefully on SIGTERM, instead of waiting beside it.
            "RABBITMQ_ALLOW_INPUT": "1",
            # Schedulers bound to cores would fight with the workers, and with a second node, for the same ones.
            "RABBITMQ_SCHEDULER_BIND_TYPE": "u",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"+S {schedulers}:{schedulers}",
        }
