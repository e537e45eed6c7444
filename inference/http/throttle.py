"""How often a token, or an address where no tokens are required, may ask for what a right is for."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from inference.access.asks import Asks
from inference.access.buckets import Buckets
from inference.access.client_address import counted_address
from inference.access.rights import right_for
from inference.errors import TooManyRequestsError
from inference.http.authentication import token_of


@cache
def _buckets(right: str) -> Buckets | None:
    rate = settings.PIPELINE_THROTTLES.get(right)
    return Buckets(rate) if rate else None


class RightThrottle(BaseThrottle):
    """A Django REST Framework throttle; the settings name it only when there is a limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the request may go on; raises as `throttle` does."""
        throttle(request, right_for(view, request.method))
        return True


def throttle(request: Asks, right: str) -> None:
    """Count a request for what a right is for.

    Raises:
        TooManyRequestsError: there are too many.
    """
    buckets = _buckets(right)
    if buckets is None:
        return
    token = token_of(request)
    if seconds := buckets.take(token.digest if token else counted_address(request)):
        raise TooManyRequestsError(f"more requests for {right!r} than you may send", seconds)
