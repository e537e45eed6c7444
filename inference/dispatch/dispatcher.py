"""Predictions out, answers in: gathers waiting requests into batches, sends them, and receives what comes back.

One sender thread owns the publishing connection and the database connection; answers arrive in the thread of `replies`.
A request is held until it is answered or its deadline has passed: when the broker goes away and comes back, what was in
flight is sent again, since a prediction can be repeated without harm.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any
from uuid import uuid4

from django.db import Error as DatabaseError

from inference.dispatch.admission import Admission
from inference.dispatch.alarm import REFUSAL
from inference.dispatch.answer_future import AnswerFuture
from inference.dispatch.batch import Batch, fail, may_be_one_requests_fault
from inference.dispatch.coalescer import Coalescer, Key, Waiting
from inference.dispatch.flight_limit import FlightLimit
from inference.dispatch.in_flight import InFlight
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.publisher import Publisher
from inference.dispatch.quarantine import Quarantine
from inference.dispatch.replies import Replies
from inference.dispatch.server_loop import CLIENT_HAS_ENDED, server_loop
from inference.errors import (
    BUSY_MESSAGE,
    BrokerBlockedError,
    BrokerUnavailableError,
    BusyError,
    DatabaseAwayError,
    InferenceError,
    PredictionFailedError,
)
from inference.monitoring import observations
from inference.service_thread import ServiceThread
from workers.messages.message import ProtocolError
from workers.messages.news import QUARANTINED_NEWS
from workers.messages.protocol import VersionRef

logger = logging.getLogger(__name__)

#: How often the sender looks for batches and requests whose time is over.
SWEEP_SECONDS = 0.5
#: How soon the sender, with nothing to send, looks whether the broker has taken what it sent: with something to send
#: it looks anyway, and most answers are there before.
CONFIRM_SECONDS = 0.05
#: How long the sender rests after the broker or the database failed it.
PAUSE_SECONDS = 0.5


class Dispatcher:
    """The requests that this gateway process holds."""

    def __init__(
        self, replies: Replies, version_to_use: Callable[[str | None, int | None], VersionRef], requests_max: int
    ) -> None:
        self._replies = replies
        self._version_to_use = version_to_use
        self._publisher = Publisher()
        self._limit = FlightLimit(self._publisher.count_consumers)
        self.admission = Admission(requests_max, lambda: self._limit.gateways)
        self._arriving: deque[Waiting] = deque()
        self._coalescer = Coalescer()
        self._in_flight = InFlight()
        self._quarantine = Quarantine(replies.was_mine)
        self._changed = threading.Condition()
        self._paused_until = 0.0
        #: What cannot be sent until the database answers, by when it is tried again.
        self._resting: dict[Key, float] = {}
        self._next_sweep = 0.0
        self._thread = ServiceThread("sender", self._send_next)
        replies.call_when_connected(self._send_again)
        replies.alarm.call_when_raised(self._refuse_all)
        replies.hear(QUARANTINED_NEWS, self._quarantine.hear)

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def stop(self) -> None:
        """End the sender; what still waits is given up."""
        self._thread.stop()
        self._publisher.close()

    @property
    def batches_in_flight(self) -> int:
        """How many batches are on their way now."""
        return len(self._in_flight)

    @property
    def batches_quarantined(self) -> int:
        """How many of its batches killed the workers that took them, since this process started."""
        return self._quarantine.of_mine

    def submit(self, asked: PredictInput, seconds: float) -> AnswerFuture:
        """The future answer to what is asked for; given up after `seconds`.

        Raises:
            BusyError: as many requests are held as may be.
            BrokerBlockedError: the broker takes no messages.
        """
        self._replies.alarm.check()
        now = monotonic()
        future = AnswerFuture(self.admission.release)
        request = Waiting(asked, now, now + seconds, future, client_has_ended=CLIENT_HAS_ENDED.get())
        if self._thread.stopping.is_set():
            raise BusyError(BUSY_MESSAGE)
        self.admission.admit()
        self._arriving.append(request)
        server_loop().when_all_read(self._let_in)
        return request.future

    def _let_in(self) -> None:
        """Those that have arrived together may travel together."""
        with self._changed:
            while self._arriving:
                self._coalescer.add(self._arriving.popleft())
            self._changed.notify()

    def _send_next(self) -> None:
        requests = self._next_batch()
        if requests:
            self._send(requests)
            self._limit.follow()
        elif self._awaits_confirms:
            self._read_confirms()
        self._heed_confirms()

    @property
    def _awaits_confirms(self) -> bool:
        """Whether it is of use to hear whether the broker has taken what was sent: what is answered, it has."""
        return len(self._in_flight) > 0 and self._publisher.awaits_confirms

    def _next_batch(self) -> list[Waiting]:
        with self._changed:
            self._changed.wait_for(self._may_send, CONFIRM_SECONDS if self._awaits_confirms else SWEEP_SECONDS)
            self._sweep()
            return self._coalescer.take(self._full_keys()) if self._may_send() else []

    def _may_send(self) -> bool:
        if not self._replies.connected or self._replies.alarm.on or monotonic() < self._paused_until:
            return False
        return self._coalescer.has_other_than(self._full_keys())

    def _full_keys(self) -> set[Key]:
        """The keys that have as many batches in flight as may be: one network's loading does not hold up another.

        With fewer of its key in flight a request is sent at once; with more, requests gather.
        """
        full = self._in_flight.full(self._limit.batches)
        if self._resting:
            now = monotonic()
            self._resting = {key: until for key, until in self._resting.items() if until > now}
            full.update(self._resting)
        return full

    def _sweep(self) -> None:
        """Once in a while, let go of what has been given up: batches past their time, and waiting requests."""
        now = monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_SECONDS
        self._coalescer.drop_given_up()
        if self._replies.alarm.on:  # those that were on their way in when it was raised
            self._refuse_all()
        for batch_id in self._in_flight.late(now):
            self._in_flight.remove(batch_id)
            self._replies.forget(batch_id)

    def _send(self, requests: list[Waiting]) -> None:
        try:
            asked = requests[0].asked
            self._send_batch(self._version_to_use(asked.nn_id, asked.version), requests)
        except DatabaseAwayError:
            with self._changed:
                self._coalescer.put_back(requests)
                self._resting[requests[0].key] = monotonic() + PAUSE_SECONDS
        except (BrokerUnavailableError, DatabaseError) as error:
            logger.warning("Holding %d requests, trying again in %g s: %s", len(requests), PAUSE_SECONDS, error)
            with self._changed:
                self._coalescer.put_back(requests)
                self._paused_until = monotonic() + PAUSE_SECONDS
        except InferenceError as error:
            fail(requests, error)
        except Exception as error:
            logger.exception("A batch could not be sent; its %d requests fail.", len(requests))
            fail(requests, PredictionFailedError(f"{type(error).__name__}: {error}"))

    def _send_batch(self, version: VersionRef, requests: list[Waiting]) -> None:
        batch_id, batch = uuid4().hex, Batch(version, requests, monotonic())
        self._quarantine.check(batch)
        self._replies.expect(batch_id, lambda message: self._receive(batch_id, message))
        with self._changed:
            self._in_flight.add(batch_id, batch)
        try:
            seconds_left = batch.deadline - batch.sent
            self._publisher.send_batch(batch_id, batch.message(), self._replies.queue, seconds_left)
            observations.batches.append(len(requests))
        except Exception:
            # When it is missing here, the reply thread has reconnected and put its requests back already.
            if self._forget(batch_id) is not None:
                self._quarantine.note_not_sent(batch)
                raise

    def _read_confirms(self) -> None:
        try:
            self._publisher.read_confirms()
        except BrokerUnavailableError as error:
            logger.warning("Whether the broker has taken what was sent, it does not say: %s", error)
            self._paused_until = monotonic() + PAUSE_SECONDS

    def _heed_confirms(self) -> None:
        """What the broker refuses fails at once; what it may never have had is sent again."""
        for batch_id in self._publisher.take_refused():
            batch = self._forget(batch_id)
            if batch is not None:
                self._quarantine.note_not_sent(batch)
                fail(batch.requests, BusyError(BUSY_MESSAGE))
        for batch_id in self._publisher.take_lost():
            batch = self._forget(batch_id)
            with self._changed:
                self._put_back(batch)

    def _put_back(self, batch: Batch | None) -> None:
        """Have the requests of a batch that may never have reached a worker go again."""
        if batch is not None:
            self._quarantine.note_not_sent(batch)
            self._coalescer.put_back(batch.requests)

    def _send_again(self) -> None:
        """After a reconnect no reply can come to what is in flight: send it again, by what is active then."""
        self._publisher.renew()
        with self._changed:
            lost = self._in_flight.ids()
            for batch_id in lost:
                self._put_back(self._in_flight.remove(batch_id))
                self._replies.forget(batch_id)
            self._paused_until = 0.0
            self._resting.clear()
            self._changed.notify()
        if lost:
            logger.info("Sending %d batches again.", len(lost))

    def _refuse_all(self) -> None:
        """The broker takes no messages, answers neither: nobody waits for its memory or disk to be mended."""
        with self._changed:
            refused = self._coalescer.take_all()
            for batch_id in self._in_flight.ids():
                batch = self._in_flight.remove(batch_id)
                refused += batch.requests if batch else []
                self._replies.forget(batch_id)
        fail(refused, BrokerBlockedError(REFUSAL))

    def _forget(self, batch_id: str) -> Batch | None:
        self._replies.forget(batch_id)
        with self._changed:
            batch = self._in_flight.remove(batch_id)
            if len(self._coalescer):  # else nobody waits for the place, and the sender would wake for nothing
                self._changed.notify()
        return batch

    def _receive(self, batch_id: str, message: Any) -> None:
        batch = self._forget(batch_id)
        if batch is None:
            return
        self._quarantine.note_answered(batch, message)
        if len(batch.requests) > 1 and may_be_one_requests_fault(message):
            self._send_alone(batch.requests)
            return
        try:
            batch.resolve(message)
        except ProtocolError as error:
            logger.exception("A worker's answer cannot be read.")
            fail(batch.requests, PredictionFailedError(f"a worker's answer cannot be read: {error}"))

    def _send_alone(self, requests: list[Waiting]) -> None:
        """Send the requests of a batch again, one by one: nobody's request fails for another one's numbers."""
        with self._changed:
            self._coalescer.put_back([request.to_travel_alone() for request in requests])
            self._changed.notify()
