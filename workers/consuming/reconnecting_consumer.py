"""Celery's consumer, but a worker is back about a second after its broker.

Celery's own waits 2, 4, 6 … 30 s between attempts, and so may lag half a minute behind a broker that is up again.
"""

from __future__ import annotations

import logging
from typing import Any

from amqp.exceptions import ResourceLocked
from celery.worker import consumer, state
from kombu import Connection

logger = logging.getLogger(__name__)

#: What a worker rests between two attempts to connect, the first one included.
RETRY_SECONDS = 1.0
#: An outage has a line in the log at its first attempt, and then at every one of so many.
ATTEMPTS_A_LINE = 30


class Consumer(consumer.Consumer):
    """One that keeps trying."""

    #: What a connection is lost by, of the broker's transport.
    connection_errors: tuple[type[BaseException], ...]

    def start(self) -> None:
        """Consume until the worker stops; a name that another worker has ends this one, with one line that says so."""
        try:
            super().start()
        except ResourceLocked:
            said = "Another worker is connected as %s: start each with a name of its own (-n), or without -n."
            logger.critical(said, self.hostname)
            raise SystemExit(1) from None

    def ensure_connected(self, conn: Connection) -> Connection:
        """Connect, trying until the broker accepts or the worker is told to stop."""
        attempts = 0

        def tell(error: Exception, _: float) -> None:
            nonlocal attempts
            if attempts % ATTEMPTS_A_LINE == 0:
                where, rest = conn.as_uri(), RETRY_SECONDS
                logger.error("Cannot connect to %s (%s); trying again every %g s.", where, error, rest)
            attempts += 1

        options: dict[str, Any] = {"interval_start": RETRY_SECONDS, "interval_step": 0, "interval_max": RETRY_SECONDS}
        conn.ensure_connection(tell, callback=state.maybe_shutdown, **options)
        if attempts:
            logger.info("Connected after %d attempts.", attempts + 1)
        return conn
