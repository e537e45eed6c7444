"""The gateways that the cases are sent to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.own_node import running_system
from tests.support.system import System

SETTINGS = {"PIPELINE_CLIENT_TIMEOUT": "2", "PIPELINE_REQUEST_TIMEOUT": "20", "PIPELINE_LOG_LEVEL": "INFO"}


@contextmanager
def embedded() -> Iterator[System]:
    """The embedded form, with the first sample network."""
    with TemporaryDirectory() as folder:
        system = System(Path(folder), "", **SETTINGS)
        try:
            yield system.start(0, embedded=True).load_first_sample()
        finally:
            system.stop()


@contextmanager
def cluster() -> Iterator[System]:
    """Two gateway processes and two workers on a RabbitMQ node of their own."""
    with running_system(2, **SETTINGS) as system:
        yield system.load_first_sample()


def log(system: System) -> str:
    """Everything that the gateway has logged."""
    return next(system.directory.rglob("log/gateway.log")).read_text(errors="replace")
