"""Probes ask a gateway by its address, whatever its name is: they are answered by any."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from inference.http.security_headers import Answerer

PROBES = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
#: A name by which every gateway may be asked.
OWN_NAME = "localhost"


def probed_by_any_host(answer: Answerer) -> Answerer:
    """A Django middleware, before the one that looks at the host."""

    def answer_probe(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PROBES:
            request.META["HTTP_HOST"] = OWN_NAME
        return answer(request)

    return answer_probe
