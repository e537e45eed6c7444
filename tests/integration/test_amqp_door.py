"""Programs that have the broker and Celery's client, in Python and JavaScript, ask over AMQP and are answered."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import requests
from celery import Celery
from celery.result import AsyncResult
from kombu import Connection, Consumer, Producer, Queue

from inference.amqp_door.door import PREFETCH
from tests.support.celery_client import celery_client
from tests.support.memory import family
from tests.support.node_client import ask_by_node
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until

SECONDS = 60.0
TOLERANCE = 1e-6
ROW = [0.1, 0.2]


@pytest.fixture(autouse=True, scope="module")
def _networks(system: System) -> None:
    for sample in reversed(samples()):
        assert system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())["status"] is True


@pytest.fixture
def client(system: System) -> Iterator[Celery]:
    with celery_client(system.environment["BROKER_URL"]) as app:
        yield app


def send(client: Celery, *arguments: Any, expires: Any = None, **named: Any) -> AsyncResult[Any]:
    return client.send_task("pipeline.predict", list(arguments), named, queue="pipeline", expires=expires)


def asked(client: Celery, *arguments: Any, **named: Any) -> Any:
    return send(client, *arguments, **named).get(timeout=SECONDS)


def expected(network: int, rows: list[list[float]]) -> list[float]:
    answers: list[float] = samples()[network].answers(np.array(rows)).tolist()
    return answers


def refused(client: Celery, *arguments: Any, **named: Any) -> tuple[str, str]:
    """The error's class and message."""
    with pytest.raises(Exception) as raised:
        asked(client, *arguments, **named)
    return type(raised.value).__name__, str(raised.value)


def test_a_celery_client_gets_the_default_networks_answers(client: Celery) -> None:
    rows = [ROW, [0.3, 0.7]]
    answer = asked(client, None, rows)

    assert (answer["network"], answer["version"]) == (samples()[0].nn_id, 1)
    assert np.ravel(answer["result"]) == pytest.approx(expected(0, rows), abs=TOLERANCE)
    assert asked(client, vector=ROW)["result"] == pytest.approx(expected(0, [ROW])[0], abs=TOLERANCE)


def test_tensors_are_answered_with_tensors(client: Celery) -> None:
    rows = [ROW, [0.3, 0.7]]
    tensor = {"name": "numbers", "datatype": "FP32", "shape": [2, 2], "data": np.ravel(rows).tolist()}
    (output,) = asked(client, inputs=[tensor])["outputs"]

    assert (output["name"], output["datatype"], output["shape"]) == ("sum", "FP32", [2, 1])
    assert output["data"] == pytest.approx(expected(0, rows), abs=TOLERANCE)


def test_a_network_and_its_version_are_asked_by_place_and_by_name(client: Celery) -> None:
    second = samples()[1]
    by_place = asked(client, second.nn_id, [ROW], 1)
    by_name = asked(client, data=[ROW], version=1, network=second.nn_id)

    assert by_place == by_name
    assert (by_place["network"], by_place["version"]) == (second.nn_id, 1)
    assert np.ravel(by_place["result"]) == pytest.approx(expected(1, [ROW]), abs=TOLERANCE)


def test_errors_reach_a_celery_client_as_exceptions_of_one_line(client: Celery) -> None:
    kind, said = refused(client, None, [[1.0, 2.0, 3.0]])
    assert (kind, "RowsError: the network takes rows of shape (2,)" in said) == ("PredictionFailedError", True)
    assert "\n" not in said

    assert refused(client, "f" * 32, [ROW])[0] == "NotFoundError"
    assert refused(client, version=7, data=[ROW])[0] == "NotFoundError"
    assert refused(client) == (
        "BadInputError",
        "pipeline.predict takes one of vector (one row), data (a list of rows) and inputs (a list of tensors)",
    )
    assert refused(client, None, [ROW], colour="red")[0] == "BadInputError"


def test_another_task_is_answered_with_an_error(client: Celery) -> None:
    result = client.send_task("workers.tasks.predict", [[ROW]], queue="pipeline")

    with pytest.raises(
        Exception, match=r"the task is 'workers.tasks.predict'; this queue takes pipeline.predict alone"
    ):
        result.get(timeout=SECONDS)


def counted(system: System) -> int:
    """How many tasks have been answered with 200, as HTTP has it."""
    metrics = requests.get(f"{system.url}/metrics", timeout=30).text
    found = re.search(r'requests_total\{endpoint="amqp pipeline.predict",method="POST",status="200"\} (\d+)', metrics)
    return int(found[1]) if found else 0


def test_200_at_once_each_get_their_own_answer(client: Celery, system: System) -> None:
    rows = np.random.default_rng(5).random((200, 2)).tolist()
    results = [send(client, vector=row) for row in rows]

    assert [each.get(timeout=SECONDS)["result"] for each in results] == pytest.approx(expected(0, rows), abs=TOLERANCE)
    wait_until(lambda: counted(system) >= 200, SECONDS, "all are counted")
    assert system.query("PredictionTiming.objects.filter(door='amqp', outcome='answered').count()") >= 200


def test_a_client_says_how_long_it_waits(client: Celery) -> None:
    assert asked(client, vector=ROW, expires=30)["version"] == 1

    over = client.send_task("pipeline.predict", [None, [ROW]], queue="pipeline", time_limit=-1)
    with pytest.raises(Exception, match="the task had expired when it was taken"):
        over.get(timeout=SECONDS)


def test_a_gateway_that_is_killed_leaves_its_tasks_to_another_one(client: Celery, system: System) -> None:
    system.add_gateway(PIPELINE_GATEWAY_PROCESSES="1")
    victim = system.more_gateways[-1]
    assert victim.pid
    for pid in family(victim.pid):
        os.kill(pid, signal.SIGSTOP)  # the broker gives it its share, and it does nothing with that
    rows = np.random.default_rng(6).random((300, 2)).tolist()
    results = [send(client, vector=row) for row in rows]
    wait_until(
        lambda: sum(each.ready() for each in results) == len(rows) - PREFETCH, SECONDS, "the others are answered"
    )
    victim.kill()

    assert [each.get(timeout=SECONDS)["result"] for each in results] == pytest.approx(expected(0, rows), abs=TOLERANCE)


def test_a_gateway_that_is_restarted_leaves_no_task_unanswered(client: Celery, system: System) -> None:
    rows = np.random.default_rng(8).random((300, 2)).tolist()
    results = [send(client, vector=row) for row in rows]
    system.restart_gateway()

    assert [each.get(timeout=SECONDS)["result"] for each in results] == pytest.approx(expected(0, rows), abs=TOLERANCE)
    assert "Lost the broker" not in system.gateway.log.read_text()


def test_celery_node_gets_answers_and_errors(system: System) -> None:
    second = samples()[1].nn_id
    tasks: list[tuple[list[Any], dict[str, Any]]] = [
        ([None, [ROW]], {}),
        ([], {"network": second, "vector": ROW}),
        ([None, [[1.0]]], {}),
        ([], {}),
    ]
    first, named, rows_error, nothing = ask_by_node(system.environment["BROKER_URL"], "pipeline", tasks)

    assert first["result"]["network"] == samples()[0].nn_id
    assert np.ravel(first["result"]["result"]) == pytest.approx(expected(0, [ROW]), abs=TOLERANCE)
    assert named["result"]["result"] == pytest.approx(expected(1, [ROW])[0], abs=TOLERANCE)
    assert (rows_error["status"], rows_error["exc_type"]) == ("FAILURE", "PredictionFailedError")
    assert nothing["exc_message"] == [
        "pipeline.predict takes one of vector (one row), data (a list of rows) and inputs (a list of tensors)"
    ]


class Stranger:
    """Sends whatever, and hears what is said to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.channel: Any = connection.channel()
        self.queue = Queue(f"stranger.{uuid4().hex}", exclusive=True, auto_delete=True)
        self.queue(self.channel).declare()
        self._heard: list[Any] = []
        consumer = Consumer(self.channel, [self.queue], no_ack=True, on_message=self._heard.append)
        consumer.consume()

    def send(self, body: bytes, headers: dict[str, Any], **properties: Any) -> None:
        said = {"content_type": "application/json", "content_encoding": "utf-8", "reply_to": self.queue.name}
        producer = Producer(self.channel, auto_declare=False)
        producer.publish(body, exchange="", routing_key="pipeline", headers=headers, **(said | properties))

    def hear(self) -> Any:
        while not self._heard:
            self._connection.drain_events(timeout=SECONDS)
        return json.loads(self._heard.pop(0).body)


TASK = {"task": "pipeline.predict", "id": "1"}


def test_what_cannot_be_read_is_answered_and_harms_nobody(client: Celery, system: System) -> None:
    odd: list[tuple[bytes, dict[str, Any], dict[str, Any]]] = [
        (b"no JSON", TASK, {}),
        (b"{}", TASK, {}),
        (b"[[], {}, {}]", {}, {}),
        (b"[[], {}, {}]", TASK, {"content_type": "application/x-python-serialize"}),
        (b"\xff\xfe", TASK, {}),
        (b"[[], {}, {}]", TASK | {"compression": "application/x-gzip"}, {}),
        (b"[[], {}, {}]", TASK | {"timelimit": "soon"}, {}),
        (b"[" * 100_000, TASK, {}),
    ]
    with Connection(system.environment["BROKER_URL"]) as connection:
        stranger = Stranger(connection)
        for body, headers, properties in odd:
            stranger.send(body, headers, **properties)
            answer = stranger.hear()
            assert answer["status"] == "FAILURE"
            assert answer["result"]["exc_type"] in ("RefusedError", "BadInputError")
            assert answer["traceback"] is None
        for address in ("pipeline", "predict", "supply", "", "nowhere", "amq.gen"):  # answers are read by nobody there
            stranger.send(b"{}", TASK, reply_to=address)
    assert asked(client, vector=ROW)["version"] == 1
    assert "Lost the broker" not in system.gateway.log.read_text()


def test_a_queue_that_was_declared_otherwise_harms_nobody(client: Celery, system: System) -> None:
    identity = str(uuid4())
    with Connection(system.environment["BROKER_URL"]) as connection:
        channel: Any = connection.channel()
        channel.queue_declare(identity.replace("-", ""), durable=False, auto_delete=False)
        stranger = Stranger(connection)
        stranger.send(b"[[null, [[0.1, 0.2]]], {}, {}]", TASK | {"id": identity}, reply_to="")

        message = wait_until(
            lambda: channel.basic_get(identity.replace("-", ""), no_ack=True), SECONDS, "it is answered"
        )
        assert json.loads(message.body)["status"] == "SUCCESS"
    assert asked(client, vector=ROW)["version"] == 1
    assert "Lost the broker" not in system.gateway.log.read_text()
