"""A worker that is killed in the middle of a load leaves a file on the disk, which the next one that starts removes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from inference.client.http_client import Answer, PipelineClient
from inference.supervision.processes import Child
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until


def helper_of(worker: Child) -> psutil.Process:
    """The process that reads weights files for a worker."""
    assert worker.pid is not None
    children = psutil.Process(worker.pid).children(recursive=True)
    return next(child for child in children if "workers.runtime.read_weights" in child.cmdline())


@contextmanager
def stopped(*workers: Child) -> Iterator[None]:
    """The workers' helpers, which read nothing until the block ends: a load stays in its middle."""
    helpers = [helper_of(worker) for worker in workers]
    try:
        for helper in helpers:
            helper.suspend()
        yield
    finally:
        for helper in helpers:
            helper.resume()


def test_what_a_killed_worker_left_goes_with_the_next_start_and_a_living_ones_load_goes_on(
    rabbitmq: PrivateNode, directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary, sample, answers = tmp_path_factory.mktemp("temporary"), samples()[0], list[Answer]()
    patient = {"PIPELINE_LOAD_TIMEOUT": "200"}
    made = System(directory, rabbitmq.url, **patient)
    client = PipelineClient(made.url, 200.0)

    def load() -> None:
        answers.append(client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes()))

    def uploads() -> set[Path]:
        return set(temporary.glob("*/uploaded"))

    for system in running(made, workers=0):
        killed, living = (system.add_worker(TMPDIR=str(temporary), **patient) for _ in range(2))
        system.wait_for_workers(2)
        asking = threading.Thread(target=load)
        with stopped(killed, living):
            asking.start()
            wait_until(lambda: len(uploads()) == 2, 30, "both workers are in the middle of the load")
            assert killed.pid is not None
            os.kill(killed.pid, signal.SIGKILL)
            system.wait_for_workers(1)
            assert len(uploads()) == 2

            system.add_worker(TMPDIR=str(temporary), **patient)
            system.wait_for_workers(2)

            wait_until(lambda: len(uploads()) == 1, 10, "what the killed worker left is gone")
        asking.join(60)
        assert [(answer["status"], answer["workers_answered"]) for answer in answers] == [(True, 2)]
        wait_until(lambda: list(temporary.glob("*pipeline*")) == [], 10, "the loads have removed their own")
