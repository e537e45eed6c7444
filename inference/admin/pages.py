"""What the pages of our own have in common: the admin's frame, and when "the last day" is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

TRAFFIC_DAYS = 1


def show(request: HttpRequest, template: str, title: str, status: int = 200, **context: Any) -> TemplateResponse:
    """A page in the admin's frame."""
    request.current_app = admin.site.name
    whole = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/inference/{template}", whole, status=status)


def last_day() -> tuple[datetime, datetime]:
    """What the requests and times that stand beside networks, versions and workers are of."""
    now = timezone.now()
    return now - timedelta(days=TRAFFIC_DAYS), now
