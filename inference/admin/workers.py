"""The page of workers: those that are connected, and those that have gone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def workers_page(request: HttpRequest) -> HttpResponse:
    """Show them."""
    return HttpResponse("soon")
