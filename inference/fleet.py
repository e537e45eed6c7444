"""Broadcast out, reports in: asks every connected worker, and returns as soon as the last has answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar
from uuid import uuid4

from inference.errors import BrokerUnavailableError
from inference.publisher import Publisher
from inference.replies import Replies
from workers.celery import app
from workers.protocol import LOAD_COMMAND, STATUS_COMMAND, Report, VersionRef, WorkerStatus

#: How often the workers are counted again: one that has left is not waited for.
COUNT_SECONDS = 0.25
#: How often the command is sent again while answers are missing: a worker may have been reconnecting.
ASK_AGAIN_SECONDS = 2.0

M = TypeVar("M", Report, WorkerStatus)


@dataclass(frozen=True)
class FleetAnswer(Generic[M]):
    """What came back, ordered by worker, and how many connected workers did not answer in time."""

    messages: list[M]
    silent: int


class Fleet:
    """The workers that are connected now, as one."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._publisher = Publisher()

    def load(self, version: VersionRef, timeout_seconds: float) -> FleetAnswer[Report]:
        """Have every worker load a version; what they serve does not change.

        Raises:
            BrokerUnavailableError: the broker cannot be reached.
        """
        return self._ask(LOAD_COMMAND, {"version": version.to_json()}, Report.from_json, timeout_seconds)

    def status(self, default: VersionRef | None, timeout_seconds: float) -> FleetAnswer[WorkerStatus]:
        """Have every worker tell how it is.

        Raises:
            BrokerUnavailableError: the broker cannot be reached.
        """
        arguments = {"default": default.to_json() if default else None}
        return self._ask(STATUS_COMMAND, arguments, WorkerStatus.from_json, timeout_seconds)

    def stop(self) -> None:
        """Close the connection."""
        self._publisher.close()

    def _ask(
        self, command: str, arguments: dict[str, Any], parse: Callable[[Any], M], timeout_seconds: float
    ) -> FleetAnswer[M]:
        deadline = monotonic() + timeout_seconds
        if not self._replies.wait_connected(timeout_seconds):
            raise BrokerUnavailableError("the broker cannot be reached")
        ticket = uuid4().hex
        answers: dict[str, M] = {}
        arrived = threading.Condition()

        def receive(data: Any) -> None:
            message = parse(data)
            with arrived:
                answers[message.worker] = message
                arrived.notify()

        self._replies.expect(ticket, receive)
        try:
            ask_again = 0.0
            workers = self._publisher.count_workers()
            while len(answers) < workers and monotonic() < deadline:
                if monotonic() >= ask_again:
                    # A new connection has a new reply queue, so its name goes into every asking.
                    details = {**arguments, "reply_to": self._replies.queue, "ticket": ticket}
                    app.control.broadcast(command, arguments=details)
                    ask_again = monotonic() + ASK_AGAIN_SECONDS
                with arrived:
                    if len(answers) < workers:
                        arrived.wait(COUNT_SECONDS)
                if len(answers) < workers:
                    workers = self._publisher.count_workers()
        finally:
            self._replies.forget(ticket)
        messages = [answers[worker] for worker in sorted(answers)]
        return FleetAnswer(messages, max(0, workers - len(messages)))
