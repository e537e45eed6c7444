"""A whole Pipeline for a benchmark, on a RabbitMQ node of its own, in a directory that is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from inference.supervision.rabbitmq import PrivateNode
from tests.support.system import System


@contextmanager
def running_system(workers: int) -> Iterator[System]:
    """A gateway of two processes and so many workers, all connected; stopped when the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        node = PrivateNode(folder / "rabbitmq")
        stack.callback(node.stop)
        node.start()
        node.wait_ready()
        system = System(folder / "system", node.url)
        stack.callback(system.stop)
        yield system.start(workers)
