"""By which name the gateway may be asked, where that is not Django's middleware to look at."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from inference.http.loop_request import LoopRequest


def refuse_other_host(asks: LoopRequest) -> None:
    """Refuse a request to a host that is none of ours.

    Raises:
        DisallowedHost: it is.
    """
    if "*" not in settings.ALLOWED_HOSTS:
        request = HttpRequest()
        request.META = asks.META
        request.get_host()
