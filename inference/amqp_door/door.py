"""The thread that takes tasks from the queue `pipeline`, has the event loop predict, and answers.

A message is acknowledged when its answer is on its way: those of a process that dies go to another one. A prediction
can be repeated without harm.
"""

from __future__ import annotations

import logging
import threading
from asyncio import AbstractEventLoop, run_coroutine_threadsafe
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from amqp.exceptions import ChannelError
from kombu import Connection, Consumer
from kombu.message import Message

from inference.amqp_door.answers import Answers
from inference.amqp_door.asked import Asked
from inference.amqp_door.names import ENDPOINT, QUEUE
from inference.amqp_door.request import read_request
from inference.amqp_door.return_address import ReturnAddress, read_return_address
from inference.amqp_door.told import failure, result_of, success
from inference.amqp_door.waker import Waker
from inference.dispatch.answer import Answer
from inference.dispatch.replies import keep_consuming
from inference.gateway import gateway
from inference.http.observed import note_prediction
from inference.service_thread import ServiceThread
from workers.messages.refusals import RefusedError, refusals

logger = logging.getLogger(__name__)

#: How many tasks a process has at a time; what the largest have in them, 11 MiB each, is in its memory then.
PREFETCH = 64
#: How long it rests when the broker does not let it have the queue.
REST_SECONDS = 30.0


@dataclass(eq=False, slots=True)
class Task:
    """One message, from when it is taken until it is acknowledged."""

    message: Message
    to: ReturnAddress
    began: float


#: What a task comes to: its result, or it raises.
Outcome = Callable[[], dict[str, Any]]


class AmqpDoor:
    """Owns the thread and its connection."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = ServiceThread("amqp door", self._serve)
        self._waker = Waker()
        self._channel: Any = None
        self._answers: Answers | None = None
        self._consumer: Consumer | None = None
        #: What the current connection has brought and is not acknowledged, and what of it has ended.
        self._held: set[Task] = set()
        self._ended: deque[tuple[Task, Outcome]] = deque()
        self._takes_no_more = threading.Event()
        self._idle = threading.Event()

    def start(self) -> None:
        """Start taking tasks."""
        self._thread.start()

    def take_no_more(self) -> None:
        """Leave to others what comes from now on."""
        self._takes_no_more.set()
        self._waker.wake()

    def wait_idle(self, seconds: float) -> None:
        """Wait until what was taken is answered; what came by a connection that broke goes to another process."""
        self._idle.wait(seconds)

    def stop(self) -> None:
        """End the thread; what is not answered goes to another process."""
        self._idle.set()
        self._thread.stopping.set()
        self._waker.wake()
        self._thread.stop()
        self._waker.close()

    def _serve(self) -> None:
        keep_consuming(
            self._consume, self._thread.stopping, lost=self._lose, between=self._answer_all, drain=self._waker.drain
        )

    def _lose(self) -> None:
        """The connection is lost, or was none."""
        self._held.clear()
        self._consumer = None
        if self._takes_no_more.is_set():
            self._idle.set()

    def _consume(self, connection: Connection) -> Consumer:
        self._held.clear()  # the broker gives them to somebody again
        channel: Any = connection.channel()
        channel.takes_unsigned = True
        queue = QUEUE(channel)
        consumer = Consumer(
            channel,
            [queue],
            on_message=self._receive,
            on_decode_error=self._receive_refused,
            prefetch_count=PREFETCH,
            auto_declare=False,
        )
        self._channel, self._answers, self._consumer = channel, Answers(connection, channel), consumer
        if self._takes_no_more.is_set():
            return consumer
        try:
            queue.queue_declare()
            consumer.consume()
        except ChannelError as error:
            logger.warning("The queue %s cannot be used; trying again in %g s: %s", QUEUE.name, REST_SECONDS, error)
            self._takes_no_more.wait(REST_SECONDS)
            raise
        return consumer

    def _receive(self, message: Message) -> None:
        self._take(message, self._begin)

    def _receive_refused(self, message: Message, error: Exception) -> None:
        """What `workers.broker.channel` does not let anybody read, and has counted."""

        def refuse(_: Task) -> None:
            raise error if isinstance(error, RefusedError) else RefusedError(str(error))

        self._take(message, refuse)

    def _take(self, message: Message, begin: Callable[[Task], None]) -> None:
        """Begin to answer a message; what goes wrong with it is its answer."""
        if self._takes_no_more.is_set():
            return  # it goes back when the connection ends
        to = read_return_address(message.properties, message.headers)
        if to is None:
            if not message.errors:
                refusals.add(RefusedError("it names nowhere to answer to"), message.delivery_info)
            message.ack()
            return
        task = Task(message, to, monotonic())
        self._held.add(task)
        try:
            begin(task)
        except Exception as error:  # noqa: BLE001 - it is answered, and logged if it is a defect
            if isinstance(error, RefusedError) and not message.errors:
                refusals.add(error, message.delivery_info)
            self._ended.append((task, partial(_raise, error)))

    def _begin(self, task: Task) -> None:
        asked = read_request(task.message, task.to.task_id)
        predicting = run_coroutine_threadsafe(gateway().predictions.predict(asked.predict), self._loop)
        predicting.add_done_callback(partial(self._end, task, asked))

    def _end(self, task: Task, asked: Asked, predicting: Future[Answer]) -> None:
        """In the loop's thread."""
        self._ended.append((task, lambda: result_of(asked, predicting.result())))
        self._waker.wake()

    def _answer_all(self) -> None:
        """Answer what has ended. py-amqp reads what has arrived before it publishes, so more may end meanwhile."""
        while self._ended:
            task, outcome = self._ended.popleft()
            if task.message.channel is self._channel:  # else that connection broke, and another one has the task
                self._answer(task, outcome)
        if self._takes_no_more.is_set():
            self._leave()

    def _answer(self, task: Task, outcome: Outcome) -> None:
        assert self._answers is not None  # noqa: S101 - a task has come by it
        status = 200
        try:
            content = success(task.to.task_id, outcome())
        except CancelledError:  # this process ends at once, and another one has the task
            return
        except Exception as error:  # noqa: BLE001 - it is answered, and logged if it is a defect
            status, content = failure(task.to.task_id, error)
        self._answers.send(content, task.to)
        task.message.ack()
        self._held.discard(task)
        note_prediction(ENDPOINT, status, monotonic() - task.began)

    def _leave(self) -> None:
        if self._consumer is not None:
            self._consumer.cancel()
            self._consumer = None
        if not self._held:
            self._idle.set()


def _raise(error: Exception) -> dict[str, Any]:
    raise error
