"""More than the fleet can answer, and what nobody waits for: answered in time, or refused at once.

The long run is `python -m tests.chaos.overload`.
"""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest
import requests

from inference.supervision import rabbitmq as rabbitmq_programs
from tests.chaos.overload import Overloaded, overloaded
from tests.support.keep_alive import post_request
from tests.support.requirement import require
from tests.support.system import System
from tests.support.waiting import wait_until

OVERLOAD_SECONDS = 6.0
QUEUE_REQUESTS_MAX = 64
#: What a refusal takes at most, on a machine that does nothing else; and what part of an answer's time on any other.
AT_ONCE_MS = 20.0
AT_ONCE_PART = 0.25
CLIENTS = 60
#: The first ones, at least; some are on their way to the worker, in a batch of each process, when the others come.
FIRST = 12
GATEWAYS = 2
REQUEST_SECONDS = 40.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overloaded]:
    """One worker and two gateway processes, and a network that takes the worker long."""
    require(rabbitmq_programs.installed(), "rabbitmq-server")
    limits = {
        "PIPELINE_QUEUE_REQUESTS_MAX": str(QUEUE_REQUESTS_MAX),
        "PIPELINE_REQUEST_TIMEOUT": str(REQUEST_SECONDS),
    }
    with overloaded(tmp_path_factory.mktemp("overload"), **limits) as running:
        yield running


@pytest.fixture(scope="module")
def service(running: Overloaded) -> System:
    return running.system


def test_ten_times_too_much_is_answered_in_time_or_refused_at_once(running: Overloaded) -> None:
    found = running.overload(OVERLOAD_SECONDS)

    print(found)
    seen = found.seen
    assert (seen.wrong, seen.failed) == (0, 0), found
    assert seen.right > 0, found
    assert seen.refused > seen.right, found
    # Twice the bound: the rate that it is made of was taken while nothing else may have run beside. `python -m
    # tests.chaos.overload` measures.
    assert found.accepted_p99_ms < 2 * found.bound_ms, found
    assert found.refused_median_ms < max(AT_ONCE_MS, AT_ONCE_PART * found.accepted_p99_ms), found
    assert found.memory_late < found.memory_early * 1.2 + 10, found
    assert found.sustainable_after > found.sustainable / 2, found


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


def in_flight(service: System) -> int:
    """How many batches are on their way, of both processes, each of which may have one; counted once a second."""
    text = requests.get(f"{service.url}/metrics", timeout=REQUEST_SECONDS).text
    found = re.search(r"^pipeline_batches_in_flight (\d+)", text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_requests_whose_clients_have_gone_are_not_computed(service: System) -> None:
    before = handled(service)
    with ExitStack() as connections:

        def ask_one_more() -> None:
            clients.append(connections.enter_context(ask(service, len(clients))))

        clients: list[socket.socket] = []
        pause(service, signal.SIGSTOP)
        try:
            # Which process takes a connection is chance: until each has a batch on its way, as many as it may have.
            while len(clients) < FIRST or (in_flight(service) < GATEWAYS and len(clients) < CLIENTS / 2):
                ask_one_more()
            sent = len(clients)
            wait_until(lambda: held(service) == sent, 15.0, "the first ones wait")
            wait_until(lambda: in_flight(service) == GATEWAYS, 15.0, "each process has a batch on its way")
            while len(clients) < CLIENTS:
                ask_one_more()
            wait_until(lambda: held(service) == CLIENTS, 15.0, "all wait")
            for client in clients[1:]:
                client.close()
            # They are held no longer, though nothing can be sent.
            wait_until(lambda: held(service) <= sent, 15.0, "those that have gone are held no longer")
        finally:
            pause(service, signal.SIGCONT)
        clients[0].settimeout(REQUEST_SECONDS)
        assert b" 200 OK" in clients[0].recv(4096)
    wait_until(lambda: held(service) == 0, 5.0, "nothing waits any more")
    computed = handled(service) - before
    # Those that were sent before; twice each, when the broker has given the paused worker up meanwhile.
    assert 1 <= computed <= 2 * sent, f"{computed} of {CLIENTS} were computed"


def test_a_client_that_ends_its_side_and_reads_has_its_answer(service: System) -> None:
    with ask(service, 1) as client:
        client.shutdown(socket.SHUT_WR)
        client.settimeout(REQUEST_SECONDS)
        received = b""
        while more := client.recv(4096):
            received += more
    assert b" 200 OK" in received
    assert b'"status":true' in received
