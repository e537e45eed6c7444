"""A version's weights to take away, and the reports on it while workers load it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inference.admin.permissions import VIEW_VERSIONS, require
from inference.errors import NotFoundError
from inference.http.weights_download import WeightsDownload
from inference.versions import history


@require_safe
def download(request: HttpRequest, nn_id: str, number: int) -> HttpResponseBase:
    """The bytes that were uploaded."""
    require(request, VIEW_VERSIONS)
    try:
        return WeightsDownload.of(history.version(nn_id, number)).response(head=request.method == "HEAD")
    except NotFoundError as error:
        raise Http404(str(error)) from error


@require_safe
def progress(request: HttpRequest, nn_id: str, number: int) -> HttpResponse:
    """The reports of one activation, as a part of a page: of `activation`, or of the latest after `after`."""
    require(request, VIEW_VERSIONS)
    try:
        version = history.version(nn_id, number)
    except NotFoundError as error:
        raise Http404(str(error)) from error
    one, after = _id(request, "activation"), _id(request, "after") or 0
    found = version.activations.filter(id=one) if one is not None else version.activations.filter(id__gt=after)
    activation = found.prefetch_related("reports").order_by("-id").first()
    return render(request, "admin/inference/reports.html", {"activation": activation})


def _id(request: HttpRequest, name: str) -> int | None:
    """The id that a request names, as far as one may be so long."""
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None
