"""How many requests without a good token are answered in full: a client that goes on and on is told to wait."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from inference.access.asks import Asks
from inference.access.buckets import Buckets
from inference.access.client_address import counted_address
from inference.errors import TooManyRequestsError


@cache
def _buckets() -> Buckets | None:
    rate = settings.PIPELINE_THROTTLE_FAILURES
    return Buckets(rate) if rate else None


def count(request: Asks) -> None:
    """Count a failure for the request's address. A good token from there is taken all the same.

    Raises:
        TooManyRequestsError: there are too many.
    """
    buckets = _buckets()
    if buckets is not None and (seconds := buckets.take(counted_address(request))):
        raise TooManyRequestsError("too many requests without a good token come from your address", seconds)
