"""Batches that the broker hands out again: whoever had them died, or lost the broker. One may kill whoever takes it.

Such a poison message, one that exhausts a worker's memory say, would end one worker after the other. So each redelivery
is counted, in a header of the message, before anything of it is computed; one that came back too often goes to a
dead-letter queue, with an error for whoever asked. AMQP tells only that a message was handed out before; a classic
queue does not count.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import SystemRandom
from time import monotonic
from types import SimpleNamespace
from typing import Any

from amqp.exceptions import MessageNacked
from celery import Celery
from celery.states import FAILURE
from kombu import Queue
from kombu.exceptions import KombuError

from workers.broker.queues import DIRECT, GATEWAYS, PERSISTENT, TRANSIENT
from workers.broker.sender import Sender
from workers.consuming.pool import BATCHES_MAX
from workers.consuming.prefetch import Prefetch
from workers.log_limit import LimitedLines
from workers.logs import about
from workers.messages.news import NEWS_HEADER, QUARANTINED_NEWS, Quarantined
from workers.messages.protocol import PREDICT_QUEUE, QUARANTINE_QUEUE, PredictBatch
from workers.runtime.errors import QuarantinedError

logger = logging.getLogger(__name__)
logger.addFilter(LimitedLines())

#: The message's header that says how often it has come back.
HEADER = "redeliveries"
#: The one that says that it is to rest before it is tried again: who dies while it rests has not died of it.
RESTS = "rests"
#: How often a batch may come back: two workers that die of it may be chance, three are not.
REDELIVERIES_MAX = 2
#: How long a batch that came back a second time rests, so that not all workers die of it at once: by then those that
#: did have been started again. At most this part of the time that it has.
REST_SECONDS = 5.0
REST_PART = 6
#: The least part of it, by chance: batches that were with one worker when it died are not to meet again in the next.
REST_LEAST = 0.4
#: So many times to go on are drawn, and the one taken that is farthest from those of the others that rest here.
REST_DRAWS = 16
#: What cannot be sent on goes back to the broker, which may hand it out at once: not more often than this.
GIVE_BACK_SECONDS = 1.0
#: The dead-letter queue, for people to look at: the latest ones.
QUARANTINE = Queue(
    QUARANTINE_QUEUE,
    DIRECT,
    routing_key=QUARANTINE_QUEUE,
    durable=True,
    queue_arguments={"x-max-length": 100, "x-max-length-bytes": 128 * 1024**2},
)
#: The headers of a message that its next worker needs. Others are a stranger's: encoded anew they may become too long
#: for a frame, and the message would come back for ever.
HEADERS_SENT_ON = ("lang", "task", "id", "root_id")
SHORT_CHARACTERS_MAX = 255

#: Answers a batch's sender: why, the queue, and by which id.
Tell = Callable[[Exception, str, str], None]


class Redelivery:
    """Takes what came back off Celery's hands; owns the threads in which it rests, and what it is sent on by."""

    def __init__(self, app: Celery, prefetch: Prefetch, tell: Tell) -> None:
        self._app = app
        # Confirmed: the message that is acknowledged must be the broker's again.
        self._sender = Sender(app, confirmed=True)
        self._prefetch = prefetch
        self._tell = tell
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        #: When what rests here goes on, by the monotonic clock.
        self._going_on: list[float] = []
        self._threads = ThreadPoolExecutor(BATCHES_MAX, thread_name_prefix="redelivery")

    def take(self, message: Any, acknowledge: Callable[[], Any], give_back: Callable[[], Any]) -> None:
        """Send what came back on, counted or rested, or put it aside; then it is acknowledged.

        One that the broker does not take is given back, uncounted. Returns at once. Should this worker end before,
        the message comes back as it is.
        """
        self._prefetch.hold(1)
        self._threads.submit(self._handle, message, acknowledge, give_back)

    def renew(self) -> None:
        """After a reconnect: send by a new connection."""
        self._sender.renew()

    def stop(self) -> None:
        """End the threads; what rests in them goes back to the broker with the worker's connection."""
        self._stopping.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._sender.close()

    def _handle(self, message: Any, acknowledge: Callable[[], Any], give_back: Callable[[], Any]) -> None:
        identity = message.headers.get("id")
        try:
            if self._settle(message):
                acknowledge()
        except (KombuError, MessageNacked, OSError) as error:
            said = "Batch %s came back, and the broker takes it from nobody now (%s); it is given back."
            logger.warning(said, identity, error or type(error).__name__)
            if not self._stopping.wait(GIVE_BACK_SECONDS):
                give_back()
        except Exception as error:
            logger.exception("Batch %s came back, and cannot be handled; it is dropped.", identity)
            acknowledge()
            reply_to, correlation_id = _sender_of(message)
            if isinstance(reply_to, str) and isinstance(correlation_id, str):
                self._tell(error, reply_to, correlation_id)
        finally:
            self._prefetch.hold(-1)

    def _settle(self, message: Any) -> bool:
        """Do what is to be done about it; whether it was, before this worker has to stop."""
        came_back, milliseconds = count_redeliveries(message.headers), _milliseconds_left(message)
        if is_to_rest(message.headers):
            # It rests once: had it to rest in every worker that dies, it might never be computed.
            rest = 0.0 if _is_handed_out_again(message) else self._rest_seconds(milliseconds)
            with self._prefetch.waiting():
                if self._stopping.wait(rest):
                    return False
            milliseconds = None if milliseconds is None else max(1.0, milliseconds - rest * 1000)
            self._send_on(message, came_back, milliseconds, rests=False)
        elif came_back < REDELIVERIES_MAX:
            self._send_on(message, came_back + 1, milliseconds, rests=came_back > 0)
        else:
            self._quarantine(message)
        return True

    def _send_on(self, message: Any, came_back: int, milliseconds: float | None, rests: bool) -> None:
        """Give the batch to whichever worker is next."""
        then = "rests" if rests else "is tried again"
        logger.info("Batch %s has come back %d times and %s.", message.headers.get("id"), came_back, then)
        marks = {HEADER: came_back} | ({RESTS: True} if rests else {})
        self._publish(message, PREDICT_QUEUE, marks, milliseconds, TRANSIENT)

    def _rest_seconds(self, milliseconds: float | None) -> float:
        """How long the next batch, that has so long, rests: it goes on as far as can be from the others, one of which
        may kill.
        """
        most = REST_SECONDS if milliseconds is None else min(REST_SECONDS, milliseconds / 1000 / REST_PART)
        now, chance = monotonic(), SystemRandom()
        with self._lock:
            self._going_on = [other for other in self._going_on if other > now]
            drawn = [now + most * chance.uniform(REST_LEAST, 1.0) for _ in range(REST_DRAWS)]
            chosen = max(drawn, key=lambda at: min((abs(at - other) for other in self._going_on), default=0.0))
            self._going_on.append(chosen)
        return chosen - now

    def _quarantine(self, message: Any) -> None:
        """Put a message aside: first of all nobody sends more of its kind."""
        batch = _read(message)
        reply_to, correlation_id = _sender_of(message)
        asked = SimpleNamespace(reply_to=reply_to, correlation_id=correlation_id, children=[])
        if batch is not None:
            self._tell_gateways(Quarantined(batch.version, str(reply_to), str(message.headers.get("id"))))
        workers = REDELIVERIES_MAX + 1
        error = QuarantinedError(f"{workers} workers died of this batch, or lost the broker with it: it is put aside")
        self._app.backend.store_result(
            message.headers.get("id"), error, FAILURE, f"{type(error).__name__}: {error}", asked
        )
        try:
            self._publish(message, QUARANTINE_QUEUE, {HEADER: REDELIVERIES_MAX}, None, PERSISTENT, declare=[QUARANTINE])
        except (KombuError, MessageNacked, OSError):
            what = "Batch %s killed %d workers; the queue %s does not take it, and it is dropped. Its sender was told."
            logger.exception(what, message.headers.get("id"), workers, QUARANTINE_QUEUE)
            return
        if batch is not None:
            logger.error(
                "A batch for %s (%d requests, %d rows) killed %d workers; it is in the queue %s, "
                "and no worker takes it again.",
                batch.version,
                batch.requests,
                batch.rows_count,
                workers,
                QUARANTINE_QUEUE,
                extra=about(batch.version, request_ids=batch.request_ids),
            )

    def _tell_gateways(self, news: Quarantined) -> None:
        self._sender.act(
            lambda producer: producer.publish(
                news.to_json(),
                exchange=GATEWAYS.name,
                headers={NEWS_HEADER: QUARANTINED_NEWS},
                delivery_mode=TRANSIENT,
                declare=[GATEWAYS],
            )
        )

    def _publish(
        self,
        message: Any,
        queue: str,
        marks: dict[str, Any],
        milliseconds: float | None,
        delivery_mode: int,
        declare: list[Queue] | None = None,
    ) -> None:
        """Send a message's bytes as they are: nothing of it is made anew but headers."""
        properties = message.properties
        self._sender.act(
            lambda producer: producer.publish(
                message.body,
                exchange="",
                routing_key=queue,
                content_type=message.content_type,
                content_encoding=message.content_encoding,
                headers={
                    name: message.headers[name] for name in HEADERS_SENT_ON if _is_short(message.headers.get(name))
                }
                | marks,
                correlation_id=properties.get("correlation_id"),
                reply_to=properties.get("reply_to"),
                expiration=None if milliseconds is None else milliseconds / 1000,
                delivery_mode=delivery_mode,
                declare=declare or [],
            )
        )


def is_redelivery(message: Any) -> bool:
    """Whether a message has been redelivered or rests: it is dealt with here, not computed at once."""
    return _is_handed_out_again(message) or is_to_rest(message.headers)


def is_to_rest(headers: Any) -> bool:
    """Whether a message is to rest by its headers."""
    return isinstance(headers, dict) and RESTS in headers


def _is_handed_out_again(message: Any) -> bool:
    return bool(message.delivery_info.get("redelivered"))


def count_redeliveries(headers: Any) -> int:
    """How often a message has come back by its header; what is no count, somebody else has written."""
    count = headers.get(HEADER, 0) if isinstance(headers, dict) else 0
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else 0


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= SHORT_CHARACTERS_MAX


def _sender_of(message: Any) -> tuple[Any, Any]:
    """The queue to which a message's answer goes, and the id by which; neither, of what nobody waits for."""
    return message.properties.get("reply_to"), message.properties.get("correlation_id")


def _milliseconds_left(message: Any) -> float | None:
    """How long the message lives from when it was sent; None for ever, as Celery's own clients send theirs."""
    try:
        return float(message.properties["expiration"])
    except (KeyError, TypeError, ValueError):
        return None


def _read(message: Any) -> PredictBatch | None:
    """The batch in a message; None of what is none."""
    identity = message.headers.get("id")
    try:
        return PredictBatch.from_json(message.payload[0][0])
    except (ArithmeticError, KombuError, LookupError, RecursionError, TypeError, ValueError) as error:
        what = "Message %s killed workers, goes to the queue %s, and is no batch: %s"
        logger.warning(what, identity, QUARANTINE_QUEUE, error)
        return None
