"""`GET /`: what answers at this address, how it is, and where to go on; a page for people, JSON for programs."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inference.access.requirement import tokens_required
from inference.access.rights import EVERYBODY
from inference.http.monitoring_views import readiness_answer
from inference.http.negotiation import rather_html
from workers.version import VERSION

#: Where to go on from here: the addresses' names.
LINKS = {
    "admin": "admin:index",
    "api_docs": "api-docs",
    "api_schema": "api-schema",
    "status": "status",
    "networks": "networks",
    "metrics": "metrics",
    "health": "health",
    "readiness": "readiness",
}


class FrontPage(APIView):
    """GET /: a page when the client would rather have HTML than JSON, as browsers would."""

    right = EVERYBODY

    def get(self, request: Request) -> HttpResponseBase:
        """Tell it."""
        about = {
            **readiness_answer(request),
            "name": "Pipeline",
            "version": VERSION,
            "links": {name: reverse(address) for name, address in LINKS.items()},
        }
        page = rather_html(request.headers.get("Accept", ""))
        shown = {**about, "tokens_required": tokens_required()}
        answer: HttpResponse = render(request, "inference/front_page.html", shown) if page else Response(about)
        patch_vary_headers(answer, ["Accept"])
        return answer
