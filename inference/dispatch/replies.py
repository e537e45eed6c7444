"""The thread that receives everything workers send to this gateway process, and hands it to who asked."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any
from uuid import uuid4

import orjson
from kombu import Connection, Consumer, Producer, Queue
from kombu.exceptions import KombuError
from kombu.message import Message

from inference.dispatch.alarm import LOOK_SECONDS, Alarm
from inference.service_thread import ServiceThread
from workers.broker.connection import HEARTBEAT_SECONDS, abandon, connect
from workers.broker.queues import GATEWAYS, PREDICT, SUPPLY, TRANSIENT
from workers.celery import app
from workers.messages.message import ProtocolError
from workers.messages.news import NEWS_HEADER
from workers.messages.packing import CONTENT_TYPE, unpack
from workers.messages.protocol import GatewayStatus, TicketAnswer, TicketQuestion
from workers.messages.refusals import SignatureError, refusals

logger = logging.getLogger(__name__)

RECONNECT_SECONDS = 0.5
#: A drain that waits no longer than this keeps heartbeats on time and a stop short.
DRAIN_SECONDS = 0.25


def keep_consuming(
    connected: Callable[[Connection], Consumer],
    stopping: threading.Event,
    lost: Callable[[], None] = lambda: None,
    alarm: Alarm | None = None,
    between: Callable[[], None] = lambda: None,
    drain: Callable[[Connection], None] = lambda connection: connection.drain_events(timeout=DRAIN_SECONDS),
) -> None:
    """Consume on a connection of its own until `stopping`, connecting anew whenever it breaks.

    `connected` declares what is needed on a new connection and returns its consumer; `lost` hears of each end; `alarm`
    is kept up to date; `between` is called after each message, when no other one is in hand; `drain` takes a message,
    or raises TimeoutError when none has come for a moment.
    """
    options = alarm.transport_options() if alarm else {}
    while not stopping.is_set():
        connection = app.connection_for_read(heartbeat=HEARTBEAT_SECONDS, transport_options=options)
        errors: tuple[type[BaseException], ...] = (
            OSError,
            KombuError,
            *connection.connection_errors,
            *connection.channel_errors,
        )
        try:
            connect(connection)
            with connected(connection) as consumer:
                _drain(connection, stopping, alarm, consumer.channel, between, drain)
        except errors as error:
            abandon(connection)
            logger.warning("Lost the broker (%s); connecting again in %g s.", error, RECONNECT_SECONDS)
            stopping.wait(RECONNECT_SECONDS)
        finally:
            connection.release()
            if alarm:
                alarm.forget()
            lost()


def _drain(
    connection: Connection,
    stopping: threading.Event,
    alarm: Alarm | None,
    channel: Any,
    between: Callable[[], None],
    drain: Callable[[Connection], None],
) -> None:
    checked = looked = monotonic()
    while not stopping.is_set():
        try:
            drain(connection)
        except TimeoutError:
            pass
        if connection.supports_heartbeats and monotonic() - checked >= 1:
            connection.heartbeat_check()
            checked = monotonic()
        # An in-process broker has no heartbeats, and takes whatever comes.
        if alarm and connection.supports_heartbeats and monotonic() - looked >= LOOK_SECONDS:
            alarm.look(channel)
            looked = monotonic()
        between()


def drop_undecodable(message: Message, error: Exception) -> None:
    """Drop a message that is refused, or no JSON; it is counted, and logged once."""
    if not message.errors:  # else it was counted where it came in
        refusals.add(error, message.delivery_info)
    message.ack()


class Replies:
    """Owns the reply queue of this process: exclusive, gone with its connection, a new name on each."""

    def __init__(self) -> None:
        self._prefix = f"replies.{uuid4().hex}."
        self._connects = 0
        self.queue = ""
        self.alarm = Alarm()
        self._receivers: dict[str, Callable[[Any], None]] = {}
        self._before_connected: list[Callable[[], None]] = []
        self._on_connected: list[Callable[[], None]] = []
        self._news: dict[str, Callable[[Any], None]] = {}
        self._tell: Callable[[], GatewayStatus] | None = None
        self._unanswered: deque[Message] = deque()
        self._connected = threading.Event()
        self._thread = ServiceThread("replies", self._receive_all)

    def start(self) -> None:
        """Start receiving."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close its connection."""
        self._thread.stop()

    @property
    def connected(self) -> bool:
        """Whether replies can arrive now."""
        return self._connected.is_set()

    def was_mine(self, queue: str) -> bool:
        """Whether the reply queue is this process's, or was before it connected anew."""
        return queue.startswith(self._prefix)

    def wait_connected(self, timeout_seconds: float) -> bool:
        """Whether replies can arrive, waited for."""
        return self._connected.wait(timeout_seconds)

    def call_before_connected(self, callback: Callable[[], None]) -> None:
        """Have `callback` called before each (re)connect is known of: news may have been missed until then."""
        self._before_connected.append(callback)

    def call_when_connected(self, callback: Callable[[], None]) -> None:
        """Have `callback` called after each (re)connect: replies to what was asked before are lost then."""
        self._on_connected.append(callback)

    def tell_when_asked(self, tell: Callable[[], GatewayStatus]) -> None:
        """Answer other gateways' questions with what `tell` returns."""
        self._tell = tell

    def hear(self, kind: str, receiver: Callable[[Any], None]) -> None:
        """Hand news of this kind, which reach every gateway process, to `receiver`, in the reply thread."""
        self._news[kind] = receiver

    def expect(self, ticket: str, receiver: Callable[[Any], None]) -> None:
        """Hand messages with the correlation id `ticket` to `receiver`, in the reply thread."""
        self._receivers[ticket] = receiver

    def forget(self, ticket: str) -> None:
        """Drop later messages with the correlation id `ticket`."""
        self._receivers.pop(ticket, None)

    def _receive_all(self) -> None:
        keep_consuming(self._consume, self._thread.stopping, self._connected.clear, self.alarm, self._answer_all)

    def _consume(self, connection: Connection) -> Consumer:
        self._unanswered.clear()  # those who still wait ask again
        channel = connection.channel()
        for shared in (PREDICT, SUPPLY):
            shared(channel).queue_declare()
        self._connects += 1
        queue = Queue(f"{self._prefix}{self._connects}", GATEWAYS, exclusive=True, auto_delete=True, durable=False)(
            channel
        )
        queue.declare()
        consumer = Consumer(
            channel,
            [queue],
            on_message=self._receive,
            on_decode_error=self._refuse,
            no_ack=True,
            auto_declare=False,
            accept=["json"],
        )
        consumer.consume()
        self.queue = queue.name
        for callback in self._before_connected:
            callback()
        self._connected.set()
        for callback in self._on_connected:
            callback()
        return consumer

    def _receive(self, message: Message) -> None:
        if message.headers and NEWS_HEADER in message.headers:
            self._hear(message)
        if message.properties.get("reply_to"):
            self._unanswered.append(message)
            return
        receiver = self._receivers.get(str(message.properties.get("correlation_id")))
        if receiver is None:
            return  # its request has been answered, or given up
        try:
            receiver(_read(message))
        except Exception:
            logger.exception("A message from a worker could not be handled; its request will time out.")

    def _hear(self, message: Message) -> None:
        receiver = self._news.get(str(message.headers[NEWS_HEADER]))
        if receiver is None:
            return  # another release's
        try:
            receiver(_read(message))
        except Exception:
            logger.exception("News for every gateway could not be read; this one goes on without.")

    def _answer_all(self) -> None:
        """Answer what has come in, on the connection that it came on, which is known to lead somewhere.

        Not at once: py-amqp reads what has arrived before it publishes, so one would be answered within another one.
        """
        while self._unanswered:
            self._answer(self._unanswered.popleft())

    def _answer(self, message: Message) -> None:
        """Answer another gateway's question how this process is, or a worker's whether a ticket is waited for.

        Who tells news asks how this process is, so that the answer says that they were heard.
        """
        try:
            question = _read(message)
            asks_for_ticket = isinstance(question, dict) and "ticket" in question
            answer = self._awaits(TicketQuestion.from_json(question)) if asks_for_ticket else self._status()
        except ValueError as error:
            refusals.add(error, message.delivery_info)
            return
        except Exception:
            logger.exception("A question could not be answered; who asked it asks again.")
            return
        if answer is None:
            return
        channel: Any = message.channel
        Producer(channel, auto_declare=False).publish(
            answer.to_json(),
            exchange="",
            routing_key=message.properties["reply_to"],
            correlation_id=message.properties.get("correlation_id"),
            serializer="json",
            delivery_mode=TRANSIENT,
        )

    def _awaits(self, question: TicketQuestion) -> TicketAnswer:
        return TicketAnswer(question.ticket in self._receivers)

    def _status(self) -> GatewayStatus | None:
        return None if self._tell is None else self._tell()

    def _refuse(self, message: Message, error: Exception) -> None:
        """Drop a message; a batch whose answer it would have been fails now, and not when its time is over."""
        drop_undecodable(message, error)
        receiver = self._receivers.get(str(message.properties.get("correlation_id")))
        if receiver is None or not isinstance(error, SignatureError):
            return
        try:
            receiver({"status": "FAILURE", "traceback": f"a worker's answer is refused: {error}"})
        except ProtocolError:
            pass  # it is no batch that is waited for; the log has the reason


def _read(message: Message) -> Any:
    """The value in a message's JSON, or what a worker has packed.

    Raises:
        ValueError: it is neither.
    """
    if message.content_type == CONTENT_TYPE and not message.headers.get("compression"):
        return unpack(message.body)  # type: ignore[arg-type]  # what is binary stays bytes
    if message.content_type != "application/json" or message.headers.get("compression"):
        raise ValueError(f"a message is {message.content_type}, not plain JSON")
    return orjson.loads(message.body or "")
