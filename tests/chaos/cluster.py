"""The cluster that faults happen to: a RabbitMQ node, gateway processes, workers, and a supervisor for these."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from kombu import Connection

from inference.supervision.processes import Child
from inference.supervision.rabbitmq import PrivateNode
from tests.chaos.wire import Wire
from tests.support.own_node import running_node
from tests.support.switching import Switches
from tests.support.system import System
from tests.support.uploads import uploads
from workers.messages.protocol import PREDICT_QUEUE

T = TypeVar("T")

WORKERS = 3
GATEWAY_PROCESSES = 2
LOOK_AGAIN_SECONDS = 0.05
#: A fault that is still there after so long has its test fail.
WELL_AGAIN_SECONDS = 60.0


class Cluster:
    """A running cluster; whoever waits by its methods also supervises the workers: those that died are restarted."""

    def __init__(self, node: PrivateNode, wire: Wire, system: System) -> None:
        self.node = node
        #: What the last worker is connected to the node by; a gateway can be, too.
        self.wire = wire
        self.system = system
        #: Where the clients of the next fault ask: client i asks the gateway i mod len(urls).
        self.urls = [system.url]
        #: The weight changes so far, and what each version answers.
        self.switches = Switches()
        #: How many workers the supervisor has restarted.
        self.restarted = 0
        #: Workers that are not to be restarted.
        self.given_up: set[Child] = set()

    def start(self, workers: int) -> Cluster:
        """Start gateway and workers, and make a first version active."""
        self.system.start(workers - 1)
        self.system.add_worker(BROKER_URL=self.wire.url)
        self.system.wait_for_workers(workers)
        answer = self.switches.upload(self.system.client, uploads(1)[0])
        assert answer["status"] is True, answer
        return self

    @property
    def workers(self) -> list[Child]:
        """The workers that are supervised."""
        return [worker for worker in self.system.workers if worker not in self.given_up]

    def supervise(self) -> None:
        """Restart the workers that have died."""
        for worker in self.workers:
            if not worker.alive():
                worker.start()
                self.restarted += 1

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.supervise()
            time.sleep(min(left, LOOK_AGAIN_SECONDS))

    def wait_until(self, condition: Callable[[], T], seconds: float, what: str) -> T:
        """The condition's value, once it is true.

        Raises:
            AssertionError: it was not within `seconds`.
        """
        end = time.monotonic() + seconds
        while True:
            self.supervise()
            value = condition()
            if value:
                return value
            if time.monotonic() >= end:
                raise AssertionError(f"not within {seconds:g} s: {what}\n{self.system.logs()}")
            time.sleep(LOOK_AGAIN_SECONDS)

    def wait_well(self) -> float:
        """Wait until /status shows every worker and a prediction is answered; the seconds that took."""
        began = time.monotonic()
        self.wait_until(self._is_well, WELL_AGAIN_SECONDS, "the cluster is well again")
        return time.monotonic() - began

    def consumers(self) -> int:
        """How many workers RabbitMQ sends batches to, by its own count."""
        with Connection(self.node.url) as connection:
            return int(connection.channel().queue_declare(PREDICT_QUEUE, passive=True).consumer_count)

    def wait_given_up(self, worker: str) -> float:
        """Wait until RabbitMQ has given up one of the workers; the seconds that took."""
        began = time.monotonic()
        self.wait_until(lambda: self.consumers() < len(self.workers), WELL_AGAIN_SECONDS, f"{worker} is given up")
        return time.monotonic() - began

    def _is_well(self) -> bool:
        return self.system.workers_count() == len(self.workers) and self.system.predicts()


@contextmanager
def running_cluster(
    directory: Path,
    workers: int = WORKERS,
    gateway_processes: int = GATEWAY_PROCESSES,
    database_url: str = "",
    **settings: str,
) -> Iterator[Cluster]:
    """A cluster on a node of its own; everything is stopped when the block ends."""
    with running_node(directory / "rabbitmq") as node, Wire(node.port) as wire:
        settings = {"PIPELINE_GATEWAY_PROCESSES": str(gateway_processes)} | settings
        system = System(directory / "system", node.url, database_url, **settings)
        try:
            yield Cluster(node, wire, system).start(workers)
        finally:
            system.stop()
