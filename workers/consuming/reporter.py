"""What a worker tells gateways beside the answers to batches: from threads that may wait for the broker."""

from __future__ import annotations

import logging
from typing import Any

from kombu.exceptions import OperationalError

from workers.broker.sender import Sender
from workers.consuming.bounded_threads import BoundedThreads
from workers.messages.message import Message
from workers.messages.refusals import RefusedError, SignatureError
from workers.messages.signing import UNSIGNED

logger = logging.getLogger(__name__)


class Reporter:
    """Owns a thread: what is asked in Celery's main one does not wait for the broker there, nor for loads here."""

    def __init__(self, name: str, sender: Sender) -> None:
        self._name = name
        self._sender = sender
        self._thread = BoundedThreads(1, "reporter")

    def stop(self) -> None:
        """End the thread; what still waits is not sent."""
        self._thread.stop()

    def send(self, message: Message, reply_to: str, ticket: str) -> None:
        """Send a message to a gateway's reply queue; when that fails, the log says so. Waits for the broker."""
        self._send(message.to_json(), reply_to, ticket)

    def send_later(self, message: Message, reply_to: str, ticket: str) -> None:
        """The same, off the caller's thread; a gateway that has gone does not get it."""
        self._thread.call(self._send, message.to_json(), reply_to, ticket)

    def tell_refused(self, reason: Exception, reply_to: str, correlation_id: str) -> None:
        """Answer a batch that was refused, off the caller's thread, as a task that failed.

        A stranger chose whom it answers when the batch was not signed; then the answer is not, either.
        """
        text = f"{self._name} refused the message: {reason}"
        headers = UNSIGNED if isinstance(reason, SignatureError) else None
        error = {"exc_type": "RefusedError", "exc_message": [text], "exc_module": RefusedError.__module__}
        answer = {"task_id": correlation_id, "status": "FAILURE", "result": error, "traceback": text, "children": []}
        self._thread.call(self._send, {**answer, "worker": self._name}, reply_to, correlation_id, headers)

    def _send(self, message: dict[str, Any], reply_to: str, ticket: str, headers: dict[str, str] | None = None) -> None:
        try:
            self._sender.send(message, reply_to, ticket, headers)
        except OperationalError as error:
            logger.warning("An answer did not reach the broker (%s); who waits for it may ask again.", error)
        except Exception:
            logger.exception("An answer did not reach the broker; who waits for it may ask again.")
