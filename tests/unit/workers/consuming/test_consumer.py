"""What a worker takes from its queue, and what it obeys: nothing else is even looked at."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import consumer
from kombu.exceptions import ContentDisallowed, DecodeError
from kombu.message import Message

from workers.consuming import consumer as consumer_module
from workers.consuming.commands import require_command
from workers.consuming.consumer import BatchConsumer, require_batch, require_task
from workers.consuming.redelivery import RESTS
from workers.messages.protocol import PREDICT_TASK
from workers.messages.refusals import RefusedError, SignatureError

HEADERS: dict[str, Any] = {"lang": "py", "task": PREDICT_TASK, "id": "1", "retries": 0, "eta": None, "expires": None}
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
BODY: list[Any] = [[{}], {}, EMBED]
REPLIES = "reply.celery.pidbox"
ANOTHER_TASK = {"task": PREDICT_TASK, "args": [], "kwargs": {}, "options": {}}


def message(body: Any = BODY, content_type: str = "application/json", **headers: Any) -> Message:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {name: value for name, value in (HEADERS | headers).items() if value != "left out"}
    return Message(text, 1, content_type, "utf-8", {}, {}, given, accept=["application/json"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"eta": "left out"},
        {"retries": "left out"},
        {"retries": None},
        {"timelimit": [1, 2]},
        {"x": {"any": ["more"]}},
    ],
)
def test_a_batch_is_taken(headers: dict[str, Any]) -> None:
    require_task(message(**headers))
    require_batch(message(**headers))


@pytest.mark.parametrize("body", [[[{}], {}, {}], [[], {"message": {}}, EMBED], [[{}], {}, None]])
def test_a_batch_may_say_less(body: Any) -> None:
    require_batch(message(body))


@pytest.mark.parametrize(
    "headers",
    [
        {"task": "left out"},
        {"task": "celery.group"},
        {"task": "celery.chord_unlock"},
        {"task": ["unhashable"]},
        {"task": {"a": 1}},
        {"task": None},
        {"task": "x" * 100_000},
        {"id": "left out"},
        {"id": ""},
        {"id": 5},
        {"id": ["1"]},
        {"id": "x" * 300},
        {"eta": "2099-01-01T00:00:00"},
        {"eta": 5},
        {"retries": "many"},
    ],
)
def test_another_task_or_one_for_later_is_refused(headers: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        require_task(message(**headers))
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        "x",
        None,
        0,
        [[{}], {}],
        [[{}], {}, {}, {}],
        ["x", {}, {}],
        [[{}], [], {}],
        [[{}], {}, "x"],
        *([[{}], {}, EMBED | {name: [ANOTHER_TASK]}] for name in EMBED),
    ],
)
def test_another_body_or_tasks_to_follow_are_refused(body: Any) -> None:
    with pytest.raises(RefusedError):
        require_batch(message(body))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"[[NaN" + b"]" * 9, b"[" + b"9" * 5000 + b"]"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises((DecodeError, RefusedError)):
        require_batch(message(body))


@pytest.mark.parametrize(
    "content_type", ["application/x-python-serialize", "application/x-yaml", "application/x-msgpack"]
)
def test_another_serialization_is_refused(content_type: str) -> None:
    with pytest.raises((ContentDisallowed, DecodeError)):
        require_batch(message(b"cos\nsystem\n(S'true'\ntR.", content_type))


@pytest.mark.parametrize(
    ("exchange", "properties", "told"),
    [
        ("", {"reply_to": "q", "correlation_id": "7"}, [("it is no batch", "q", "7")]),
        ("celery.pidbox", {"reply_to": "q", "correlation_id": "7"}, []),
        ("", {"correlation_id": "7"}, []),
        ("", {"reply_to": ["q"], "correlation_id": 7}, []),
    ],
)
def test_who_asked_one_worker_is_told_and_nobody_is_told_by_all(
    exchange: str, properties: dict[str, Any], told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    reporter = SimpleNamespace(tell_refused=lambda *answer: heard.append((str(answer[0]), *answer[1:])))
    side = SimpleNamespace(reporter=reporter)
    monkeypatch.setattr(consumer_module, "celery_side", lambda: side)
    acked: list[Any] = []
    channel = SimpleNamespace(no_ack_consumers=None, basic_ack=lambda tag, **_: acked.append(tag))
    refused = Message(b"", 5, delivery_info={"exchange": exchange}, properties=properties, channel=channel)

    BatchConsumer.on_decode_error(SimpleNamespace(connection_errors=()), refused, RefusedError("it is no batch"))  # type: ignore[arg-type]

    assert acked == [5]
    assert heard == told


def taken_by(monkeypatch: pytest.MonkeyPatch, one: Message) -> tuple[list[Any], list[Any]]:
    """What is handed on to Celery of a message, and what is refused."""
    taken: list[Any] = []
    refused: list[Any] = []
    monkeypatch.setattr(consumer.Consumer, "create_task_handler", lambda *_: taken.append)
    monkeypatch.setattr(BatchConsumer, "on_decode_error", lambda _, one, error: refused.append((one, error)))
    BatchConsumer.create_task_handler(object.__new__(BatchConsumer))(one)
    return taken, refused


def test_what_came_back_is_handed_on_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    for fresh, mark in [(False, {}), (True, {RESTS: True})]:
        redelivered = message(b"[" * 100_000, **mark)
        redelivered.delivery_info = {"redelivered": not fresh}
        assert taken_by(monkeypatch, redelivered) == ([redelivered], [])
        assert redelivered._decoded_cache is None
    (_, [(one, _)]) = taken_by(monkeypatch, message(b"[" * 100_000))
    assert one.body == b"[" * 100_000


def test_what_was_refused_as_it_came_in_is_so_when_it_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    unsigned = message()
    unsigned.delivery_info = {"redelivered": True}
    why = SignatureError("it is not signed")
    unsigned.errors = [(SignatureError, why, None)]
    assert taken_by(monkeypatch, unsigned) == ([], [(unsigned, why)])


def command(body: Any, sent: bytes = b"{}") -> None:
    require_command(body, SimpleNamespace(body=sent), REPLIES)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["load_network", "report_status", "report_measures", "ping", "stats", "dump_active"])
def test_our_commands_and_those_that_look_are_obeyed(method: str) -> None:
    command({"method": method, "arguments": {}, "destination": None, "pattern": None, "matcher": None})
    command({"method": method, "destination": ["worker-1@here"], "ticket": "1",
             "reply_to": {"exchange": REPLIES, "routing_key": "1"}})  # fmt: skip


@pytest.mark.parametrize(
    "method",
    ["shutdown", "pool_restart", "pool_grow", "pool_shrink", "autoscale", "revoke", "revoke_by_stamped_headers",
     "terminate", "rate_limit", "time_limit", "add_consumer", "cancel_consumer", "enable_events", "disable_events",
     "election", "hello", "objgraph", "memdump", "memsample", "heartbeat", "report", "no_such",
     "", None, 5, ["ping"], {}],
)  # fmt: skip
def test_celerys_other_commands_are_refused(method: Any) -> None:
    with pytest.raises(RefusedError, match="workers obey no command"):
        command({"method": method, "arguments": {}})


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        None,
        {},
        {"method": "ping", "arguments": [1]},
        {"method": "ping", "arguments": "x"},
        {"method": "ping", "destination": "worker-1@here"},
        {"method": "ping", "destination": [1]},
        {"method": "ping", "pattern": "(a+)+$", "matcher": "pcre"},
        {"method": "ping", "matcher": "glob"},
        {"method": "ping", "reply_to": "x"},
        {"method": "ping", "reply_to": {"exchange": "gateways", "routing_key": "x"}},
        {"method": "ping", "reply_to": {"exchange": REPLIES}},
    ],
)
def test_a_command_of_another_shape_is_refused(body: Any) -> None:
    with pytest.raises(RefusedError):
        command(body)


def test_a_command_that_is_too_long_is_refused() -> None:
    with pytest.raises(RefusedError, match="at most"):
        command({"method": "ping"}, bytes(100_000))
