"""What nobody waits for is not computed: requests whose clients have gone, and batches past their time."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.keep_alive import post_request
from tests.support.system import System
from tests.support.waiting import wait_until

CLIENTS = 60
#: The first ones, which are on their way to the worker in a batch of each process when the others come.
FIRST = 12
REQUEST_SECONDS = 40.0


@pytest.fixture(scope="module")
def service(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One worker and two gateway processes."""
    settings = {"PIPELINE_REQUEST_TIMEOUT": str(REQUEST_SECONDS)}
    for system in running(System(tmp_path_factory.mktemp("gone"), rabbitmq.url, **settings), workers=1):
        yield system.load_first_sample()


def handled(service: System) -> int:
    """How many requests the worker has computed."""
    return int(service.client.status()["workers"][0]["count_requests_handled"])


def held(service: System) -> int:
    return int(service.client.status()["queue_requests_current"])


def ask(service: System, number: int) -> socket.socket:
    """A connection on which a prediction is asked for."""
    client = service.connect()
    client.sendall(post_request(service.url, "/predict", {"vector": [0.3, number / CLIENTS]}))
    return client


def pause(service: System, signal_number: int) -> None:
    pid = service.workers[0].pid
    assert pid is not None
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        os.kill(process.pid, signal_number)


def test_requests_whose_clients_have_gone_are_not_computed(service: System) -> None:
    before = handled(service)
    pause(service, signal.SIGSTOP)
    try:
        clients = [ask(service, number) for number in range(FIRST)]
        wait_until(lambda: held(service) == FIRST, 15.0, "the first ones wait")
        clients += [ask(service, number) for number in range(FIRST, CLIENTS)]
        wait_until(lambda: held(service) == CLIENTS, 15.0, "all wait")
        for client in clients[1:]:
            client.close()
        # They hold no place either, though nothing can be sent.
        wait_until(lambda: held(service) <= FIRST, 15.0, "the places of those that have gone are free")
    finally:
        pause(service, signal.SIGCONT)
    with clients[0] as waits:
        waits.settimeout(REQUEST_SECONDS)
        assert b" 200 OK" in waits.recv(4096)
    wait_until(lambda: held(service) == 0, 5.0, "nothing waits any more")
    computed = handled(service) - before
    assert 1 <= computed <= FIRST, f"{computed} of {CLIENTS} were computed"


def test_a_client_that_ends_its_side_and_reads_has_its_answer(service: System) -> None:
    with ask(service, 1) as client:
        client.shutdown(socket.SHUT_WR)
        client.settimeout(REQUEST_SECONDS)
        received = b""
        while more := client.recv(4096):
            received += more
    assert b" 200 OK" in received
    assert b'"status":true' in received


def test_a_worker_says_nothing_of_clients_that_have_gone(service: System) -> None:
    log = Path(service.directory / "log" / "worker-1.log").read_text()
    assert "Traceback" not in log, log
