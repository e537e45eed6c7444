"""The gateways that the cases are sent to, embedded or in a cluster, with the first sample network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.http.footprint import counting
from tests.support.own_node import running_node
from tests.support.system import System

#: A client may be silent for so long, so that a case that waits is over soon.
SETTINGS = {"PIPELINE_CLIENT_TIMEOUT": "2", "PIPELINE_REQUEST_TIMEOUT": "20"}


@contextmanager
def embedded() -> Iterator[System]:
    """The embedded form."""
    with TemporaryDirectory() as folder:
        yield from _running(System(Path(folder), "", **SETTINGS, **counting(Path(folder) / "counts")), workers=0)


@contextmanager
def cluster() -> Iterator[System]:
    """Two gateway processes and two workers on a RabbitMQ node of their own."""
    with TemporaryDirectory() as folder, running_node(Path(folder) / "rabbitmq") as node:
        more = SETTINGS | counting(Path(folder) / "counts")
        yield from _running(System(Path(folder) / "system", node.url, **more), workers=2)


def _running(system: System, workers: int) -> Iterator[System]:
    try:
        yield system.start(workers, embedded=not workers).load_first_sample()
    finally:
        system.stop()


def log(system: System) -> str:
    """Everything that the gateway has logged."""
    return next(system.directory.rglob("log/gateway.log")).read_text(errors="replace")
