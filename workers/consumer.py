"""Celery's consumer, but a worker is back about a second after its broker.

Celery's own waits 2, 4, 6 … 30 s between attempts, and so may lag half a minute behind a broker that is up again.
"""

from __future__ import annotations

import logging
from typing import Any

from celery.worker import consumer, state
from kombu import Connection

logger = logging.getLogger(__name__)

#: What a worker rests between two attempts to connect, the first one included.
RETRY_SECONDS = 1.0
#: An outage has a line in the log at its first attempt, and then at every one of so many.
ATTEMPTS_A_LINE = 30


class Consumer(consumer.Consumer):
    """What `worker_consumer` names."""

    def ensure_connected(self, conn: Connection) -> Connection:
        """Connect, trying until the broker accepts or the worker is told to stop."""
        attempts = 0

        def tell(error: Exception, interval: float) -> None:
            nonlocal attempts
            if attempts % ATTEMPTS_A_LINE == 0:
                logger.error("Cannot connect to %s (%s); trying again every %g s.", conn.as_uri(), error, interval)
            attempts += 1

        options: dict[str, Any] = {"interval_start": RETRY_SECONDS, "interval_step": 0, "interval_max": RETRY_SECONDS}
        conn.ensure_connection(tell, callback=state.maybe_shutdown, **options)
        if attempts:
            logger.info("Connected after %d attempts.", attempts + 1)
        return conn
