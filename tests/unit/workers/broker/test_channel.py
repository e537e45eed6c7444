"""What our channels publish is signed, and what they must not read never reaches a consumer's eyes."""

from __future__ import annotations

import gzip
import json
from typing import Any

import amqp
import pytest

from tests.unit.published import Published
from workers.broker import channel as channel_module
from workers.broker.channel import Message
from workers.messages import signing
from workers.messages.refusals import RefusedError, SignatureError
from workers.messages.signing import SIGNATURE, UNSIGNED, Keys

KEYS = Keys("a key that nobody guesses")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, str, str]]:
    """What py-amqp is given to send."""
    given: list[tuple[Any, str, str]] = []

    def keep(_: Any, msg: Any, exchange: str, routing_key: str, *arguments: Any, **options: Any) -> None:
        given.append((msg, exchange, routing_key))

    monkeypatch.setattr(amqp.Channel, "_basic_publish", keep)
    return given


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has a key."""
    monkeypatch.setattr(channel_module, "message_keys", lambda: KEYS)


def publish(body: Any = '{"a": 1}', **headers: Any) -> None:
    channel = Published()
    options: dict[str, Any] = {"reply_to": "replies.1", "correlation_id": "7"}
    message = channel.prepare_message(body, 0, "application/json", "utf-8", headers or None, options)
    channel.basic_publish(message, exchange="", routing_key="predict")


def arrive(sent: list[tuple[Any, str, str]], channel: Published | None = None, **changed: Any) -> Message:
    """The last message that was sent, as its receiver has it."""
    message, exchange, routing_key = sent[-1]
    raw = amqp.Message(message.body, **{**message.properties, **changed})
    raw.delivery_info = {"exchange": exchange, "routing_key": routing_key, "delivery_tag": 1}
    return Message(raw, channel or Published())


def test_a_message_is_signed_and_verified(sent: list[Any], keyed: None) -> None:
    publish(task="workers.tasks.predict")

    message = arrive(sent)

    assert len(message.headers[SIGNATURE]) == 64
    assert not message.errors
    assert json.loads(message.body) == {"a": 1}


def test_a_message_without_headers_is_signed_too(sent: list[Any], keyed: None) -> None:
    publish(b"bytes")

    assert not arrive(sent).errors


def test_the_senders_own_headers_stay_as_they_are(sent: list[Any], keyed: None) -> None:
    headers = {"task": "t"}
    channel = Published()
    channel.basic_publish(channel.prepare_message(b"", headers=headers), exchange="", routing_key="q")

    assert headers == {"task": "t"}


def test_an_altered_message_has_no_body_and_says_why(sent: list[Any], keyed: None) -> None:
    publish()

    message = arrive(sent, reply_to="elsewhere")

    assert message.body == b""
    told: list[Exception] = []
    message._reraise_error(lambda _, error: told.append(error))
    assert isinstance(told[0], SignatureError)


def test_an_answer_to_a_stranger_is_not_signed_and_taken_by_nobody(
    sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(channel_module, "message_keys", lambda: KEYS)
        publish(**UNSIGNED)
        with_key = arrive(sent)
    without_key = arrive(sent)

    assert sent[-1][0].properties["application_headers"] == UNSIGNED
    for message in (with_key, without_key):
        assert isinstance(message.errors[0][1], SignatureError)


def test_without_a_key_nothing_is_added(sent: list[Any]) -> None:
    publish(task="workers.tasks.predict")
    publish()

    assert [message.properties.get("application_headers") for message, *_ in sent] == [
        {"task": "workers.tasks.predict"},
        None,
    ]
    assert not arrive(sent).errors


def test_without_a_key_a_signed_message_is_refused(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(channel_module, "message_keys", lambda: KEYS)
        publish()

    assert isinstance(arrive(sent).errors[0][1], SignatureError)


@pytest.mark.parametrize("compression", ["application/x-gzip", "application/x-bz2", "bogus", "", 5])
def test_a_compressed_message_is_refused_before_it_is_decompressed(sent: list[Any], compression: Any) -> None:
    publish(gzip.compress(bytes(1_000_000)), compression=compression)

    message = arrive(sent)

    assert isinstance(message.errors[0][1], RefusedError)
    assert message.body == b""


def test_one_channel_takes_what_clients_send_and_no_other_does(sent: list[Any], keyed: None) -> None:
    open_to_all = Published()
    open_to_all.takes_unsigned = True
    publish(**UNSIGNED)
    sent[-1] = (sent[-1][0], "", "pipeline")

    assert not arrive(sent, open_to_all).errors
    # RabbitMQ delivers what has the header CC under the routing key that it was sent with.
    assert isinstance(arrive(sent).errors[0][1], SignatureError)


def test_a_channel_that_takes_what_clients_send_takes_nothing_compressed(sent: list[Any]) -> None:
    open_to_all = Published()
    open_to_all.takes_unsigned = True
    publish(compression="application/x-gzip")

    assert isinstance(arrive(sent, open_to_all).errors[0][1], RefusedError)


def test_this_process_has_no_key_unless_it_is_told() -> None:
    assert signing.message_keys() is None
