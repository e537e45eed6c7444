"""The versions that are refused for a while, because a batch of theirs killed the workers that took it.

Whoever asks for such a network asks again, and each batch would cost as many workers as the first one. So for some time
requests are refused at once; then one batch is let through, and how it fares decides.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any

from inference.dispatch.batch import Batch
from inference.errors import QuarantinedError
from workers.log_limit import LimitedLines
from workers.messages.news import Quarantined
from workers.messages.protocol import VersionRef
from workers.runtime import errors as worker_errors

logger = logging.getLogger(__name__)
logger.addFilter(LimitedLines())

#: How long a version is refused at first; each time that its trial fails, twice as long, and at most so long.
REFUSE_SECONDS, REFUSE_SECONDS_MAX = 30.0, 600.0
#: How many batches that killed workers are remembered, lest the same news be taken twice.
HEARD_MAX = 4096
#: How many versions are refused at most: news of more than a fleet can have are not the fleet's.
REFUSED_MAX = 1024
#: Our own ids are shorter; what another client calls its batch need not be.
ID_CHARACTERS_MAX = 64


@dataclass
class _Refused:
    """One version; times are of `time.monotonic`."""

    seconds: float
    until: float
    #: When the batch was sent that is to show whether the version is harmless; None while none is let through.
    trial: float | None = None


class Quarantine:
    """This gateway process's; the sender's thread asks; it, the reply thread and the loop tell."""

    def __init__(self, was_mine: Callable[[str], bool]) -> None:
        self._was_mine = was_mine
        #: How many batches that this process sent killed the workers that took them.
        self.of_mine = 0
        self._refused: dict[VersionRef, _Refused] = {}
        #: The batches that were heard of, the latest last.
        self._heard: dict[str, None] = {}
        self._lock = threading.Lock()

    def check(self, batch: Batch) -> None:
        """Let a batch through, or not.

        Raises:
            QuarantinedError: its version is refused now.
        """
        if not self._refused or batch.version is None:
            return
        with self._lock:
            refused = self._refused.get(batch.version)
            if refused is None:
                return
            if batch.sent < refused.until:
                left = refused.until - batch.sent
                raise QuarantinedError(
                    f"{batch.version} is refused: a batch of it killed the workers that took it; "
                    f"one request is tried in {left:.0f} s",
                    ceil(left),
                )
            # Until it is answered, or nobody waits for it any more, it is the only one.
            refused.trial, refused.until = batch.sent, batch.deadline

    def note_not_sent(self, batch: Batch) -> None:
        """A batch that was let through did not reach a worker, and goes again: if it is the trial, it is none yet."""
        if not self._refused or batch.version is None:
            return
        with self._lock:
            refused = self._refused.get(batch.version)
            if refused is not None and refused.trial == batch.sent:
                refused.trial, refused.until = None, batch.sent

    def note_answered(self, batch: Batch, message: Any) -> None:
        """A worker has answered a batch: if it is the one that was let through, its version is harmless."""
        if not self._refused or batch.version is None or is_quarantined(message):
            return
        with self._lock:
            refused = self._refused.get(batch.version)
            if refused is not None and refused.trial is not None and batch.sent >= refused.trial:
                del self._refused[batch.version]

    def hear(self, data: Any) -> None:
        """News: a batch, sent by whichever gateway, killed the workers that took it: refuse its version.

        The same news, heard again, is nothing.
        """
        news, now = Quarantined.from_json(data), monotonic()
        heard, version = news.batch_id[:ID_CHARACTERS_MAX], news.version
        with self._lock:
            if heard in self._heard:
                return
            if len(self._heard) >= HEARD_MAX:
                del self._heard[next(iter(self._heard))]
            self._heard[heard] = None
            self.of_mine += self._was_mine(news.reply_to)
            for old in [each for each, of in self._refused.items() if of.until + REFUSE_SECONDS_MAX < now]:
                del self._refused[old]  # nobody has asked for it since
            refused = self._refused.get(version)
            seconds = REFUSE_SECONDS
            if refused is not None:
                again = refused.until < now or refused.trial is not None
                seconds = min(2 * refused.seconds, REFUSE_SECONDS_MAX) if again else refused.seconds
            elif len(self._refused) >= REFUSED_MAX:
                del self._refused[next(iter(self._refused))]
            self._refused[version] = _Refused(seconds, now + seconds)
        logger.error("A batch of %s killed the workers that took it; refusing it for %g s.", version, seconds)


def is_quarantined(message: Any) -> bool:
    """Whether a worker's answer says that the batch is a poison message."""
    result = message.get("result") if isinstance(message, dict) else None
    return isinstance(result, dict) and result.get("exc_type") == worker_errors.QuarantinedError.__name__
