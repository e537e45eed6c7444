"""The admin's site: where its pages are that belong to no model."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite


class PipelineAdminSite(UnfoldAdminSite):
    """Django's admin site in unfold's look."""

    index_title = "Dashboard"
    #: For those who may not see the dashboard.
    index_template = "admin/inference/no_dashboard.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard; what there is for those who may not see it."""
        from inference.dashboard import views  # which uses this site

        return views.page(request) if views.may_look(request) else super().index(request, extra_context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The login form; 429 when too many passwords were wrong."""
        response = super().login(request, extra_context)
        form = getattr(response, "context_data", {}).get("form")
        if request.method == "POST" and form is not None and form.has_error("__all__", "too_many"):
            response.status_code = 429
        return response

    def extra_urls(self) -> list[URLPattern]:
        """The pages beside those of models; unfold adds them to its own."""
        from inference.admin import workers  # which registers pages with this site
        from inference.dashboard import views

        return [
            path("workers/", self.admin_view(workers.workers_page), name="workers"),
            path("dashboard/", self.admin_view(views.parts), name="dashboard"),
        ]
