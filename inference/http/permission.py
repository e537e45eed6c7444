"""Whether who asks may ask that: each view says which right it needs, and a token says which rights it has."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from inference.access import failures
from inference.access.asks import Asks
from inference.access.requirement import tokens_required
from inference.access.rights import EVERYBODY, TRACES, right_for, written
from inference.errors import NoRightError, NoTokenError
from inference.http.authentication import key_of, token_of

HOW = "`manage.py create_token NAME --may {right}` on the gateway's host makes one"


class HasRight(BasePermission):
    """Lets a request go on when no tokens are required, or when its token has the view's right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether it may go on; raises as `require_right` does."""
        require_right(request, right_for(view, request.method))
        return True


def require_right(request: Asks, right: str) -> None:
    """Let a request go on when no tokens are required, or when its token has the right.

    Raises:
        NoTokenError: it needs a token, and has none that is known.
        NoRightError: its token has not the right.
        TooManyRequestsError: too many requests without a good token have come from its address.
    """
    if right == EVERYBODY or not tokens_required():
        return
    token = token_of(request)
    if token is None:
        failures.count(request)
        raise NoTokenError(_what_is_missing(request, right))
    if right not in token.rights:
        raise NoRightError(
            f"the token {token.name!r} may not do this: it needs the right {right!r} and has "
            f"{written(token.rights)}; {HOW.format(right=right)} that may"
        )


def may(request: Asks, right: str) -> bool:
    """Whether who asks has a right, or needs none."""
    if not tokens_required():
        return True
    token = token_of(request)
    return token is not None and right in token.rights


def may_see_traces(request: Asks) -> bool:
    """Whether who asks is told the stack traces of what failed."""
    return may(request, TRACES)


def _what_is_missing(request: Asks, right: str) -> str:
    if key_of(request):
        return f"the token is unknown or revoked: {HOW.format(right=right)}"
    return (
        f"this needs a token with the right {right!r}, sent as the header `Authorization: Token <key>`; "
        + HOW.format(right=right)
    )
