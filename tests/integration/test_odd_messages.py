"""Messages that Pipeline never sends: each is logged and dropped, and everybody goes on."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection, Exchange, Producer

from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until
from workers.protocol import PREDICT_QUEUE, PREDICT_TASK, SUPPLY_QUEUE

TASK = {"lang": "py", "task": PREDICT_TASK, "argsrepr": "", "kwargsrepr": ""}
BODY = [[{}], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
ODD_TASKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "a list as body": ([], TASK),
    "an object as body": ({}, TASK),
    "a text as body": ("x", TASK),
    "no arguments": ([[], {}, {}], TASK),
    "arguments of another kind": ([[1, 2, 3], {"a": 1}, {}], TASK),
    "an empty batch": (BODY, TASK),
    "a time limit of text": (BODY, TASK | {"timelimit": "abc"}),
    "an eta that is no time": (BODY, TASK | {"eta": "tomorrow"}),
    "an expiry that is no time": (BODY, TASK | {"expires": "never"}),
    "an unknown compression": (BODY, TASK | {"compression": "bogus"}),
    "another task": (BODY, TASK | {"task": "os.system"}),
    "no task": (BODY, {}),
    "protocol 1": ({"task": PREDICT_TASK, "id": "1", "args": 5, "kwargs": 7}, {}),
}
ODD_QUESTIONS: list[tuple[Any, dict[str, Any]]] = [
    ({"digest": "../../etc/passwd", "offset": 0}, {}),
    ({"digest": "0" * 64, "offset": -1}, {}),
    ([1, 2], {}),
    ("x", {}),
    ({}, {"compression": "bogus"}),
]
ODD_COMMANDS: list[Any] = [
    {"method": "load_network", "arguments": {}, "destination": None},
    {"method": "load_network", "arguments": {"version": 1, "reply_to": 2, "ticket": 3}, "destination": None},
    {"method": "report_status", "arguments": {"default": "x", "reply_to": None, "ticket": None}, "destination": None},
    {"method": "no_such_command", "arguments": {}, "destination": None},
    {"arguments": {}},
    [],
    "x",
]


@pytest.fixture(autouse=True)
def _first_network(system: System) -> None:
    first = samples()[0]
    assert system.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())["status"] is True


def send(system: System, body: Any, exchange: str, routing_key: str, **options: Any) -> None:
    with Connection(system.environment["BROKER_URL"]) as connection:
        producer = Producer(connection.channel(), auto_declare=False)
        producer.publish(body, exchange=exchange, routing_key=routing_key, retry=False, **options)


def assert_all_go_on(system: System, pids: list[int | None]) -> None:
    """The same processes answer as before: nobody died and was replaced."""
    for _ in range(8):
        assert system.client.predict([0.1, 0.2])["status"] is True
    first = samples()[0]
    answer = system.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())
    assert (answer["status"], answer["workers_count"]) == (True, 2)
    assert system.client.status()["queue_requests_max"] == 2 * 256
    assert [worker.pid for worker in system.workers if worker.alive()] == pids


@pytest.mark.parametrize("kind", ODD_TASKS)
def test_an_odd_task_harms_no_worker(system: System, kind: str) -> None:
    pids = [worker.pid for worker in system.workers]
    body, headers = ODD_TASKS[kind]
    for _ in range(4):
        identity = uuid4().hex
        send(system, body, "", PREDICT_QUEUE, headers=headers | {"id": identity} if headers else {},
             correlation_id=identity, serializer="json")  # fmt: skip
    assert_all_go_on(system, pids)


def test_a_task_in_another_serialization_harms_no_worker(system: System) -> None:
    pids = [worker.pid for worker in system.workers]
    for content_type in ("application/x-python-serialize", "application/x-yaml", "text/plain", "no/such"):
        send(system, b"\x80\x04N.", "", PREDICT_QUEUE, headers=TASK | {"id": "1"},
             content_type=content_type, content_encoding="binary")  # fmt: skip
    assert_all_go_on(system, pids)


def test_odd_questions_harm_no_gateway(system: System) -> None:
    pids = [worker.pid for worker in system.workers]
    for body, headers in ODD_QUESTIONS:
        for _ in range(4):
            send(system, body, "", SUPPLY_QUEUE, headers=headers, serializer="json", reply_to="nowhere")
            send(system, body, "gateways", "", headers=headers, serializer="json", reply_to="nowhere")
            send(system, body, "gateways", "", headers=headers, serializer="json")
    assert_all_go_on(system, pids)


def test_odd_commands_harm_no_worker(system: System) -> None:
    pids = [worker.pid for worker in system.workers]
    with Connection(system.environment["BROKER_URL"]) as connection:
        Exchange("celery.pidbox", "fanout", durable=False, channel=connection.channel()).declare()
    for command in ODD_COMMANDS:
        send(system, command, "celery.pidbox", "", serializer="json")
    wait_until(lambda: system.workers_count() == 2, 60, "both workers answer")
    assert_all_go_on(system, pids)
