"""The channel of every connection to RabbitMQ: signs what is published, and refuses what must not be read.

A refused message reaches a consumer's `on_decode_error` and nothing else. It is judged before kombu decompresses it,
and one that is larger than any of ours is thrown away piece by piece as it arrives. One that py-amqp cannot decode,
which would end the connection or the process, and the next one's that the broker hands it to, is refused as well.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from struct import unpack_from
from typing import Any

import amqp
from amqp import method_framing
from amqp.exceptions import AMQPError
from amqp.serialization import loads
from amqp.spec import Basic
from kombu.transport import pyamqp

from workers.messages.protocol import MESSAGE_BYTES_MAX
from workers.messages.refusals import RefusedError, refusals
from workers.messages.signing import SIGNATURE, UNSIGNED, message_keys, refuse_signed

#: AMQP's kinds of frames, and where a header frame says how long the body is.
_HEADER_FRAME, _BODY_FRAME = 2, 3
_SIZE_FIRST, _SIZE_LAST = 4, 12

#: Where a delivery's arguments start, and what is before the names of exchange and routing key, which the sender chose.
_ARGUMENTS, _TAG_BYTES = 4, 9
#: What follows them, of a message that was asked for: how many wait.
_COUNT_BYTES = 4
_NO_NAMES = b"\0\0"
#: What py-amqp's decoding raises: no UTF-8, a table that is nested too deep or breaks off, a time beyond any calendar.
_UNDECODABLE = (AMQPError, ArithmeticError, LookupError, OSError, RecursionError, struct.error, ValueError)

Frame = tuple[int, int, bytes]


class Content(amqp.Message):
    """What py-amqp makes of a message's frames; if it cannot be decoded, without all that its sender wrote."""

    unreadable = False

    def __init__(self, body: Any = "", frame_method: Any = None, frame_args: Any = None, **options: Any) -> None:
        if frame_method in (Basic.Deliver, Basic.GetOk):
            frame_args = self._with_readable_names(frame_args, asked_for=frame_method == Basic.GetOk)
        super().__init__(body, frame_method=frame_method, frame_args=frame_args, **options)

    def _with_readable_names(self, arguments: bytes, *, asked_for: bool) -> bytes:
        consumer_bytes = 0 if asked_for else 1 + arguments[_ARGUMENTS]
        names = _ARGUMENTS + consumer_bytes + _TAG_BYTES
        if arguments[names:].isascii():  # all of ours
            return arguments
        try:
            loads("ss", arguments, names)
        except _UNDECODABLE:
            self.unreadable = True
            count = arguments[-_COUNT_BYTES:] if asked_for else b""
            return arguments[:names] + _NO_NAMES + count
        return arguments

    def _load_properties(self, class_id: int, buf: bytes, offset: int) -> int:
        if not self.unreadable:
            try:
                return int(super()._load_properties(class_id, buf, offset))  # type: ignore[misc]  # not in the stubs
            except _UNDECODABLE:
                self.unreadable = True
        self.properties: dict[str, Any] = {}
        return len(buf)


# py-amqp's reader of frames has no other place to say so.
method_framing.Message = Content  # type: ignore[assignment, misc]


class Message(pyamqp.Message):
    """A message as it arrived, or the reason why it is refused."""

    def __init__(self, msg: Any, channel: Any = None, **options: Any) -> None:
        try:
            _judge(msg, channel)
        except RefusedError as error:
            refusals.add(error, msg.delivery_info)
            self.errors = [sys.exc_info()]
            msg.body = b""
        super().__init__(msg, channel=channel, **options)


class Channel(pyamqp.Channel):
    """A channel that signs and verifies when there is a key.

    What comes by one that `takes_unsigned` need not be signed, and is believed by nobody. A message's exchange and
    routing key would not tell: by its sender's header `CC`, RabbitMQ delivers it to other queues too, under these.
    """

    Message = Message
    takes_unsigned = False

    def _basic_publish(
        self, msg: Any, exchange: str = "", routing_key: str = "", *arguments: Any, **options: Any
    ) -> Any:
        keys = message_keys()
        headers = msg.properties.get("application_headers") or {}
        if keys is not None and headers.get(SIGNATURE) != UNSIGNED[SIGNATURE]:
            if isinstance(msg.body, str):
                msg.body = msg.body.encode(msg.properties.setdefault("content_encoding", "utf-8"))
            signature = keys.sign(msg.body, exchange, routing_key, msg.properties)
            msg.properties["application_headers"] = {**headers, SIGNATURE: signature}
        return super()._basic_publish(msg, exchange, routing_key, *arguments, **options)  # type: ignore[misc]  # amqp's

    # py-amqp has it under two names, and calls the other one to have a message confirmed.
    basic_publish = _basic_publish


def _judge(msg: Any, channel: Any) -> None:
    """Raises RefusedError for a message that must not be read."""
    size = channel.connection.too_large.pop(channel.channel_id, None)
    if size is not None:
        raise RefusedError(f"it has {size} bytes; {MESSAGE_BYTES_MAX} is the most that is taken")
    if getattr(msg, "unreadable", False):
        raise RefusedError("its properties or its routing key cannot be decoded")
    if (msg.properties.get("application_headers") or {}).get("compression") is not None:
        raise RefusedError("it is compressed, and may become any size; none of Pipeline's is")
    if getattr(channel, "takes_unsigned", False):
        return
    keys = message_keys()
    if keys is None:
        refuse_signed(msg.properties)
        return
    place = msg.delivery_info
    body = msg.body.encode() if isinstance(msg.body, str) else bytes(msg.body)
    keys.verify(body, place["exchange"], place["routing_key"], msg.properties)


def bounded_frames(connection: Any, callback: Callable[..., None]) -> Callable[[Frame], bool]:
    """py-amqp's reader of frames; of a message that is too large it sees no body, and the connection notes its size."""
    handle = method_framing.frame_handler(connection, callback)
    left: dict[int, int] = {}

    def on_frame(frame: Frame) -> bool:
        kind, channel, payload = frame
        if kind == _HEADER_FRAME:
            left.pop(channel, None)  # of a channel that was closed within a message
            size = unpack_from(">Q", payload, _SIZE_FIRST)[0]
            if size > MESSAGE_BYTES_MAX:
                left[channel] = connection.too_large[channel] = size
                frame = kind, channel, payload[:_SIZE_FIRST] + bytes(_SIZE_LAST - _SIZE_FIRST) + payload[_SIZE_LAST:]
        elif kind == _BODY_FRAME and channel in left:
            connection.bytes_recv += 1  # its heartbeats count what arrives
            left[channel] -= len(payload)
            if left[channel] <= 0:
                del left[channel]
            return False
        return bool(handle(frame))

    return on_frame
