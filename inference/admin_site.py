"""The admin's site: where its pages are that belong to no model."""

from __future__ import annotations

from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite


class PipelineAdminSite(UnfoldAdminSite):
    """Django's admin site in unfold's look."""

    index_title = "Dashboard"

    def extra_urls(self) -> list[URLPattern]:
        """The pages beside those of models; unfold adds them to its own."""
        from inference.admin import workers  # which registers pages with this site

        return [path("workers/", self.admin_view(workers.workers_page), name="workers")]
