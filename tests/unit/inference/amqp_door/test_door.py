"""The door on the in-process broker, with a gateway that only pretends to predict."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import orjson
import pytest
from kombu import Connection, Queue

from inference.access import failures, requirement
from inference.access.keys import digest_of
from inference.access.known_token import KnownToken
from inference.access.known_tokens import KnownTokens
from inference.access.rights import PREDICT, STATUS
from inference.amqp_door import door as door_module
from inference.amqp_door.door import AmqpDoor
from inference.errors import NotFoundError
from inference.http import throttle
from inference.monitoring import observations
from tests.unit.inference.dispatch.test_predictions import answer_of
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.reply_queue import ReplyQueue
from workers.celery import app
from workers.messages.refusals import RefusedError, refusals

ROW = {"vector": [0.1, 0.2]}


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Asked:
    """A client of the door."""

    def __init__(self, queue: str, connection: Connection) -> None:
        self._queue = queue
        self._channel: Any = connection.channel()
        self.replies = ReplyQueue(connection)

    def send(self, body: Any, headers: dict[str, Any] | None = None, **properties: Any) -> None:
        said = {"reply_to": self.replies.name, "correlation_id": "7", **properties}
        content = body if isinstance(body, bytes) else orjson.dumps([[], body, {}])
        headers = {"task": "pipeline.predict", "id": "7", **(headers or {})}
        message = self._channel.prepare_message(content, 0, "application/json", "utf-8", headers, said)
        self._channel.basic_publish(message, exchange="", routing_key=self._queue)

    def ask(self, body: Any, headers: dict[str, Any] | None = None, **properties: Any) -> Any:
        self.send(body, headers, **properties)
        ticket, answer = self.replies.next()
        assert ticket == "7"
        return answer


@pytest.fixture
def door(
    monkeypatch: pytest.MonkeyPatch, loop: asyncio.AbstractEventLoop, gateway: PretendedGateway
) -> Iterator[AmqpDoor]:
    gateway.dispatcher.outcome = answer_of(0.75)
    monkeypatch.setattr(door_module, "QUEUE", Queue(f"pipeline.{uuid4().hex}", durable=False))
    monkeypatch.setattr("inference.amqp_door.waker.DRAIN_SECONDS", 0.02)
    observations.predict_requests.clear()
    door = AmqpDoor(loop)
    door.start()
    yield door
    door.stop()


@pytest.fixture
def asked(door: AmqpDoor) -> Iterator[Asked]:
    with app.connection_for_read() as connection:
        Queue(door_module.QUEUE.name, durable=False)(connection.channel()).queue_declare()
        yield Asked(door_module.QUEUE.name, connection)


def reason(answer: Any) -> str:
    assert answer["status"] == "FAILURE"
    return f"{answer['result']['exc_type']}: {answer['result']['exc_message'][0]}"


def test_a_task_is_answered_and_counted(asked: Asked, gateway: PretendedGateway) -> None:
    answer = asked.ask({**ROW, "network": "sum", "version": "stable"}, {"timelimit": [None, 1.5]}, expiration="900000")

    assert (answer["status"], answer["result"]["result"]) == ("SUCCESS", 0.75)
    ((given, seconds),) = gateway.dispatcher.submitted
    assert (given.network, given.version, given.door, given.request_id, seconds) == ("sum", "stable", "amqp", "7", 1.5)
    asked.ask(ROW)
    endpoint, status, _ = observations.predict_requests[0]
    assert (endpoint, status) == ("amqp pipeline.predict", "200")


def test_errors_are_answers(asked: Asked, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = NotFoundError("there is no such network")
    assert reason(asked.ask(ROW)) == "NotFoundError: there is no such network"
    assert reason(asked.ask({})).startswith("BadInputError: ")
    gateway.dispatcher.outcome = None
    assert reason(asked.ask(ROW)).startswith("RequestTimeoutError: ")


def test_a_full_gateway_does_not_read_what_it_refuses(asked: Asked, gateway: PretendedGateway) -> None:
    gateway.dispatcher.admission.full = True

    assert reason(asked.ask(b"no JSON")) == "BusyError: Server is busy"


def test_a_defect_is_answered_and_the_door_goes_on(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(door_module, "read_request", lambda *_: 1 / 0)
        assert reason(asked.ask(ROW)) == "InferenceError: internal error; the log tells more"
    assert asked.ask(ROW)["status"] == "SUCCESS"


def test_what_cannot_be_read_is_counted_and_answered(asked: Asked) -> None:
    before = refusals.count

    assert reason(asked.ask(b"no JSON")).startswith("RefusedError: it is no JSON")
    assert reason(asked.ask(ROW, {"task": "another"})).startswith("RefusedError: the task is 'another'")
    asked.send(b"no JSON", reply_to="")
    assert asked.ask(ROW)["status"] == "SUCCESS"
    assert refusals.count == before + 3


def test_what_the_channel_refuses_is_answered_where_it_says_so(loop: asyncio.AbstractEventLoop) -> None:
    door = AmqpDoor(loop)
    error = RefusedError("it is compressed")
    message: Any = SimpleNamespace(properties={"reply_to": "replies"}, headers={"id": "7"}, errors=[error])

    door._receive_refused(message, error)

    ((task, outcome),) = door._ended
    assert task.to.queue == "replies"
    with pytest.raises(RefusedError, match="it is compressed"):
        outcome()
    door.stop()


def test_a_client_that_polls_finds_its_answer(asked: Asked) -> None:
    identity = str(uuid4())
    asked.send(ROW, {"id": identity}, reply_to="")
    asked.ask(ROW)

    message = asked._channel.basic_get(identity.replace("-", ""), no_ack=True)
    assert message.decode()["task_id"] == identity


@pytest.fixture
def tokens(gateway: PretendedGateway) -> Iterator[None]:
    requirement.listen_at([("192.0.2.1", 80)])
    living = [
        KnownToken(n, right, digest_of(f"may {right}"), frozenset({right})) for n, right in enumerate([PREDICT, STATUS])
    ]
    gateway.tokens = KnownTokens(lambda: living)
    gateway.tokens.refresh()
    for forget in (failures._buckets.cache_clear, throttle._buckets.cache_clear):
        forget()
    yield
    requirement.listen_at([("127.0.0.1", 1)])


def test_where_tokens_are_required_a_header_names_one(tokens: None, asked: Asked) -> None:
    for scheme in ("Token", "Bearer"):
        assert asked.ask(ROW, {"authorization": f"{scheme} may predict"})["status"] == "SUCCESS"
    assert reason(asked.ask(ROW)).startswith("NoTokenError: this needs a token with the right 'predict'")
    assert reason(asked.ask(ROW, {"authorization": "Token made up"})).startswith("NoTokenError: ")
    assert reason(asked.ask(ROW, {"authorization": ["Token may predict"]})).startswith("NoTokenError: ")
    assert reason(asked.ask(b"unread", {"authorization": "Token may status"})).startswith("NoRightError: ")


def test_a_door_without_a_broker_ends_at_once(loop: asyncio.AbstractEventLoop) -> None:
    door = AmqpDoor(loop)
    door._held.add(door_module.Task(SimpleNamespace(), SimpleNamespace(), 0.0))  # type: ignore[arg-type]
    door.take_no_more()
    assert not door._idle.is_set()

    door._lose()

    assert door._idle.is_set()
    door.stop()


def test_a_door_that_takes_no_more_leaves_tasks_in_the_queue(door: AmqpDoor, asked: Asked) -> None:
    asked.ask(ROW)
    door.take_no_more()
    door.wait_idle(10)
    asked.send(ROW)

    assert door._idle.is_set()
    assert asked._channel.basic_get(door_module.QUEUE.name) is not None
