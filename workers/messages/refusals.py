"""What this process refused to read from the broker: why, one bounded line in the log, and how often."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any

from workers.log_limit import LimitedLines

logger = logging.getLogger(__name__)
logger.addFilter(LimitedLines())

#: How long what was refused may be the reason for an error.
HINT_SECONDS = 60.0
#: Of the places that a line names; AMQP holds them to as many bytes.
NAME_CHARACTERS_MAX = 255


class RefusedError(ValueError):
    """A message is none that Pipeline sends: it is acknowledged, and nothing is done for it."""


class SignatureError(RefusedError):
    """A message is not signed with this process's PIPELINE_MESSAGE_KEY."""


def require_sent(condition: bool, what: str) -> None:
    """Raise RefusedError, saying `what` is wrong with a message, unless the condition holds."""
    if not condition:
        raise RefusedError(what)


class Refusals:
    """Counts them; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._of_signatures = 0
        self._latest = 0.0

    @property
    def count(self) -> int:
        """How many messages were refused since this process started."""
        return self._count

    def add(self, error: Exception, place: Mapping[str, Any] | None = None) -> None:
        """Count a refused message and log why; `place` is where the broker delivered it."""
        with self._lock:
            self._count += 1
            if isinstance(error, SignatureError):
                self._of_signatures += 1
                self._latest = monotonic()
        logger.warning("Refused a message%s: %s", _sent_to(place or {}), _brief(error))

    def hint(self, seconds: float) -> str:
        """What an error may add when messages were refused for their signature in the last `seconds`; else nothing."""
        with self._lock:
            if not self._of_signatures or monotonic() - self._latest > seconds:
                return ""
        return (
            "; messages were refused meanwhile that are not signed with this gateway's PIPELINE_MESSAGE_KEY: "
            "give every gateway and worker the same"
        )


def _sent_to(place: Mapping[str, Any]) -> str:
    names = [str(place.get(name, ""))[:NAME_CHARACTERS_MAX] for name in ("exchange", "routing_key")]
    return f" to {' '.join(ascii(name) for name in names if name)}" if any(names) else ""


def _brief(error: Exception) -> str:
    text = str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"
    return text if len(text) <= 2 * NAME_CHARACTERS_MAX else text[: 2 * NAME_CHARACTERS_MAX] + " …"


#: Of this process.
refusals = Refusals()
