"""Who asks for something, for the record."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request

from inference.access.client_address import client_address


def requester(request: Request | HttpRequest) -> str:
    """The token's or the user's name when the request says who it is from, else the client's address."""
    user = request.user
    if user is not None and user.is_authenticated:
        return str(user.get_username())
    return client_address(request)
