"""Who asks: what a request's `Authorization` header says, as a Django REST Framework authentication."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from inference.access.asks import Asks
from inference.access.known_token import KnownToken
from inference.access.requirement import tokens_required
from inference.gateway import gateway

#: `Token` is Django REST Framework's own word, `Bearer` that of RFC 6750, which most clients know.
SCHEMES = ("token", "bearer")
CHALLENGE = 'Bearer realm="pipeline", Token realm="pipeline"'
#: Where a request's `META` has its token once it is known; no header has such a name there.
NOTE = "pipeline.token"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>`, or `Bearer <key>`; a cookie says nothing here.

    A header that names no token of ours is like none: `inference.http.permission` tells whether that will do.
    """

    def authenticate(self, request: Request) -> tuple[KnownToken, KnownToken] | None:
        """The token, in the places of user and credentials; None when the request has none that is known.

        Raises:
            TokensUnknownError: nobody knows which tokens there are.
        """
        token = token_of(request)
        return (token, token) if token else None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return CHALLENGE


def token_of(request: Asks) -> KnownToken | None:
    """The token of who asks; None without a known one, and where none is required, where none is looked at.

    Raises:
        TokensUnknownError: nobody knows which tokens there are.
    """
    if NOTE not in request.META:
        key = key_of(request) if tokens_required() else ""
        request.META[NOTE] = gateway().tokens.find(key) if key else None
    token: KnownToken | None = request.META[NOTE]
    return token


def key_of(request: Asks) -> str:
    """The key that a request's header names; an empty text when it names none."""
    scheme, _, key = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return key.strip() if scheme.lower() in SCHEMES else ""
