"""`scripts/cluster`: RabbitMQ, gateway and workers with one command; deaths are mended, Ctrl-C leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from inference.supervision import rabbitmq
from inference.supervision.addresses import Bind
from inference.supervision.rabbitmq import PrivateNode
from tests.support.load import JOIN_SECONDS, at_once
from tests.support.requirement import require
from tests.support.samples import samples
from tests.support.service import Service, run, user_environment
from tests.support.waiting import wait_until
from workers.settings import ROOT

PROGRAMS = {
    "RabbitMQ": "beam.smp",
    "its port mapper": "epmd -port",
    "the gateway": "-m gunicorn -c",
    "a worker": "-m celery -A workers worker",
    "a worker's helper": "-m workers.runtime.read_weights",
}
RESTART_SECONDS = 90.0
CLIENTS = 200
ASKED_BY_EACH = 3


@pytest.fixture(scope="module", autouse=True)
def _rabbitmq_is_installed() -> None:
    require(rabbitmq.installed(), "rabbitmq-server")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both starts keep their data."""
    return tmp_path_factory.mktemp("cluster")


def cluster(directory: Path, workers: int, **settings: str) -> Service:
    """A cluster that takes free ports."""
    return Service("cluster", directory, "--workers", str(workers), "--amqp-port", "0", **settings)


@pytest.fixture(scope="module")
def clustered(directory: Path) -> Iterator[Service]:
    """RabbitMQ, the gateway and two workers."""
    service = cluster(directory, workers=2)
    try:
        yield service.start()
    finally:
        service.stop()


def answer(service: Service, script: str) -> dict[str, Any]:
    """What a curl script prints."""
    done = service.script(script)
    assert (done.returncode, done.stderr) == (0, "")
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def running(service: Service) -> dict[str, int]:
    """How many processes of each program the service has."""
    lines = service.command_lines()
    return {what: sum(program in line for line in lines) for what, program in PROGRAMS.items()}


def test_it_tells_what_it_starts_and_how_to_add_a_worker(clustered: Service) -> None:
    for step in ("starting RabbitMQ: ", "starting the gateway and 2 workers: ", "asking for a prediction: "):
        assert step in clustered.output
    assert f"loaded the sample {samples()[0].nn_id}\n" in clustered.output
    hint = clustered.wait_for(r"BROKER_URL=(amqp://\S+) .venv/bin/celery -A workers worker\n")[1]
    assert ":5672/" not in hint


def test_every_kind_of_process_runs(clustered: Service) -> None:
    assert all(running(clustered).values()), clustered.command_lines()


def test_nothing_listens_beyond_this_machine(clustered: Service) -> None:
    hosts = set()
    for process in clustered.processes():
        hosts |= {each.laddr.ip for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    assert hosts
    assert hosts <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_sample_is_loaded_by_both_workers_and_predicts(clustered: Service, number: int) -> None:
    loaded = answer(clustered, f"set_weights{number}.sh")
    assert (loaded["status"], loaded["message"], loaded["workers_count"]) == (True, "OK", 2)
    assert [worker["result"] for worker in loaded["workers"]] == [True, True]
    for script, total in (("predict1.sh", 0.3), ("predict2.sh", 1.0)):
        predicted = answer(clustered, script)
        assert (predicted["status"], predicted["message"]) == (True, samples()[number - 1].nn_id)
        assert predicted["result"] == pytest.approx(total, abs=0.01)


def test_bad_tensors_are_refused_by_both_workers(clustered: Service) -> None:
    refused = answer(clustered, "set_weights_bad_tensors.sh")
    assert (refused["status"], refused["workers_count"]) == (False, 2)
    assert [worker["result"] for worker in refused["workers"]] == [False, False]


def test_a_worker_that_is_killed_is_started_again_and_catches_up(clustered: Service) -> None:
    nn_id = samples()[1].nn_id
    assert answer(clustered, "set_weights2.sh")["status"] is True
    before = clustered.workers()
    assert len(before) == 2
    victim = next(each for each in clustered.processes() if PROGRAMS["a worker"] in " ".join(each.cmdline()))
    helpers = {each.pid for each in victim.children(recursive=True)}
    assert helpers
    os.kill(victim.pid, signal.SIGKILL)
    clustered.wait_for(r"worker-\d ended \(signal SIGKILL\); starting it again in")
    wait_until(lambda: len(clustered.workers() - before) == 1, RESTART_SECONDS, "a new worker answers")
    wait_until(lambda: len(clustered.workers()) == 2, RESTART_SECONDS, "two workers answer")
    assert len(clustered.workers() & before) == 1
    wait_until(
        lambda: helpers.isdisjoint(each.pid for each in clustered.processes()), 10.0, "the dead worker's helper ends"
    )
    wait_until(
        lambda: {worker["nn_id"] for worker in clustered.client.status()["workers"]} == {nn_id},
        RESTART_SECONDS,
        "the new worker serves the active network",
    )
    assert answer(clustered, "predict1.sh")["message"] == nn_id


def test_a_worker_that_is_killed_during_200_concurrent_predictions_loses_none(clustered: Service) -> None:
    assert answer(clustered, "set_weights1.sh")["status"] is True
    wait_until(lambda: len(clustered.workers()) == 2, RESTART_SECONDS, "two workers answer")
    victim = next(each for each in clustered.processes() if PROGRAMS["a worker"] in " ".join(each.cmdline()))
    url, answered, lock = f"{clustered.url}/predict", [], threading.Lock()
    some_answered = threading.Event()

    def ask(number: int) -> None:
        for turn in range(ASKED_BY_EACH):
            vector = [number / CLIENTS, turn / ASKED_BY_EACH]
            response = requests.post(url, json={"vector": vector}, timeout=60)
            with lock:
                answered.append((vector, response.status_code, response.json()))
                if len(answered) >= CLIENTS // 2:
                    some_answered.set()

    def act(number: int) -> None:
        if number < CLIENTS:
            ask(number)
        else:
            # The worker takes its batches and answers none; then it dies with them.
            assert some_answered.wait(JOIN_SECONDS)
            os.kill(victim.pid, signal.SIGKILL)

    os.kill(victim.pid, signal.SIGSTOP)
    try:
        at_once(CLIENTS + 1, act)
    finally:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    assert len(answered) == CLIENTS * ASKED_BY_EACH
    for vector, status, body in answered:
        assert (status, body["status"]) == (200, True), body
        assert body["result"] == pytest.approx(sum(vector), abs=0.01)
    clustered.wait_for(r"worker-\d ended \(signal SIGKILL\); starting it again in")
    wait_until(lambda: len(clustered.workers()) == 2, RESTART_SECONDS, "two workers answer again")


def test_a_gateway_that_is_killed_is_started_again_and_serves(clustered: Service) -> None:
    assert answer(clustered, "set_weights2.sh")["status"] is True
    before = gateways(clustered)
    master = next(each for each in before.values() if each.ppid() not in before)
    os.kill(master.pid, signal.SIGKILL)
    clustered.wait_for(r"gateway ended \(signal SIGKILL\); starting it again in")

    def serves_again() -> bool:
        now = gateways(clustered)
        return bool(now) and before.keys().isdisjoint(now) and len(clustered.workers()) == 2

    wait_until(serves_again, RESTART_SECONDS, "a new gateway, and nothing of the old one")
    predicted = answer(clustered, "predict2.sh")
    assert (predicted["status"], predicted["message"]) == (True, samples()[1].nn_id)


def gateways(service: Service) -> dict[int, psutil.Process]:
    """The gateway's processes by their ids: the master and its children."""
    found = {}
    for each in service.processes():
        with suppress(psutil.Error):
            if PROGRAMS["the gateway"] in " ".join(each.cmdline()):
                found[each.pid] = each
    return found


@dataclass(frozen=True)
class Stopped:
    """What Ctrl-C left of the first cluster, and where it listened."""

    ending: str
    left: list[str]
    ports: list[int]


@pytest.fixture(scope="module")
def stopped(clustered: Service) -> Stopped:
    """The first cluster after its last upload and Ctrl-C; tests of the running one stand above."""
    assert answer(clustered, "set_weights3.sh")["status"] is True
    amqp = clustered.wait_for(r"amqp://guest:guest@127.0.0.1:(\d+)//")[1]
    ports = [int(clustered.url.rpartition(":")[2]), int(amqp)]
    return Stopped(clustered.press_ctrl_c(), clustered.command_lines(), ports)


def test_ctrl_c_leaves_no_process_and_no_port(stopped: Stopped) -> None:
    assert stopped.ending == "exit status 0"
    assert stopped.left == []
    for port in stopped.ports:
        assert Bind("127.0.0.1", port).claim().port == port


def test_a_second_start_brings_the_active_network_back(stopped: Stopped, directory: Path) -> None:
    service = cluster(directory, workers=1)
    try:
        service.start()
        assert f"the default network is {samples()[2].nn_id}\n" in service.output
        assert answer(service, "predict2.sh")["message"] == samples()[2].nn_id
        assert [worker["nn_id"] for worker in service.client.status()["workers"]] == [samples()[2].nn_id]
        assert service.terminate() == "exit status 0"
        assert service.command_lines() == []
    finally:
        service.stop()


def test_with_a_broker_of_the_users_own_it_starts_none(tmp_path: Path) -> None:
    node = PrivateNode(tmp_path / "broker")
    node.start()
    try:
        node.wait_ready()
        service = cluster(tmp_path, workers=1, BROKER_URL=node.url)
        try:
            service.start()
            assert "RabbitMQ" not in service.output
            assert not (service.data_dir / "rabbitmq").exists()
            found = running(service)
            assert (found["RabbitMQ"], found["its port mapper"]) == (0, 0)
            assert answer(service, "predict1.sh")["status"] is True
            assert service.press_ctrl_c() == "exit status 0"
        finally:
            service.stop()
        assert node.answers()
    finally:
        node.stop()


@pytest.mark.parametrize(
    ("flags", "settings", "says"),
    [
        (("--data-dir", "/dev/null/var"), {}, "cannot write to the data directory /dev/null/var"),
        (("--bind", "nowhere"), {}, "is no address to listen on"),
        ((), {"PIPELINE_WORKERS": "some"}, "PIPELINE_WORKERS"),
        ((), {"PIPELINE_AMQP_PORT": "70000"}, "PIPELINE_AMQP_PORT"),
        ((), {"PIPELINE_GATEWAY_PROCESSES": "0"}, "PIPELINE_GATEWAY_PROCESSES"),
        ((), {"PIPELINE_REQUEST_TIMEOUT": "soon"}, "PIPELINE_REQUEST_TIMEOUT"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_one_line(
    tmp_path: Path, flags: tuple[str, ...], settings: dict[str, str], says: str
) -> None:
    assert says in failed_start(tmp_path, *flags, **settings)


def test_a_taken_amqp_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = failed_start(tmp_path, "--amqp-port", str(port))
    assert f"127.0.0.1:{port} is taken by another program; choose another port for RabbitMQ with --amqp-port" in said


def failed_start(tmp_path: Path, *flags: str, **settings: str) -> str:
    """The one line of a start that fails at once."""
    script = ROOT / "scripts" / "cluster"
    here = ("--bind", "127.0.0.1:0", "--data-dir", str(tmp_path / "var"))
    done = run(script, *here, *flags, cwd=tmp_path, env=user_environment(**settings))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("cluster: ")
    return done.stderr
