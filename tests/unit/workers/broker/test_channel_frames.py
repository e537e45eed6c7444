"""What arrives frame by frame: too much of it is thrown away, and what cannot be decoded is refused, not raised."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import amqp
import pytest
from amqp.serialization import loads
from amqp.spec import Basic

from tests.unit.published import Published
from workers.broker.channel import Content, Message, bounded_frames
from workers.messages.protocol import MESSAGE_BYTES_MAX


class Frames:
    """A connection's frames, and the messages that come of them."""

    def __init__(self) -> None:
        self.connection = SimpleNamespace(bytes_recv=0, too_large={})
        self.messages: list[Any] = []
        self.take = bounded_frames(self.connection, lambda *arguments: self.messages.append(arguments[-1]))

    def deliver(self, size: int, pieces: list[bytes], channel: int = 1) -> None:
        """A message of `size` bytes, as it says, that arrives in pieces."""
        self.take((1, channel, delivered()))
        self.take((2, channel, struct.pack(">HHQH", 60, 0, size, 0)))
        for piece in pieces:
            self.take((3, channel, piece))


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def table(*fields: bytes) -> bytes:
    return struct.pack(">I", len(b"".join(fields))) + b"".join(fields)


def nested(depth: int) -> bytes:
    value = b"t\1"
    for _ in range(depth):
        value = b"F" + table(short(b"a") + value)
    return struct.pack(">H", HEADERS) + table(short(b"a") + value)


def delivered(exchange: bytes = b"", routing_key: bytes = b"predict") -> bytes:
    """A method frame: the seventh message for the consumer `c`."""
    names = short(exchange) + short(routing_key)
    return struct.pack(">HH", *Basic.Deliver) + short(b"c") + struct.pack(">QB", 7, 0) + names


NO_TEXT = b"\xff\xfe"
HEADERS = 0x2000
UNREADABLE_PROPERTIES = {
    "a correlation id that is no text": struct.pack(">H", 0x0400) + short(NO_TEXT),
    "where to reply that is no text": struct.pack(">H", 0x0200) + short(NO_TEXT),
    "a type that is no text": struct.pack(">H", 0x0020) + short(NO_TEXT),
    "a header that is no time": struct.pack(">H", HEADERS) + table(short(b"a") + b"T" + struct.pack(">Q", 2**62)),
    "a header of no known kind": struct.pack(">H", HEADERS) + table(short(b"a") + b"?"),
    "headers that break off": struct.pack(">HI", HEADERS, 100),
    "headers that are nested deep": nested(9000),
}


def test_a_message_of_common_size_arrives_whole() -> None:
    frames = Frames()

    frames.deliver(6, [b"abc", b"def"])
    frames.deliver(0, [])

    assert [message.body for message in frames.messages] == [b"abcdef", ""]
    assert frames.connection.too_large == {}


def test_of_a_message_that_is_too_large_nothing_is_kept_and_the_next_one_arrives() -> None:
    frames = Frames()
    piece = bytes(1024 * 1024)

    frames.deliver(len(piece) * 17, [piece] * 17)
    frames.deliver(3, [b"abc"])

    assert [message.body for message in frames.messages] == ["", b"abc"]
    assert frames.connection.too_large == {1: 17 * len(piece)}
    assert frames.connection.bytes_recv == 2 + 17 + 3


def test_another_channels_message_may_arrive_between_the_pieces() -> None:
    frames = Frames()
    size = MESSAGE_BYTES_MAX + 1

    frames.deliver(size, [bytes(size - 1)], channel=1)
    frames.deliver(3, [b"abc"], channel=2)
    frames.take((3, 1, b"x"))
    frames.deliver(3, [b"def"], channel=1)

    assert [message.body for message in frames.messages] == ["", b"abc", b"def"]


def test_a_channel_that_was_closed_within_a_message_takes_the_next_one_whole() -> None:
    frames = Frames()

    frames.deliver(MESSAGE_BYTES_MAX + 1, [bytes(100)])
    frames.deliver(3, [b"abc"])

    assert [message.body for message in frames.messages] == ["", b"abc"]


def test_a_message_that_is_too_large_is_refused() -> None:
    raw = amqp.Message("", content_type="application/json")
    raw.delivery_info = {"exchange": "", "routing_key": "predict", "delivery_tag": 1}
    channel = Published()
    channel.connection.too_large[1] = 100_000_000

    message = Message(raw, channel)

    assert "it has 100000000 bytes" in str(message.errors[0][1])
    assert channel.connection.too_large == {}


def given_to_the_consumer(frames: Frames) -> tuple[Message, list[Any]]:
    """The one message that came, and the method's arguments as py-amqp decodes them."""
    raw = frames.messages.pop()
    arguments, _ = loads("sLbss", raw.frame_args, 4)
    raw.delivery_info = dict(zip(("exchange", "routing_key"), arguments[3:], strict=True))
    return Message(raw, Published()), arguments


@pytest.mark.parametrize("kind", UNREADABLE_PROPERTIES)
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_message_with_properties_that_cannot_be_decoded_is_refused(kind: str, body: bytes) -> None:
    frames = Frames()

    frames.take((1, 1, delivered()))
    frames.take((2, 1, struct.pack(">HHQ", 60, 0, len(body)) + UNREADABLE_PROPERTIES[kind]))
    if body:
        frames.take((3, 1, body))

    message, arguments = given_to_the_consumer(frames)
    assert "cannot be decoded" in str(message.errors[0][1])
    assert (message.properties, message.body) == ({}, b"")
    assert arguments == ["c", 7, False, "", "predict"]


@pytest.mark.parametrize("names", [(b"", NO_TEXT), (NO_TEXT, b""), (NO_TEXT, NO_TEXT * 100)])
def test_a_message_to_a_name_that_cannot_be_decoded_is_refused(names: tuple[bytes, bytes]) -> None:
    frames = Frames()

    frames.take((1, 1, delivered(*names)))
    frames.take((2, 1, struct.pack(">HHQH", 60, 0, 0, 0x0200) + short(b"replies.1")))

    message, arguments = given_to_the_consumer(frames)
    assert "cannot be decoded" in str(message.errors[0][1])
    assert message.properties == {}
    assert arguments == ["c", 7, False, "", ""]


def test_a_name_beyond_ascii_is_read() -> None:
    frames = Frames()

    frames.take((1, 1, delivered(b"", "größe".encode())))
    frames.take((2, 1, struct.pack(">HHQH", 60, 0, 0, 0)))

    message, arguments = given_to_the_consumer(frames)
    assert not message.errors
    assert arguments[-1] == "größe"


def test_a_message_that_was_asked_for_is_read_so_too() -> None:
    method = struct.pack(">HHQB", *Basic.GetOk, 7, 0)

    read = [Content("", Basic.GetOk, method + short(b"") + short(key) + b"\0\0\0\xff") for key in (b"key", NO_TEXT)]

    assert [loads("Lbssl", content.frame_args, 4)[0] for content in read] == [
        [7, False, "", "key", 255],
        [7, False, "", "", 255],
    ]
    assert [content.unreadable for content in read] == [False, True]
