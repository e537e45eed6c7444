"""A private RabbitMQ node, for real: it answers on loopback only, beside others, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from kombu import Connection, Queue

from inference.supervision import rabbitmq
from inference.supervision.addresses import free_ports
from inference.supervision.errors import BindError
from inference.supervision.rabbitmq import PrivateNode
from tests.support.requirement import require
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def _rabbitmq_is_installed() -> None:
    require(rabbitmq.installed(), "rabbitmq-server")


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., PrivateNode]]:
    nodes: list[PrivateNode] = []

    def make(name: str, port: int = 0) -> PrivateNode:
        nodes.append(PrivateNode(tmp_path / name, port))
        return nodes[-1]

    yield make
    for node in nodes:
        node.stop()


def processes_under(directory: Path) -> list[int]:
    """The ids of live processes whose environment names the directory: what a node started, however far down."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            named = str(directory) in str(process.environ())
            if named and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def listening_addresses(pids: list[int]) -> set[str]:
    """The local IP addresses on which these processes listen for TCP, as /proc names them."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(link.readlink())
            except OSError:
                continue
            inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in inodes:
                addresses.add(columns[1].rpartition(":")[0])
    return addresses


def test_two_nodes_at_once_do_not_meet_listen_on_loopback_only_and_leave_nothing(
    make_node: Callable[..., PrivateNode], tmp_path: Path
) -> None:
    one, other = make_node("one"), make_node("other")
    one.start()
    other.start()
    one.wait_ready()
    other.wait_ready()
    assert one.port != other.port
    with Connection(one.url) as connection:
        Queue("only-here", durable=False, auto_delete=True, channel=connection.default_channel).declare()
        with Connection(other.url) as elsewhere, pytest.raises(elsewhere.channel_errors, match="NOT_FOUND"):
            Queue("only-here", channel=elsewhere.default_channel).queue_declare(passive=True)
    assert listening_addresses(processes_under(tmp_path)) <= {"0100007F", "00000000000000000000000001000000"}
    assert listening_addresses(processes_under(tmp_path / "one"))
    one.stop()
    wait_until(lambda: processes_under(tmp_path / "one") == [])
    assert other.answers()
    other.stop()
    wait_until(lambda: processes_under(tmp_path) == [])


#: Erlang's logs on the disk keep back what is written for two seconds.
KEPT_BACK_SECONDS = 3.0


def is_written(folder: Path, name: bytes) -> bool:
    """Whether the broker's own database has it, and nothing more has come to that since; a queue's folder has its name
    sooner.
    """
    files = [each for each in folder.rglob("*") if "queues" not in each.parts]
    for file in files:
        with suppress(OSError):  # it has gone meanwhile, or is none
            if name in file.read_bytes():
                return time.time() - file.stat().st_mtime > KEPT_BACK_SECONDS
    return False


def test_a_killed_node_comes_back_with_its_port_and_its_durable_queues(make_node: Callable[..., PrivateNode]) -> None:
    node = make_node("node")
    node.start()
    node.wait_ready()
    url = node.url
    with Connection(url) as connection:
        Queue("a durable queue", durable=True, channel=connection.default_channel).declare()
    # RabbitMQ answers before it has written it: killed that soon, it forgets.
    wait_until(lambda: is_written(node.directory, b"a durable queue"), 20.0, "the queue is on the disk")
    node.kill()
    assert not node.alive()
    assert not node.answers()
    assert node.ending() == "signal SIGKILL"
    node.start()
    node.wait_ready()
    assert node.url == url
    with Connection(url) as connection:
        assert (
            Queue("a durable queue", channel=connection.default_channel).queue_declare(passive=True).message_count == 0
        )


def test_a_taken_port_is_said_before_anything_starts(make_node: Callable[..., PrivateNode]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        node = make_node("node", server.getsockname()[1])
        with pytest.raises(BindError, match="is taken by another program"):
            node.start()
    assert not node.alive()


def test_a_node_does_not_outlive_the_process_that_started_it(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    program = (
        "import sys, time, pathlib\n"
        "from inference.supervision.rabbitmq import PrivateNode\n"
        f"node = PrivateNode(pathlib.Path({str(tmp_path / 'node')!r}), {port})\n"
        "node.start(); node.wait_ready(); print('ready', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
        assert processes_under(tmp_path)
        starter.kill()
        wait_until(lambda: processes_under(tmp_path) == [])
