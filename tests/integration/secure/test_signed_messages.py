"""With a key, what is unsigned, altered or sent a second time changes no weights, and everybody says what to do."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.message import Message

from inference.supervision.processes import Child
from tests.integration.secure.conftest import SecureBroker
from tests.support.broker_users import PASSWORD
from tests.support.celery_client import celery_client
from tests.support.node_client import ask_by_node
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until
from workers.messages.protocol import LOAD_COMMAND, PREDICT_QUEUE, PREDICT_TASK, SUPPLY_QUEUE
from workers.messages.signing import SIGNATURE

SECONDS = 120.0
COMMANDS = Exchange("celery.pidbox", "fanout", durable=False)
OTHER_KEY = "c9a7f4d0c1e94bb0a9d3f5ad4d7a64ef"


class Stranger:
    """Somebody who can send to the broker and read from it, and has no key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        channel: Any = connection.channel()
        self._producer = Producer(channel, auto_declare=False)
        self.queue = Queue(f"stranger.{uuid4().hex}", COMMANDS, exclusive=True, auto_delete=True)
        self.queue(channel).declare()
        self._heard: list[Message] = []
        consumer = Consumer(channel, [self.queue], no_ack=True, accept=["json"], on_message=self._heard.append)
        consumer.consume()

    def hear(self) -> Message:
        """The next message, by whoever."""
        while not self._heard:
            self._connection.drain_events(timeout=SECONDS)
        return self._heard.pop(0)

    def hear_command(self, method: str) -> Message:
        """The next command of that name to all workers."""
        while True:
            message = self.hear()
            if message.delivery_info["exchange"] == COMMANDS.name and json.loads(message.body)["method"] == method:
                return message

    def hear_answer(self) -> Any:
        """What the next message says that is sent to the stranger alone."""
        while True:
            message = self.hear()
            if not message.delivery_info["exchange"]:
                return json.loads(message.body)

    def send(self, body: Any, queue: str = "", exchange: str = "", **options: Any) -> None:
        """Send something, as JSON if it is no bytes."""
        form = {} if isinstance(body, bytes) else {"serializer": "json"}
        self._producer.publish(body, exchange=exchange, routing_key=queue, retry=False, **{**form, **options})

    def repeat(self, message: Message, body: str | None = None, **headers: Any) -> None:
        """Send a command again as it came, with its signature, or with something else in it."""
        self.send(
            (message.body if body is None else body).encode(),
            exchange=COMMANDS.name,
            headers={name: value for name, value in (message.headers | headers).items() if value is not None},
            content_type=message.content_type,
            content_encoding=message.content_encoding,
        )


@pytest.fixture
def stranger(broker: SecureBroker) -> Iterator[Stranger]:
    with Connection(broker.node.url, transport="pyamqp") as connection:
        yield Stranger(connection)


def switch(system: System) -> dict[str, Any]:
    first = samples()[0]
    return system.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())


def refused_by(system: System, metric: str) -> dict[str, float]:
    text = requests.get(f"{system.url}/metrics", timeout=30).text
    return {labels: float(value) for labels, value in re.findall(rf"^{metric}(\S*) (\S+)$", text, re.MULTILINE)}


def workers_refused(system: System) -> list[float]:
    return sorted(refused_by(system, "pipeline_worker_messages_refused_total").values())


@contextmanager
def every_worker_refuses(system: System, said: str, messages: int = 1) -> Iterator[None]:
    """Both workers count what is sent in this block, and say why, and go on."""
    before = workers_refused(system)
    ends = [log.log.stat().st_size for log in system.workers]
    yield
    expected = [count + messages for count in before]
    wait_until(lambda: workers_refused(system) == expected, SECONDS, "both workers refuse the message")
    for worker, end in zip(system.workers, ends, strict=True):
        new = worker.log.read_text()[end:]
        assert new.count("Refused a message") == messages, new
        assert said in new
    assert system.client.predict([0.1, 0.2])["status"] is True


def test_a_recorded_weight_change_is_refused_by_every_worker(secure: System, stranger: Stranger) -> None:
    assert switch(secure)["status"] is True
    recorded = stranger.hear_command(LOAD_COMMAND)
    assert len(recorded.headers[SIGNATURE]) == 64

    with every_worker_refuses(secure, "no gateway waits for it, so it was sent before, and is a replay"):
        stranger.repeat(recorded)


def test_a_recorded_weight_change_of_a_gateway_that_has_gone_is_refused(secure: System, stranger: Stranger) -> None:
    assert switch(secure)["status"] is True
    recorded = stranger.hear_command(LOAD_COMMAND)
    secure.restart_gateway()
    secure.wait_for_workers(2)

    with every_worker_refuses(secure, "the gateway that is said to wait for it is asked, and no gateway answered"):
        stranger.repeat(recorded)


def test_an_unsigned_or_altered_weight_change_is_refused_by_every_worker(secure: System, stranger: Stranger) -> None:
    assert switch(secure)["status"] is True
    recorded = stranger.hear_command(LOAD_COMMAND)

    with every_worker_refuses(secure, "it is not signed, and this process has a key; give every gateway and worker"):
        stranger.repeat(recorded, **{SIGNATURE: None})
    with every_worker_refuses(secure, "its signature does not fit: it was altered, or the keys differ"):
        stranger.repeat(recorded, recorded.body.replace('"number": ', '"number": 1'))
    with every_worker_refuses(secure, "its signature does not fit"):
        stranger.repeat(recorded, more="of it")


def test_a_weight_change_while_strangers_send_succeeds(secure: System, stranger: Stranger) -> None:
    for _ in range(50):
        stranger.send({"method": "shutdown", "arguments": {}}, exchange=COMMANDS.name)

    answer = switch(secure)

    assert (answer["status"], answer["workers_count"]) == (True, 2)


def test_an_unsigned_batch_is_answered_with_an_error_that_says_why(secure: System, stranger: Stranger) -> None:
    identity = uuid4().hex
    headers = {"lang": "py", "task": PREDICT_TASK, "id": identity}
    stranger.send([[{}], {}, {}], PREDICT_QUEUE, headers=headers, correlation_id=identity, reply_to=stranger.queue.name)

    answer = stranger.hear_answer()

    assert (answer["task_id"], answer["status"]) == (identity, "FAILURE")
    assert "it is not signed, and this process has a key" in answer["traceback"]


def test_an_unsigned_question_is_told_nothing(secure: System, stranger: Stranger) -> None:
    before = refused_by(secure, "pipeline_messages_refused_total")[""]
    stranger.send({}, SUPPLY_QUEUE, reply_to=stranger.queue.name, correlation_id="1")

    assert stranger.hear_answer() == {"versions": []}
    wait_until(
        lambda: refused_by(secure, "pipeline_messages_refused_total")[""] == before + 1, SECONDS, "it is counted"
    )
    assert "Refused a message to 'supply': it is not signed" in secure.gateway.log.read_text()


def ask(stranger: Stranger, **headers: Any) -> None:
    """Send the door for clients a row."""
    told = {"lang": "py", "task": "pipeline.predict", "id": uuid4().hex, **headers}
    row = [[None, [[0.1, 0.2]]], {}, {}]
    stranger.send(row, "pipeline", headers=told, reply_to=stranger.queue.name, correlation_id="7")


def test_clients_ask_and_are_answered_without_a_key(secure: System, stranger: Stranger) -> None:
    for headers in ({}, {"signature": "made up"}):  # at which nobody looks
        ask(stranger, **headers)
        assert stranger.hear_answer()["status"] == "SUCCESS"


def test_what_is_sent_to_the_door_for_clients_is_believed_nowhere_else(secure: System, stranger: Stranger) -> None:
    # The broker delivers it to these queues, too, and says there that it was sent to `pipeline`.
    ask(stranger, CC=["predict", "supply"])
    answers = {answer.get("status"): answer for answer in [stranger.hear_answer() for _ in range(3)]}

    assert answers["SUCCESS"]["result"]["version"]
    assert "it is not signed, and this process has a key" in answers["FAILURE"]["traceback"]
    assert answers[None] == {"versions": []}


def test_an_answer_to_a_client_is_not_believed_by_a_worker(secure: System, stranger: Stranger) -> None:
    before = sum(workers_refused(secure))
    told = {"task": "pipeline.predict", "id": "1"}
    stranger.send([[None, [[0.1, 0.2]]], {}, {}], "pipeline", headers=told, reply_to=PREDICT_QUEUE)

    wait_until(lambda: sum(workers_refused(secure)) > before, SECONDS, "a worker refuses it")


def test_a_user_who_may_do_nothing_else_asks(secure: System, broker: SecureBroker) -> None:
    address = broker.node.url.replace("guest:guest", f"client:{quote(PASSWORD)}")
    # As in a program without anything of Pipeline: this one's `amqp://` signs and verifies.
    with celery_client(address.replace("amqp", "pyamqp", 1)) as app:
        queue = Queue("pipeline", no_declare=True)
        result = app.send_task("pipeline.predict", [None, [[0.1, 0.2]]], queue=queue)
        assert result.get(timeout=SECONDS)["version"]
    (answer,) = ask_by_node(address, "pipeline", [([None, [[0.1, 0.2]]], {})])
    assert answer["result"]["version"]


@contextmanager
def one_more_worker(system: System, **environment: str) -> Iterator[Child]:
    worker = system.add_worker(**environment)
    try:
        yield worker
    finally:
        worker.stop()
        system.workers.remove(worker)


def test_workers_without_the_right_key_take_no_batches_and_say_why(secure: System) -> None:
    same = "give every gateway and worker the same PIPELINE_MESSAGE_KEY"
    said = {"": f"it is signed, and this process has no key; {same}", OTHER_KEY: f"or the keys differ; {same}"}
    with ExitStack() as stack:
        workers = {key: stack.enter_context(one_more_worker(secure, PIPELINE_MESSAGE_KEY=key)) for key in said}
        for key, worker in workers.items():
            told = wait_until(lambda worker=worker: told_at_start(worker), SECONDS, "the worker says that it waits")
            assert said[key] in told
        for _ in range(8):
            assert secure.client.predict([0.1, 0.2])["status"] is True
        assert secure.workers_count() == 2


def told_at_start(worker: Child) -> str:
    """The line that a worker which takes no batches has in its log, once it has."""
    new = worker.log.read_bytes()[worker.log_start :].decode()
    return next((line for line in new.splitlines() if "Taking no batches" in line), "")


def test_a_gateway_with_another_key_says_so_and_one_with_both_keys_serves(secure: System) -> None:
    key = secure.environment["PIPELINE_MESSAGE_KEY"]
    try:
        restart_with(secure, OTHER_KEY)
        answer = secure.post("/predict?", {"vector": [0.1, 0.2]}).json()
        assert answer["status"] is False
        trace = told_by(answer)
        assert "PIPELINE_MESSAGE_KEY" in trace, trace
        restart_with(secure, f"{key},{OTHER_KEY}")
        secure.wait_for_workers(2)
        assert secure.client.predict([0.1, 0.2])["status"] is True
    finally:
        restart_with(secure, key)
        secure.wait_for_workers(2)


def restart_with(system: System, key: str) -> None:
    system.gateway.stop()
    system.change_gateway(PIPELINE_MESSAGE_KEY=key)
    system.gateway.start()
    wait_until(lambda: system.workers_count() is not None, SECONDS, "the gateway answers")


def told_by(answer: dict[str, Any]) -> str:
    return base64.b64decode(answer["message"]).decode()
