"""Messages that Pipeline never sends: each is logged and dropped, and everybody goes on."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from operator import gt
from struct import pack
from typing import Any
from uuid import uuid4

import psutil
import pytest
from kombu import Connection, Exchange, Producer

from tests.support.memory import family, peak_bytes
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until
from workers.messages.protocol import PREDICT_QUEUE, PREDICT_TASK, SUPPLY_QUEUE

HUGE_BYTES = 128 * 1024 * 1024
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
    "a task for later": (BODY, TASK | {"eta": "2999-01-01T00:00:00"}),
    "tasks to follow": ([[{}], {}, {"callbacks": [{"task": PREDICT_TASK, "args": [], "options": {}}]}], TASK),
    "a name that is a list": (BODY, TASK | {"task": ["os.system"]}),
    "an absurd priority": (BODY, TASK | {"priority": -1, "retries": 10**9}),
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
    *({"method": method, "arguments": {}} for method in ("shutdown", "pool_restart", "enable_events", "revoke")),
    {"method": "cancel_consumer", "arguments": {"queue": PREDICT_QUEUE}},
    {"method": "pool_shrink", "arguments": {"n": 100}},
    {"method": "rate_limit", "arguments": {"task_name": PREDICT_TASK, "rate_limit": "1/h"}},
    # A regular expression that takes for ever on a worker's name.
    {"method": "ping", "arguments": {}, "pattern": "(([a-z0-9-])+.)+[A-Z]([a-z])+$", "matcher": "pcre"},
    {"method": "ping", "arguments": {}, "reply_to": {"exchange": "celery.pidbox", "routing_key": ""}},
    {"arguments": {}},
    [],
    "x",
]


NO_TEXT = b"\xff\xfe"


class NoText(str):
    """A name that is sent as bytes that are no text."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return NO_TEXT


def _nested(depth: int) -> bytes:
    value = b"t\1"
    for _ in range(depth):
        value = b"F" + _table(value)
    return _table(value)


def _table(value: bytes) -> bytes:
    return pack(">IB", 2 + len(value), 1) + b"a" + value


#: AMQP properties as they are sent: flags, and what they say is there.
UNREADABLE: dict[str, bytes] = {
    "a correlation id that is no text": pack(">HB", 0x0400, 2) + NO_TEXT,
    "a queue for the answer that is no text": pack(">HB", 0x0200, 2) + NO_TEXT,
    "a type that is no text": pack(">HB", 0x0020, 2) + NO_TEXT,
    "a header that is no time": pack(">H", 0x2000) + _table(b"T" + pack(">Q", 2**62)),
    "headers that are nested deep": pack(">H", 0x2000) + _nested(1500),
}
EVERYBODYS = (("", PREDICT_QUEUE), ("celery.pidbox", ""), ("", SUPPLY_QUEUE), ("gateways", ""))


@pytest.fixture(autouse=True)
def _first_network(system: System) -> None:
    first = samples()[0]
    assert system.client.set_weights(first.nn_id, first.file.name, first.file.read_bytes())["status"] is True


def send(system: System, body: Any, exchange: str, routing_key: str, **options: Any) -> None:
    with Connection(system.environment["BROKER_URL"]) as connection:
        producer = Producer(connection.channel(), auto_declare=False)
        producer.publish(body, exchange=exchange, routing_key=routing_key, retry=False, **options)


@contextmanager
def every_memory_stays(system: System, bytes_max: int) -> Iterator[None]:
    """No process takes so much more memory at any time in this block."""
    pids = [pid for child in (*system.workers, system.gateway) if child.pid for pid in family(child.pid)]
    before = {pid: peak_bytes(pid, afresh=True) for pid in pids}
    yield
    grown = {pid: peak_bytes(pid) - before[pid] for pid in pids if psutil.pid_exists(pid)}
    assert max(grown.values()) < bytes_max, grown


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


@pytest.mark.parametrize(
    ("kind", "compress"),
    [("application/x-gzip", zlib.compress), ("application/x-lzma", partial(lzma.compress, preset=0))],
    ids=["zlib", "lzma"],
)
def test_a_message_that_becomes_huge_is_refused_as_it_is(
    system: System, kind: str, compress: Callable[[bytes], bytes]
) -> None:
    pids = [worker.pid for worker in system.workers]
    bomb = compress(bytes(HUGE_BYTES))
    headers = TASK | {"id": "1", "compression": kind}
    with every_memory_stays(system, HUGE_BYTES // 2):
        for exchange, queue in (("", PREDICT_QUEUE), ("", SUPPLY_QUEUE), ("gateways", ""), ("celery.pidbox", "")):
            for _ in range(2):
                send(system, bomb, exchange, queue, headers=headers, content_type="application/json",
                     content_encoding="utf-8", reply_to="nowhere")  # fmt: skip
        assert_all_go_on(system, pids)


def test_tasks_for_later_do_not_pile_up(system: System) -> None:
    pids = [worker.pid for worker in system.workers]
    with Connection(system.environment["BROKER_URL"]) as connection:
        producer = Producer(connection.channel(), auto_declare=False)
        headers = TASK | {"eta": "2999-01-01T00:00:00"}
        for number in range(2000):
            producer.publish(BODY, routing_key=PREDICT_QUEUE, headers=headers | {"id": str(number)}, serializer="json")
        waiting = connection.channel().queue_declare(PREDICT_QUEUE, passive=True)
    wait_until(lambda: messages_in(system, PREDICT_QUEUE) == 0, 60, "all are taken")
    assert_all_go_on(system, pids)
    assert waiting.consumer_count == 2
    for worker in system.workers:
        assert 0 < worker.log.read_text().count("it is for later") < 500


def messages_in(system: System, queue: str) -> int:
    with Connection(system.environment["BROKER_URL"]) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


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


def refused(system: System) -> list[int]:
    """How many messages each process has refused because they cannot be decoded; a line says one."""
    logs = [child.log for child in (*system.workers, system.gateway)]
    return [log.read_text().count("cannot be decoded") for log in logs]


@pytest.mark.parametrize("kind", UNREADABLE)
def test_properties_that_cannot_be_decoded_harm_nobody(system: System, kind: str) -> None:
    pids = [worker.pid for worker in system.workers]
    before = refused(system)
    with Connection(system.environment["BROKER_URL"]) as connection:
        channel = connection.channel()

        def all_have_refused() -> bool:
            for exchange, routing_key in EVERYBODYS:
                message = channel.prepare_message(b"{}")
                message._serialize_properties = lambda: UNREADABLE[kind]
                channel.basic_publish(message, exchange=exchange, routing_key=routing_key)
            # No process logs more than some such lines a second, and the test before may have had them.
            with suppress(AssertionError):
                wait_until(lambda: all(map(gt, refused(system), before)), 2.0)
                return True
            return False

        wait_until(all_have_refused, 20.0, "each process has refused one")
    assert_all_go_on(system, pids)
    assert "Lost the broker" not in system.gateway.log.read_text()


@pytest.mark.parametrize("exchange", ["celery.pidbox", "gateways"])
def test_a_routing_key_that_is_no_text_harms_nobody(system: System, exchange: str) -> None:
    pids = [worker.pid for worker in system.workers]
    with Connection(system.environment["BROKER_URL"]) as connection:
        channel = connection.channel()
        for _ in range(2):
            channel.basic_publish(channel.prepare_message(b"{}"), exchange=exchange, routing_key=NoText("key"))
    assert_all_go_on(system, pids)
    assert "Lost the broker" not in system.gateway.log.read_text()
