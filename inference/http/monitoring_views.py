"""The REST addresses for monitoring systems: /metrics, /healthz and /readyz."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inference.access.rights import EVERYBODY, STATUS
from inference.gateway import gateway
from inference.health.readiness import Check, check_readiness
from inference.http.metrics import metrics_text
from inference.http.permission import may


class Metrics(APIView):
    """GET /metrics: what this gateway and the workers have counted, in Prometheus' text format."""

    right = STATUS

    def get(self, request: Request) -> HttpResponse:
        """Tell it."""
        return HttpResponse(metrics_text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class Health(APIView):
    """GET /healthz: this process answers; it looks at nothing else."""

    right = EVERYBODY

    def get(self, request: Request) -> Response:
        """Answer."""
        return Response({"status": True, "message": "OK"})


class Readiness(APIView):
    """GET /readyz: whether predictions can be answered now, else 503 and why not."""

    right = EVERYBODY

    def get(self, request: Request) -> Response:
        """Look at everything that predictions need."""
        answer = readiness_answer(request)
        return Response(answer, status=200 if answer["status"] else 503)


def readiness_answer(request: Request) -> dict[str, Any]:
    """Whether predictions can be answered now; what is wrong with what, for those who may see the status.

    Orchestrators ask without a token, and are told that something is.
    """
    checks = check_readiness(gateway().health)
    missing = [f"{check.name}: {check.reason}" for check in checks if not check.passed]
    told = may(request, STATUS)
    return {
        "status": not missing,
        "message": ("; ".join(missing) if told else "not ready") if missing else "OK",
        "checks": {check.name: _check_answer(check, told) for check in checks},
    }


def _check_answer(check: Check, told: bool) -> dict[str, Any]:
    reason = check.reason if told or check.passed else "not ready"
    return {"status": check.passed, "message": reason or "OK"}
