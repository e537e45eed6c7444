"""Who asks: what a request's `Authorization` header says, as a Django REST Framework authentication."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from inference.access.known_token import KnownToken
from inference.access.requirement import tokens_required
from inference.errors import TokensUnknownError
from inference.gateway import gateway

#: `Token` is Django REST Framework's own word, `Bearer` that of RFC 6750, which most clients know.
SCHEMES = ("token", "bearer")
CHALLENGE = 'Bearer realm="pipeline", Token realm="pipeline"'
#: Where a request's token is noted once it is known.
NOTE = "access_token"


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


def token_of(request: Request) -> KnownToken | None:
    """The token of who asks; None without a known one, and where none is required, where none is looked at.

    Django REST Framework's `request.auth` is the same, and takes several times as long to say so.

    Raises:
        TokensUnknownError: nobody knows which tokens there are.
    """
    noted = vars(request._request)
    if NOTE not in noted:
        key = key_of(request) if tokens_required() else ""
        noted[NOTE] = gateway().tokens.find(key) if key else None
    token: KnownToken | None = noted[NOTE]
    return token


def lets_in(authorization: str) -> bool:
    """Whether somebody with that `Authorization` header is let in, told before the request is read any further."""
    if not tokens_required():
        return True
    key = _key_in(authorization)
    try:
        return bool(key) and gateway().tokens.find(key) is not None
    except TokensUnknownError:
        return False


def key_of(request: Request) -> str:
    """The key that a request's header names; an empty text when it names none."""
    return _key_in(request._request.META.get("HTTP_AUTHORIZATION", ""))


def _key_in(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() in SCHEMES else ""
