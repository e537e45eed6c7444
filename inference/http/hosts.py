"""By which name the gateway may be asked, where that is not Django's middleware to look at."""

from __future__ import annotations

from django.http import HttpRequest

from inference.http.loop_request import LoopRequest


def refuse_other_host(asks: LoopRequest) -> None:
    """Refuse a request to a host that is none of ours.

    Raises:
        DisallowedHost: it is.
    """
    request = HttpRequest()
    request.META = asks.META
    request.get_host()
