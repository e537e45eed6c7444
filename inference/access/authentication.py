"""Who asks: what a request's `Authorization` header says, as a Django REST Framework authentication."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from inference.access.known_token import KnownToken
from inference.access.requirement import tokens_required
from inference.gateway import gateway

#: `Token` is Django REST Framework's own word, `Bearer` that of RFC 6750, which most clients know.
SCHEMES = ("token", "bearer")
CHALLENGE = 'Bearer realm="pipeline", Token realm="pipeline"'


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>`, or `Bearer <key>`; a cookie says nothing here.

    A header that names no token of ours is like none: `inference.access.permission` tells whether that will do. Where
    none is required, none is looked at.
    """

    def authenticate(self, request: Request) -> tuple[KnownToken, KnownToken] | None:
        """The token, in the places of user and credentials; None when the request has none that is known.

        Raises:
            TokensUnknownError: nobody knows which tokens there are.
        """
        key = key_of(request)
        token = gateway().tokens.find(key) if key and tokens_required() else None
        return (token, token) if token else None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return CHALLENGE


def key_of(request: Request) -> str:
    """The key that a request's header names; an empty text when it names none."""
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return key.strip() if scheme.lower() in SCHEMES else ""


def token_of(request: Request) -> KnownToken | None:
    """The token of who asks; None without one, and where none is required."""
    return request.auth if isinstance(request.auth, KnownToken) else None
