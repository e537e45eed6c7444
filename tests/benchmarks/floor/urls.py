"""The floor's view at /predict."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from inference.views import Predict


class Constant(Predict):
    """All that DRF does for a prediction, and a constant for an answer."""

    def post(self, request: Request) -> Response:
        """Read the body, and answer."""
        assert request.data
        return Response({"status": True, "message": "f1004" * 6 + "00", "result": 1.0, "version": 1})


urlpatterns = [path("predict", Constant.as_view())]
