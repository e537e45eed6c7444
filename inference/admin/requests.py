"""The page of requests: how each prediction went, found among millions without counting them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.urls import path

from inference.admin.pages import show
from inference.admin.read_only import ReadOnlyPage
from inference.admin.request_form import RequestForm
from inference.admin.requests_csv import csv_of
from inference.models import PredictionTiming

REQUESTS_A_PAGE = 100
#: What lies further back is found by its time: a page's number costs as many rows as lie before it.
PAGES_MAX = 100


@admin.register(PredictionTiming)
class PredictionTimingAdmin(ReadOnlyPage):
    """How requests went."""

    def get_urls(self) -> Any:
        """The pages beside the list."""
        export = self.admin_site.admin_view(self.export_view)
        return [path("csv/", export, name="inference_predictiontiming_csv"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The requests that are asked for, a page of them; nothing is counted, one more is read to see what follows."""
        self.require_reading(request)
        form = RequestForm(request.GET)
        search, page = form.search(), _page_number(request)
        start = (page - 1) * REQUESTS_A_PAGE
        found = list(search.requests()[start : start + REQUESTS_A_PAGE + 1]) if search else []
        asked = request.GET.copy()
        asked.pop("page", None)
        return show(
            request,
            "requests.html",
            "Requests",
            form=form,
            search=search,
            found=found[:REQUESTS_A_PAGE],
            page=page,
            follows=len(found) > REQUESTS_A_PAGE and page < PAGES_MAX,
            asked=asked.urlencode(),
            anything_asked=any(asked.values()),
            more_than_pages=len(found) > REQUESTS_A_PAGE and page == PAGES_MAX,
        )

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The requests that are asked for as CSV."""
        self.require_reading(request)
        search = RequestForm(request.GET).search()
        if search is None:
            return HttpResponseBadRequest("These filters cannot be read.", content_type="text/plain")
        return csv_of(search)


def _page_number(request: HttpRequest) -> int:
    asked = request.GET.get("page", "")
    return min(max(int(asked), 1), PAGES_MAX) if asked.isdecimal() and len(asked) < 9 else 1
