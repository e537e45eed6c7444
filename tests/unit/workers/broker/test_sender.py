"""A worker's answers reach whoever asked, over a connection that is opened anew when it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from amqp.exceptions import PreconditionFailed
from celery.app.task import Context
from celery.backends.rpc import RPCBackend
from kombu import Connection, Producer, Queue
from kombu.exceptions import OperationalError
from kombu.message import Message

from tests.support.waiting import wait_until
from workers.broker import sender as sender_module
from workers.broker.sender import SEND_SECONDS, Sender
from workers.celery import app
from workers.consuming import results
from workers.consuming.results import ResultBackend
from workers.messages.packing import CONTENT_TYPE, NAME
from workers.runtime.errors import RowsError


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    monkeypatch.setattr(sender_module, "PAUSE_SECONDS", 0.0)
    sender = Sender(app)
    yield sender
    sender.close()


@pytest.fixture
def connection() -> Iterator[Connection]:
    with app.connection_for_read() as connection:
        yield connection


@pytest.fixture
def queue(connection: Connection) -> Queue:
    queue = Queue(f"replies.{uuid4().hex}", durable=False)
    queue(connection.channel()).queue_declare()
    return queue


def receive(connection: Connection, queue: Queue) -> Message:
    message = queue(connection.channel()).get(no_ack=True, accept=["json", NAME])
    assert message is not None
    return message


def breaking(sender: Sender, monkeypatch: pytest.MonkeyPatch, times: int) -> list[Connection]:
    """Let the first connections break when something is sent; returns all that are opened."""
    opened: list[Connection] = []
    connect = app.connection_for_write

    def make() -> Connection:
        made = connect()
        opened.append(made)
        if len(opened) <= times:
            monkeypatch.setattr(made, "channel", lambda: (_ for _ in ()).throw(ConnectionResetError("gone")))
        return made

    monkeypatch.setattr(app, "connection_for_write", make)
    return opened


def test_a_message_reaches_the_queue_it_is_for(sender: Sender, connection: Connection, queue: Queue) -> None:
    sender.send({"a": 1}, queue.name, "ticket")

    message = receive(connection, queue)
    assert (message.properties["correlation_id"], message.decode()) == ("ticket", {"a": 1})


def test_all_messages_go_over_one_connection(sender: Sender, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = breaking(sender, monkeypatch, 0)

    for _ in range(3):
        sender.send({}, queue.name, "ticket")
    assert len(opened) == 1
    sender.renew()
    sender.send({}, queue.name, "ticket")
    assert len(opened) == 2


def test_a_connection_that_breaks_is_opened_again(
    sender: Sender, connection: Connection, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = breaking(sender, monkeypatch, 2)

    sender.send({}, queue.name, "ticket")

    assert receive(connection, queue).properties["correlation_id"] == "ticket"
    assert len(opened) == 3


def test_a_broker_that_stays_away_is_given_up(sender: Sender, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(sender, monkeypatch, 10**6)
    monkeypatch.setattr(sender_module, "SEND_SECONDS", 0.05)

    with pytest.raises(OperationalError, match="gone"):
        sender.send({}, queue.name, "ticket")


def test_a_sender_that_is_closed_tries_no_more(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = breaking(sender, monkeypatch, 10**6)
    with ThreadPoolExecutor(1) as beside:
        sending = beside.submit(sender.send, {}, "nowhere", "ticket")
        wait_until(lambda: opened, 5.0, "it has tried")
        sender.close()
        with pytest.raises(OperationalError):
            sending.result(SEND_SECONDS / 2)
    tried = len(opened)
    with pytest.raises(OperationalError, match="this process ends"):
        sender.send({}, "nowhere", "ticket")
    assert len(opened) == tried


@pytest.mark.parametrize("confirmed", [False, True])
def test_what_the_broker_forbids_is_told_at_once_where_it_is_sure_what_it_forbids(
    confirmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "PAUSE_SECONDS", 0.0)
    sender, errors = Sender(app, confirmed), [PreconditionFailed("declared otherwise")]

    def publish(_: Producer) -> None:
        if errors:
            raise errors.pop()

    if confirmed:
        with pytest.raises(OperationalError, match="declared otherwise"):
            sender.act(publish)
    sender.act(publish)
    assert sender._connection
    assert sender._connection.transport_options.get("confirm_publish", False) is confirmed
    sender.close()


@pytest.mark.parametrize("outcome", [("SUCCESS", {"worker": "w"}), ("FAILURE", RowsError("no rows"))], ids=str)
def test_a_result_is_the_message_that_celery_itself_sends(
    outcome: tuple[str, Any], sender: Sender, connection: Connection, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OwningWorker:
        def __init__(self) -> None:
            self.name, self.sender = "w1@here", sender

    monkeypatch.setattr(results, "celery_side", OwningWorker)
    state, result = outcome
    request = Context(id="task", reply_to=queue.name, correlation_id="asked", group=None)
    sent = []
    for backend in (RPCBackend(app), ResultBackend(app)):
        backend.store_result("task", result, state, traceback="a trace", request=request)
        message = receive(connection, queue)
        body = message.decode()
        assert body.pop("date_done")
        sent.append((body, message.properties["correlation_id"], message.content_type))

    own = sent[1][0]
    assert own.pop("worker", None) == ("w1@here" if state == "FAILURE" else None)
    assert sent[0][:2] == sent[1][:2]
    assert sent[1][2] == ("application/json" if state == "FAILURE" else CONTENT_TYPE), "an answer has bytes in it"


def test_a_task_that_nobody_waits_for_sends_no_result() -> None:
    request = Context(id="task", reply_to=None, correlation_id=None)

    assert ResultBackend(app).store_result("task", 1, "SUCCESS", request=request) == 1
