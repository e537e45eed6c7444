"""The thread that sends batches: it reads which version is active, and publishes. What does not go comes back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from django.db import Error as DatabaseError

from inference.dispatch.batch import Batch
from inference.dispatch.flight_limit import FlightLimit
from inference.dispatch.publisher import Publisher
from inference.dispatch.quarantine import Quarantine
from inference.dispatch.replies import Replies
from inference.dispatch.versions_to_use import Read
from inference.errors import BUSY_MESSAGE, BrokerUnavailableError, BusyError, InferenceError, PredictionFailedError
from inference.monitoring import observations
from inference.service_thread import ServiceThread
from workers.broker.queues import PREDICT

logger = logging.getLogger(__name__)

#: How soon the sender, with nothing to send, looks whether the broker has taken what it sent: with something to send
#: it looks anyway, and most answers are there before.
CONFIRM_SECONDS = 0.05
#: How long it rests after the broker has failed it.
PAUSE_SECONDS = 0.5
#: How long it waits for something to send before it looks whether it is to end.
LOOK_SECONDS = 0.5


class NotTakenError(BrokerUnavailableError):
    """Nobody knows whether the broker has a batch: the connection broke before it has said so."""


class Sender:
    """Owns the connection that publishes and, for this thread, one to the database."""

    def __init__(
        self,
        replies: Replies,
        version_to_use: Read,
        quarantine: Quarantine,
        received: Callable[[Batch, Any], None],
        came_back: Callable[[str, Exception], None],
        awaited: Callable[[], int],
    ) -> None:
        """`received` is given a worker's answer in the thread of `replies`; `came_back` the id of a batch that was not
        sent, or may not have reached the broker, and why, in this thread; `awaited` tells how many are on their way.
        """
        self._replies = replies
        self._version_to_use = version_to_use
        self._quarantine = quarantine
        self._received = received
        self._came_back = came_back
        self._awaited = awaited
        self._publisher = Publisher()
        self.limit = FlightLimit(self._publisher.count_consumers)
        self._outbox: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = ServiceThread("sender", self._send_next)

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    @property
    def stopping(self) -> bool:
        """Whether it sends no more."""
        return self._thread.stopping.is_set()

    def stop(self) -> None:
        """End the thread; what it has not sent stays unsent."""
        self._thread.stopping.set()
        self._outbox.put(None)
        self._thread.stop()
        self._publisher.close()

    def send(self, batch: Batch) -> None:
        """Have a batch sent soon; from any thread."""
        self._outbox.put(batch)

    def renew(self) -> None:
        """Open a new connection for what is sent next."""
        self._publisher.renew()

    def _send_next(self) -> None:
        try:
            batch = self._outbox.get(timeout=CONFIRM_SECONDS if self._awaits_confirms else LOOK_SECONDS)
        except Empty:
            if self._awaits_confirms:
                self._read_confirms()
        else:
            if batch is not None and not batch.withdrawn:
                self._send(batch)
                self.limit.follow()
        self._heed_confirms()

    @property
    def _awaits_confirms(self) -> bool:
        """Whether it is of use to hear whether the broker has taken what was sent: what is answered, it has."""
        return self._awaited() > 0 and self._publisher.awaits_confirms

    def _send(self, batch: Batch) -> None:
        try:
            asked = batch.requests[0].asked
            batch.version = self._version_to_use(asked.network, asked.version)
            batch.sent = monotonic()
            self._quarantine.check(batch)
            self._publish(batch)
        except (InferenceError, DatabaseError) as error:
            self._came_back(batch.id, error)
        except Exception as error:
            logger.exception("A batch could not be sent; its %d requests fail.", len(batch.requests))
            self._came_back(batch.id, PredictionFailedError(f"{type(error).__name__}: {error}"))

    def _publish(self, batch: Batch) -> None:
        self._replies.expect(batch.id, lambda message: self._received(batch, message))
        if batch.withdrawn:  # since it was looked at: who withdrew it may not have seen that an answer is expected
            self._replies.forget(batch.id)
            self._quarantine.note_not_sent(batch)
            return
        seconds_left = batch.deadline - batch.sent
        self._publisher.send_batch(batch.id, batch.message(), self._replies.queue, seconds_left)
        observations.batches.append(len(batch.requests))

    def _why_refused(self) -> InferenceError:
        """The broker's queue is full, or a node of the broker is gone and others have not taken its place yet."""
        try:
            waiting = self._publisher.count_waiting(PREDICT)
        except BrokerUnavailableError as error:
            return error
        if waiting:
            return BusyError(BUSY_MESSAGE)
        return BrokerUnavailableError("it refuses what its empty queue has room for")

    def _read_confirms(self) -> None:
        try:
            self._publisher.read_confirms()
        except BrokerUnavailableError as error:
            logger.warning("Whether the broker has taken what was sent, it does not say: %s", error)
            self._thread.stopping.wait(PAUSE_SECONDS)

    def _heed_confirms(self) -> None:
        """What the broker refuses fails at once, or is sent again; what it may never have had is sent again."""
        if refused := self._publisher.take_refused():
            why = self._why_refused()
            for batch_id in refused:
                self._came_back(batch_id, why)
        for batch_id in self._publisher.take_lost():
            self._came_back(batch_id, NotTakenError("the connection broke before the broker had said so"))
