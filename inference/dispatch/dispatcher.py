"""Predictions out, answers in: gathers waiting requests into batches, has them sent, and gives back what comes.

All of it happens in the thread of the event loop that asks, and so without locks; `Sender` and `Replies` have threads
of their own, which call it back. A request is held until it is answered or its deadline has passed: when the broker
goes away and comes back, what was in flight is sent again, since a prediction can be repeated without harm.
"""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any

from django.db import Error as DatabaseError

from inference.dispatch.admission import Admission
from inference.dispatch.alarm import REFUSAL
from inference.dispatch.answer import Answer
from inference.dispatch.batch import Batch, fail, may_be_one_requests_fault
from inference.dispatch.coalescer import Coalescer
from inference.dispatch.in_flight import InFlight
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.quarantine import Quarantine
from inference.dispatch.replies import Replies
from inference.dispatch.sender import NotTakenError, Sender
from inference.dispatch.versions_to_use import Read
from inference.dispatch.waiting import Key, Outcome, Waiting, nobody_knows
from inference.errors import (
    BUSY_MESSAGE,
    BrokerBlockedError,
    BrokerUnavailableError,
    BusyError,
    DatabaseAwayError,
    InferenceError,
    PredictionFailedError,
    QuarantinedError,
)
from workers.messages.message import ProtocolError
from workers.messages.news import QUARANTINED_NEWS

logger = logging.getLogger(__name__)

#: How often it looks for batches and requests whose time is over.
SWEEP_SECONDS = 0.25
#: How long nothing is sent after the broker or the database failed.
PAUSE_SECONDS = 0.5
#: How many turns of the loop a request waits for others that arrive with it: one in which the sockets that are readable
#: are read, and one in which what was read becomes requests.
TURNS = 2


class Dispatcher:
    """The requests that this gateway process holds."""

    def __init__(self, replies: Replies, version_to_use: Read, requests_max: int) -> None:
        self._replies = replies
        self._quarantine = Quarantine(replies.was_mine)
        self._in_flight = InFlight()
        self._sender = Sender(
            replies, version_to_use, self._quarantine, self._receive, self._come_back, self._in_flight.__len__
        )
        self.admission = Admission(requests_max)
        self._arriving: deque[Waiting] = deque()
        self._coalescer = Coalescer()
        self._paused_until = 0.0
        #: What cannot be sent until the database answers, by when it is tried again.
        self._resting: dict[Key, float] = {}
        self._loop: AbstractEventLoop | None = None
        replies.call_when_connected(lambda: self._call(self._send_again))
        replies.alarm.call_when_raised(lambda: self._call(self._refuse_all))
        replies.hear(QUARANTINED_NEWS, self._quarantine.hear)

    def start(self, loop: AbstractEventLoop) -> None:
        """Start sending what is submitted in this loop."""
        self._loop = loop
        self._sender.start()
        self._call(self._keep_sweeping)

    def stop(self) -> None:
        """End the sender; what still waits is given up. From any thread."""
        self._sender.stop()
        self._call(self._give_up_all)

    @property
    def batches_in_flight(self) -> int:
        """How many batches are on their way now."""
        return len(self._in_flight)

    @property
    def batches_quarantined(self) -> int:
        """How many of its batches killed the workers that took them, since this process started."""
        return self._quarantine.of_mine

    async def predict(
        self, asked: PredictInput, seconds: float, client_has_ended: Callable[[], bool] = nobody_knows
    ) -> Answer:
        """The answer to what is asked for.

        Raises:
            BusyError: as many requests are held as may be.
            BrokerBlockedError: the broker takes no messages.
            InferenceError: it has none.
            TimeoutError: it has none after so many `seconds`.
        """
        self._replies.alarm.check()
        if self._loop is None or self._sender.stopping:
            raise BusyError(BUSY_MESSAGE)
        now = monotonic()
        request = Waiting(asked, now, now + seconds, self._loop.create_future(), client_has_ended)
        self.admission.admit(request)
        try:
            self._let_in_soon(request)
            outcome = await request.future
        finally:
            self.admission.release(request)
        if isinstance(outcome, Answer):
            return outcome
        try:
            # The requests of a batch have the same error; it need not know the calls that it has ended before.
            raise outcome.with_traceback(None)
        finally:
            del outcome  # it would know this call, and keep it for the garbage collector

    def _let_in_soon(self, request: Waiting) -> None:
        """Those that arrive together may travel together."""
        self._arriving.append(request)
        if len(self._arriving) == 1 and self._loop:
            self._loop.call_soon(self._let_in, TURNS)

    def _let_in(self, turns: int) -> None:
        if turns and self._loop:
            self._loop.call_soon(self._let_in, turns - 1)
            return
        while self._arriving:
            self._coalescer.add(self._arriving.popleft())
        self._send_ready()

    def _send_ready(self) -> None:
        """Send what may go by now."""
        while self._replies.connected and not self._replies.alarm.on and monotonic() >= self._paused_until:
            full = self._full_keys()
            requests = self._coalescer.take(full)
            if requests:
                batch = Batch(requests)
                self._in_flight.add(batch)
                self._sender.send(batch)
            elif not self._coalescer.has_other_than(full):
                return

    def _full_keys(self) -> set[Key]:
        """The keys that have as many batches in flight as may be: one network's loading does not hold up another.

        With fewer of its key in flight a request is sent at once; with more, requests gather.
        """
        full = self._in_flight.full(self._sender.limit.batches)
        if self._resting:
            now = monotonic()
            self._resting = {key: until for key, until in self._resting.items() if until > now}
            full.update(self._resting)
        return full

    def _keep_sweeping(self) -> None:
        if self._loop and not self._sender.stopping:
            # Now, and not at the end: a sweep that fails is not the last one.
            self._loop.call_later(SWEEP_SECONDS, self._keep_sweeping)
        self._sweep()

    def _sweep(self) -> None:
        """Once in a while, let go of what has been given up: batches past their time, and waiting requests."""
        now = monotonic()
        self.admission.share(self._sender.limit.gateways)
        for request in self.admission.late(now):
            if not request.future.done():
                request.future.set_exception(TimeoutError())
        self._coalescer.drop_given_up()
        if self._replies.alarm.on:  # those that were on their way in when it was raised
            self._refuse_all()
        for batch_id in self._in_flight.late(now):
            self._forget(batch_id)
        self._send_ready()

    def _give_up_all(self) -> None:
        for request in self.admission.late(inf):
            request.finish(BusyError(BUSY_MESSAGE))

    def _call(self, act: Callable[..., None], *arguments: Any) -> None:
        """Have the loop do something; from any thread."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(act, *arguments)
        except RuntimeError:
            pass  # it has ended, and holds no requests

    def _come_back(self, batch_id: str, error: Exception) -> None:
        self._call(self._take_back, batch_id, error)

    def _take_back(self, batch_id: str, error: Exception) -> None:
        """A batch was not sent, or nobody knows whether the broker has it."""
        batch = self._forget(batch_id)
        if batch is None:
            return  # its requests have been put back already, or answered
        if not isinstance(error, QuarantinedError):  # else it was not let through
            self._quarantine.note_not_sent(batch)
        match error:
            case NotTakenError():
                self._coalescer.put_back(batch.requests)
            case DatabaseAwayError():
                self._coalescer.put_back(batch.requests)
                self._resting[batch.key] = monotonic() + PAUSE_SECONDS
            case BrokerUnavailableError() | DatabaseError():
                logger.warning(
                    "Holding %d requests, trying again in %g s: %s", len(batch.requests), PAUSE_SECONDS, error
                )
                self._coalescer.put_back(batch.requests)
                self._paused_until = monotonic() + PAUSE_SECONDS
            case InferenceError():
                fail(batch.requests, error)
        self._send_ready()

    def _send_again(self) -> None:
        """After a reconnect no reply can come to what is in flight: send it again, by what is active then."""
        self._sender.renew()
        lost = self._in_flight.ids()
        for batch_id in lost:
            batch = self._forget(batch_id)
            if batch is not None:
                self._quarantine.note_not_sent(batch)
                self._coalescer.put_back(batch.requests)
        self._paused_until = 0.0
        self._resting.clear()
        if lost:
            logger.info("Sending %d batches again.", len(lost))
        self._send_ready()

    def _refuse_all(self) -> None:
        """The broker takes no messages, answers neither: nobody waits for its memory or disk to be mended."""
        refused = self._coalescer.take_all()
        for batch_id in self._in_flight.ids():
            batch = self._forget(batch_id)
            refused += batch.requests if batch else []
        fail(refused, BrokerBlockedError(REFUSAL))

    def _forget(self, batch_id: str) -> Batch | None:
        batch = self._in_flight.remove(batch_id)  # first: the sender looks at it after it has expected an answer
        self._replies.forget(batch_id)
        return batch

    def _receive(self, batch: Batch, message: Any) -> None:
        """A worker has answered: read it here, in the thread of the replies, so that the loop need not."""
        self._quarantine.note_answered(batch, message)
        if len(batch.requests) > 1 and may_be_one_requests_fault(message):
            self._call(self._send_alone, batch)
            return
        outcomes: list[Outcome]
        try:
            outcomes = batch.outcomes(message)
        except ProtocolError as error:
            logger.exception("A worker's answer cannot be read.")
            outcomes = [PredictionFailedError(f"a worker's answer cannot be read: {error}")] * len(batch.requests)
        self._call(self._finish, batch, outcomes)

    def _finish(self, batch: Batch, outcomes: list[Outcome]) -> None:
        if self._forget(batch.id) is not None:
            batch.finish(outcomes)
            self._send_ready()

    def _send_alone(self, batch: Batch) -> None:
        """Send the requests of a batch again, one by one: nobody's request fails for another one's numbers."""
        if self._forget(batch.id) is not None:
            self._coalescer.put_back([request.to_travel_alone() for request in batch.requests])
            self._send_ready()
