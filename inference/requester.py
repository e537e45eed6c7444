"""Who asks for something, for the record."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request


def requester(request: Request | HttpRequest) -> str:
    """The user's name when the request says who it is from, else the client's address."""
    user = request.user
    if user is not None and user.is_authenticated:
        return str(user.get_username())
    return str(request.META.get("REMOTE_ADDR") or "an unknown address")
