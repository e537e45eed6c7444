"""How long a message's client waits: what the message says of that, counted from when it is taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from inference.errors import BadInputError, RequestTimeoutError


def read_seconds(properties: Mapping[str, Any], headers: Mapping[str, Any], now: datetime) -> float | None:
    """The least of AMQP's `expiration` and Celery's `expires` and `timelimit`; None when it says nothing.

    Raises:
        BadInputError: one of them cannot be read.
        RequestTimeoutError: the time is over.
    """
    said = [
        _expiration(properties.get("expiration")),
        _expires(headers.get("expires"), now),
        *_time_limits(headers.get("timelimit")),
    ]
    seconds = min((each for each in said if each is not None), default=None)
    if seconds is not None and seconds <= 0:
        raise RequestTimeoutError("the task had expired when it was taken")
    return seconds


def _expiration(said: Any) -> float | None:
    if said is None:
        return None
    if not (isinstance(said, str) and said.isascii() and said.isdigit()):
        raise BadInputError("expiration must be a whole number of milliseconds, as a text")
    return int(said[:20]) / 1000


def _expires(said: Any, now: datetime) -> float | None:
    if said is None:
        return None
    try:
        at = datetime.fromisoformat(said)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInputError("expires must be a time as ISO 8601 has it") from error


def _time_limits(said: Any) -> list[float]:
    limits = [limit for limit in said if limit is not None] if isinstance(said, list | tuple) else said
    if limits is None:
        return []
    if not isinstance(limits, list) or not all(_is_number(limit) for limit in limits):
        raise BadInputError("timelimit must be a list of numbers of seconds")
    return [float(limit) for limit in limits]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and isfinite(value)
