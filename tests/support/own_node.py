"""A whole Pipeline for a benchmark, on a RabbitMQ node of its own, in a directory that is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from inference.supervision.rabbitmq import PrivateNode
from tests.support.system import System


@contextmanager
def running_node(directory: Path) -> Iterator[PrivateNode]:
    """A RabbitMQ node that answers; stopped when the block ends."""
    node = PrivateNode(directory)
    try:
        node.start()
        node.wait_ready()
        yield node
    finally:
        node.stop()


@contextmanager
def running_system(workers: int, **settings: str) -> Iterator[System]:
    """A gateway of two processes and so many workers, all connected; stopped when the block ends."""
    with TemporaryDirectory() as folder, running_node(Path(folder) / "rabbitmq") as node:
        system = System(Path(folder) / "system", node.url, **settings)
        try:
            yield system.start(workers)
        finally:
            system.stop()
