"""A worker asks for files and active versions, over the in-process broker, and a thread of the test answers."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from amqp.exceptions import RecoverableConnectionError
from kombu import Consumer, Producer
from kombu import Queue as BrokerQueue
from kombu.message import Message

from tests.unit.samples import DIGEST, NEXT_VERSION, VERSION
from workers import supply as supply_module
from workers.celery import app
from workers.messages.supplied import CHUNK_CONTENT_TYPE, ActiveVersions, FileChunk
from workers.runtime.errors import SupplyError
from workers.supply import Supply

#: A deadline that no test sits out.
LONG_SECONDS = 20.0
SHORT_SECONDS = 0.2
CHUNK = 4
CONTENT = b"0123456789"
NAME = hashlib.sha256(CONTENT).hexdigest()


class AnsweringGateway:
    """Takes questions from the queue and answers each with what it is told to; None is no answer."""

    def __init__(self, queue: str) -> None:
        self.questions: list[Any] = []
        self.answer: Callable[[Any], Any] = lambda _: None
        self._queue = BrokerQueue(queue, durable=False)
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(10)

    def _run(self) -> None:
        with app.connection_for_read() as connection:
            self._channel = connection.channel()
            bound = self._queue(self._channel)
            bound.queue_declare()
            with Consumer(self._channel, [bound], on_message=self._receive, no_ack=True, auto_declare=False):
                self._ready.set()
                while not self._stopping.is_set():
                    try:
                        connection.drain_events(timeout=0.05)
                    except TimeoutError:
                        pass

    def _receive(self, message: Message) -> None:
        question = message.decode()
        self.questions.append(question)
        answer = self.answer(question)
        if answer is not None:
            self._send(answer, message.properties)

    def _send(self, answer: Any, properties: Any) -> None:
        form: dict[str, Any] = {"serializer": "json"}
        if isinstance(answer, FileChunk):
            form = {"content_type": CHUNK_CONTENT_TYPE, "headers": answer.headers()}
            answer = answer.content
        to = {"routing_key": properties["reply_to"], "correlation_id": properties["correlation_id"]}
        Producer(self._channel, auto_declare=False).publish(answer, exchange="", **to, **form)


@pytest.fixture
def gateway_at_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnsweringGateway]:
    queue = f"supply.{uuid4().hex}"
    monkeypatch.setattr(supply_module, "SUPPLY_QUEUE", queue)
    monkeypatch.setattr("workers.messages.supplied.CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(supply_module, "CHUNK_BYTES", CHUNK)
    answering = AnsweringGateway(queue)
    answering.start()
    yield answering
    answering.stop()


def chunk_of(content: bytes) -> Callable[[Any], FileChunk]:
    """The answers of a gateway that has one file."""

    def answer(question: Any) -> FileChunk:
        return FileChunk(len(content), content[question["offset"] : question["offset"] + CHUNK])

    return answer


def test_a_file_arrives_chunk_by_chunk(gateway_at_work: AnsweringGateway, tmp_path: Path) -> None:
    gateway_at_work.answer = chunk_of(CONTENT)

    Supply(app, LONG_SECONDS).fetch_file(NAME, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert gateway_at_work.questions == [{"digest": NAME, "offset": offset} for offset in (0, 4, 8)]


def test_a_file_that_no_gateway_has_is_refused(gateway_at_work: AnsweringGateway, tmp_path: Path) -> None:
    gateway_at_work.answer = lambda _: FileChunk(-1, b"")

    with pytest.raises(SupplyError, match=f"no gateway has the file {DIGEST}"):
        Supply(app, LONG_SECONDS).fetch_file(DIGEST, tmp_path / "file")


def test_a_file_that_ends_early_is_refused(gateway_at_work: AnsweringGateway, tmp_path: Path) -> None:
    gateway_at_work.answer = lambda question: FileChunk(10, b"0123" if question["offset"] == 0 else b"")

    with pytest.raises(SupplyError, match="no gateway has"):
        Supply(app, LONG_SECONDS).fetch_file(NAME, tmp_path / "file")


def test_bytes_with_another_digest_are_refused(gateway_at_work: AnsweringGateway, tmp_path: Path) -> None:
    gateway_at_work.answer = chunk_of(b"something else")

    with pytest.raises(SupplyError, match="has the digest"):
        Supply(app, LONG_SECONDS).fetch_file(NAME, tmp_path / "file")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (FileChunk(11, b"4567"), "do not fit"),
        (FileChunk(10, b"456"), "do not fit"),
        (FileChunk(4, b"4567"), "do not fit"),
        (FileChunk(-1, b""), "no gateway has"),
    ],
    ids=repr,
)
def test_chunks_that_do_not_fit_together_are_refused(
    second: FileChunk, reason: str, gateway_at_work: AnsweringGateway, tmp_path: Path
) -> None:
    gateway_at_work.answer = lambda question: FileChunk(10, b"0123") if question["offset"] == 0 else second

    with pytest.raises(SupplyError, match=reason):
        Supply(app, LONG_SECONDS).fetch_file(NAME, tmp_path / "file")


@pytest.mark.parametrize("answer", ["text", {"size": 10}, {"size": 10, "data": "MDEyMw=="}], ids=repr)
def test_an_answer_that_cannot_be_read_is_a_supply_error(
    answer: Any, gateway_at_work: AnsweringGateway, tmp_path: Path
) -> None:
    gateway_at_work.answer = lambda _: answer

    with pytest.raises(SupplyError):
        Supply(app, LONG_SECONDS).fetch_file(NAME, tmp_path / "file")


def test_a_question_that_nobody_answered_is_asked_again(
    gateway_at_work: AnsweringGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply_module, "ASK_AGAIN_SECONDS", 0.05)
    gateway_at_work.answer = lambda question: (
        chunk_of(CONTENT)(question) if len(gateway_at_work.questions) > 2 else None
    )

    Supply(app, LONG_SECONDS).fetch_file(NAME, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT


def test_without_an_answer_in_time_it_gives_up(
    gateway_at_work: AnsweringGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply_module, "ASK_AGAIN_SECONDS", 0.05)

    with pytest.raises(SupplyError, match="no gateway answered in time"):
        Supply(app, SHORT_SECONDS).fetch_file(NAME, tmp_path / "file")


def test_the_active_versions_arrive_in_their_order(gateway_at_work: AnsweringGateway) -> None:
    versions = ActiveVersions((NEXT_VERSION, VERSION))
    gateway_at_work.answer = lambda question: versions.to_json() if question == {} else None

    assert Supply(app, LONG_SECONDS).active_versions(LONG_SECONDS) == versions


def test_active_versions_in_another_form_are_a_supply_error(gateway_at_work: AnsweringGateway) -> None:
    gateway_at_work.answer = lambda _: FileChunk(2, b"{}")

    with pytest.raises(SupplyError, match="cannot be read"):
        Supply(app, LONG_SECONDS).active_versions(LONG_SECONDS)


def test_two_workers_do_not_take_each_others_answers(gateway_at_work: AnsweringGateway, tmp_path: Path) -> None:
    contents = [b"one" * 20, b"another" * 20]
    names = [hashlib.sha256(content).hexdigest() for content in contents]
    files = dict(zip(names, contents, strict=True))
    gateway_at_work.answer = lambda question: chunk_of(files[question["digest"]])(question)
    threads = [
        threading.Thread(target=Supply(app, LONG_SECONDS).fetch_file, args=(name, tmp_path / name)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_SECONDS)

    assert [(tmp_path / name).read_bytes() for name in names] == contents


def test_a_broker_that_goes_away_is_a_supply_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def lose_connection(*_: Any, **__: Any) -> None:
        raise RecoverableConnectionError("connection reset by peer")

    monkeypatch.setattr(Producer, "publish", lose_connection)

    with pytest.raises(SupplyError, match="went away"):
        Supply(app, LONG_SECONDS).fetch_file(NAME, tmp_path / "file")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that are opened from now on."""
    connections: list[Any] = []
    connect = app.connection_for_write
    monkeypatch.setattr(app, "connection_for_write", lambda: connections.append(connect()) or connections[-1])
    return connections


def test_one_connection_serves_one_file_after_the_other(
    gateway_at_work: AnsweringGateway, tmp_path: Path, opened: list[Any]
) -> None:
    gateway_at_work.answer = chunk_of(CONTENT)
    supply = Supply(app, LONG_SECONDS)

    for _ in range(3):
        supply.fetch_file(NAME, tmp_path / "file")
    assert len(opened) == 1
    supply.renew()
    supply.fetch_file(NAME, tmp_path / "file")
    assert len(opened) == 2
    supply.renew()


def test_an_idle_connection_that_has_broken_is_opened_again(
    gateway_at_work: AnsweringGateway, tmp_path: Path, opened: list[Any]
) -> None:
    gateway_at_work.answer = chunk_of(CONTENT)
    supply = Supply(app, LONG_SECONDS)
    supply.fetch_file(NAME, tmp_path / "file")

    def lose_connection(*_: Any, **__: Any) -> None:
        raise RecoverableConnectionError("connection reset by peer")

    supply._idle[0]._producer.publish = lose_connection  # type: ignore[method-assign]
    supply.fetch_file(NAME, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(opened) == 2
    supply.renew()


def test_an_idle_connection_that_leads_nowhere_is_left_after_one_question(
    gateway_at_work: AnsweringGateway, tmp_path: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply_module, "ASK_AGAIN_SECONDS", 0.05)
    gateway_at_work.answer = chunk_of(CONTENT)
    supply = Supply(app, LONG_SECONDS)
    supply.fetch_file(NAME, tmp_path / "file")

    supply._idle[0]._producer.publish = lambda *_, **__: None  # type: ignore[method-assign]
    supply.fetch_file(NAME, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(opened) == 2
    supply.renew()
