"""Which web pages may change something: those of the gateway itself, and no other site's that a browser has open."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from inference.access.asks import Asks
from inference.errors import ForeignPageError

#: What browsers say of a page of the gateway's own, and of an address that a person typed.
OWN = ("same-origin", "none")
#: The headers that browsers say it by.
SAID_BY_PAGES = frozenset({b"sec-fetch-site", b"origin"})


class NoForeignPages(BasePermission):
    """Refuses what a page of another site asks for: a browser sends such a POST without asking the gateway first.

    Browsers send `Sec-Fetch-Site` to loopback and https addresses, and `Origin` to all; a page can forge neither.
    Clients that are no browsers send neither. `same-site` is foreign, too: http://localhost:3000 is same-site to a
    gateway on another port, and the gateway has no pages that ask from there.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether a request may go on; raises as `refuse_foreign_page` does."""
        if request.method not in SAFE_METHODS:
            refuse_foreign_page(request)
        return True


def refuse_foreign_page(request: Asks) -> None:
    """Refuse a request that asks not only to read.

    Raises:
        ForeignPageError: a page of another site asks it.
    """
    meta = request.META
    site, origin = meta.get("HTTP_SEC_FETCH_SITE", ""), meta.get("HTTP_ORIGIN", "")
    if not (site or origin):
        return
    # Where both are there, the browser's own word counts: a proxy may have put another Host in.
    own = site in OWN if site else _host(origin) == meta.get("HTTP_HOST", "").lower()
    if not own and not _is_allowed(origin.lower()):
        raise ForeignPageError(f"a web page of another site ({origin or site}) may not ask this of the gateway")


def _is_allowed(origin: str) -> bool:
    """Whether the operator has named the origin, and its browser so lets the page ask and read."""
    allowed: frozenset[str] = settings.PIPELINE_CORS_ORIGINS
    return origin in allowed or (bool(origin) and "*" in allowed)


def _host(origin: str) -> str:
    """The host and port of an origin; of a page that has none, `null`."""
    return origin.lower().rpartition("://")[2]
