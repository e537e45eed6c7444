"""The workers, and the other gateway processes, that are connected now: what to tell them, what they answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Set
from functools import partial
from typing import Any, TypeVar

from inference.dispatch.publisher import Publisher
from inference.dispatch.replies import Replies
from inference.errors import BrokerUnavailableError
from inference.versions.asking import Answers, Question, ask_everybody
from workers.broker.queues import PREDICT, SUPPLY
from workers.messages.measures import MEASURES_COMMAND, WorkerMeasures
from workers.messages.message import Message
from workers.messages.protocol import LOAD_COMMAND, STATUS_COMMAND, GatewayStatus, Report, VersionRef, WorkerStatus
from workers.messages.request_id import REQUEST_ID

logger = logging.getLogger(__name__)

M = TypeVar("M", Report, WorkerStatus, WorkerMeasures)
Hear = Callable[[list[Report], int], None]

#: How long a roll call after the last report waits for a worker that does not answer.
ROLL_CALL_SECONDS = 1.0
#: How long a weight change waits until all gateway processes have heard of it.
TELL_SECONDS = 1.0


class Fleet:
    """Every worker takes batches from the queue `predict`, every gateway requests from `supply`: so each is counted."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._publisher = Publisher()
        # The reply connection has heartbeats: when it is lost, this one may be, and tells nobody.
        replies.call_when_connected(self._publisher.renew)

    def load(self, version: VersionRef, timeout_seconds: float, hear: Hear = lambda *_: None) -> Answers[Report]:
        """Have every worker load a version; what they serve does not change.

        While some are waited for, `hear` is given the reports of those that came, and how many workers there are.

        Raises:
            BrokerUnavailableError: the broker cannot be reached.
        """
        arguments = {"version": version.to_json(), "request_id": REQUEST_ID.get()}
        return self._command(LOAD_COMMAND, arguments, Report.from_json, timeout_seconds, self._all_are_among, hear)

    def status(self, default: VersionRef | None, timeout_seconds: float) -> Answers[WorkerStatus]:
        """Have every worker tell how it is; `default` is the default network's active version.

        Raises:
            BrokerUnavailableError: the broker cannot be reached.
        """
        arguments = {"default": default.to_json() if default else None}
        return self._command(STATUS_COMMAND, arguments, WorkerStatus.from_json, timeout_seconds)

    def measures(self, default: VersionRef | None, timeout_seconds: float) -> Answers[WorkerMeasures]:
        """Have every worker tell what it has counted and measured; `default` as for `status`.

        Raises:
            BrokerUnavailableError: the broker cannot be reached.
        """
        arguments = {"default": default.to_json() if default else None}
        return self._command(MEASURES_COMMAND, arguments, WorkerMeasures.from_json, timeout_seconds)

    def gateways(self, timeout_seconds: float) -> Answers[GatewayStatus]:
        """Have every gateway process, this one among them, tell how many requests it holds.

        Raises:
            BrokerUnavailableError: the broker cannot be reached.
        """
        return self._ask_gateways(self._publisher.ask_gateways, timeout_seconds)

    def tell_gateways(self, kind: str, news: Message) -> None:
        """Have every gateway process, this one among them, hear news; returns when all have, or after a second.

        One that cannot be told has lost the broker: it takes nothing for granted when it is back.
        """
        try:
            told = self._ask_gateways(partial(self._publisher.ask_gateways, news=news, kind=kind), TELL_SECONDS)
        except BrokerUnavailableError as error:
            logger.warning("The gateways are not told of what is %s: %s", kind, error)
            return
        if told.silent:
            logger.warning("%d gateway processes have not said that they heard of what is %s.", told.silent, kind)

    def _ask_gateways(self, send: Callable[[str, str], None], timeout_seconds: float) -> Answers[GatewayStatus]:
        question = Question(
            send=send,
            count=lambda: self._publisher.count_consumers(SUPPLY),
            read=GatewayStatus.from_json,
            sender=lambda status: status.gateway,
        )
        return ask_everybody(self._replies, question, timeout_seconds)

    def stop(self) -> None:
        """Close the connection."""
        self._publisher.close()

    def _all_are_among(self, reported: Set[str]) -> bool:
        """Whether a roll call names nobody else: counting alone would let a report of a worker that has left since,
        or of one that has come, stand for one that is silent."""
        roll = self.status(None, ROLL_CALL_SECONDS)
        return not roll.silent and all(worker.worker in reported for worker in roll.messages)

    def _command(
        self,
        command: str,
        arguments: dict[str, Any],
        read: Callable[[Any], M],
        timeout_seconds: float,
        complete: Callable[[Set[str]], bool] = lambda _: True,
        hear: Callable[[list[M], int], None] = lambda *_: None,
    ) -> Answers[M]:
        """Send a Celery control command to all workers and gather their answers."""

        def send(reply_to: str, ticket: str) -> None:
            self._publisher.command_workers(command, {**arguments, "reply_to": reply_to, "ticket": ticket})

        question = Question(
            send=send,
            count=lambda: self._publisher.count_consumers(PREDICT),
            read=read,
            sender=lambda message: message.worker,
            complete=complete,
            hear=hear,
        )
        return ask_everybody(self._replies, question, timeout_seconds)
