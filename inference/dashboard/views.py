"""The dashboard: the page, and what its script fetches of it every few seconds."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from inference.admin.pages import show
from inference.admin.permissions import (
    VIEW_ACTIVATIONS,
    VIEW_NETWORKS,
    VIEW_REQUESTS,
    VIEW_VERSIONS,
    VIEW_WORKERS,
    allowed,
    require,
)
from inference.dashboard.findings import level_of_errors
from inference.dashboard.health import judge
from inference.dashboard.numbers import numbers
from inference.dashboard.traffic import RANGES, USUAL_RANGE
from workers.settings import settings as shared_settings

#: How often the page asks again.
REFRESH_SECONDS = 5
NEEDED = (VIEW_REQUESTS, VIEW_WORKERS, VIEW_NETWORKS, VIEW_VERSIONS, VIEW_ACTIVATIONS)


def may_look(request: HttpRequest) -> bool:
    """Whether the user may see what is on it."""
    return request.user.has_perms(NEEDED)


@require_safe
def page(request: HttpRequest) -> TemplateResponse:
    """The whole page."""
    return show(request, "dashboard.html", "Dashboard", **_context(request))


@require_safe
def parts(request: HttpRequest) -> TemplateResponse:
    """What changes on it."""
    for permission in NEEDED:
        require(request, permission)
    return TemplateResponse(request, "admin/inference/dashboard_parts.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    figures = numbers().figures(RANGES.get(request.GET.get("range", ""), USUAL_RANGE))
    total = figures.traffic.total
    return {
        "figures": figures,
        "errors_level": level_of_errors(total.errors, total.count).name.lower(),
        "health": judge(figures),
        "ranges": RANGES.values(),
        "allowed": allowed(request),
        "embedded": shared_settings().embedded,
        "refresh_seconds": REFRESH_SECONDS,
    }
