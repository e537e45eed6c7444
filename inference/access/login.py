"""The admin's login form, which takes few wrong passwords: by address and user, and by address.

By user alone anybody could lock somebody out from anywhere. It is our own because it is this: a library such as
django-axes keeps a row in the database for each attempt of a stranger, and brings a middleware and an authentication
backend; what it has beyond, lists of addresses and lockouts that outlive a restart, is a firewall's work.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.forms import ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from inference.access.buckets import Buckets, Rate
from inference.access.client_address import counted_address

#: Wrong passwords, in each gateway process.
OF_A_USER_FROM_AN_ADDRESS = Rate(5, 300.0)
FROM_AN_ADDRESS = Rate(50, 3600.0)
USERNAME_CHARACTERS_MAX = 150


@cache
def _limits() -> tuple[Buckets, Buckets]:
    return Buckets(OF_A_USER_FROM_AN_ADDRESS), Buckets(FROM_AN_ADDRESS)


class LimitedLoginForm(AuthenticationForm):
    """Unfold's form; too many failures are told before any password is looked at, which takes long on purpose."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        """The fields of a user who may log in.

        Raises:
            ValidationError: the name or the password is wrong, or too many were.
        """
        taken: list[tuple[Buckets, str]] = []
        address = counted_address(self.request)
        user = str(self.cleaned_data.get("username") or "").casefold()[:USERNAME_CHARACTERS_MAX]
        for buckets, key in zip(_limits(), (f"{address} {user}", address), strict=True):
            # Counted before, so that many at once are not tried at once.
            if seconds := buckets.take(key):
                _give_back(taken)
                raise ValidationError(
                    "Too many wrong passwords from your address: wait %(seconds)d seconds, then try again.",
                    code="too_many",
                    params={"seconds": int(seconds) + 1},
                )
            taken.append((buckets, key))
        cleaned: dict[str, Any] = super().clean()
        _give_back(taken)
        return cleaned


def _give_back(taken: list[tuple[Buckets, str]]) -> None:
    for buckets, key in taken:
        buckets.give_back(key)
