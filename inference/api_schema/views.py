"""The REST addresses of the document. What makes it is imported when somebody asks for the first time."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.views import APIView

from inference.errors import BadInputError

#: What a token needs to ask: nothing of the deployment is in the document.
EVERYBODY = ""
CONTENT_TYPES = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}
#: Nothing of another host; Swagger UI draws with styles and pictures that it writes into the page itself.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
#: What a client accepts that wants YAML.
YAML = ("yaml", "vnd.oai.openapi")


class Document(APIView):
    """GET /api/schema: this interface as an OpenAPI document."""

    right = EVERYBODY
    authentication_classes = ()

    def get(self, request: Request) -> HttpResponse:
        """Tell it, as JSON or as YAML."""
        from inference.api_schema.document import written  # some 100 modules that no other request needs

        form = _asked_form(request)
        return HttpResponse(written(form), content_type=CONTENT_TYPES[form])


class Page(APIView):
    """GET /api/docs: the document as a page, made by Swagger UI."""

    right = EVERYBODY
    authentication_classes = ()

    def get(self, request: Request) -> HttpResponse:
        """Show it."""
        page = render(request, "inference/api_docs.html")
        page["Content-Security-Policy"] = PAGE_POLICY
        return page


def _asked_form(request: Request) -> str:
    asked = request.query_params.get("format")
    if asked is None:
        accepted = request.headers.get("Accept", "").partition(",")[0].partition(";")[0].strip().lower()
        asked = "yaml" if accepted.endswith(YAML) else "json"
    if asked not in CONTENT_TYPES:
        raise BadInputError(f"format must be {' or '.join(CONTENT_TYPES)}")
    return asked
