"""The floor's application: the way of `/predict` past Django's middleware, to a view that answers a constant."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_site.settings")
django = get_wsgi_application()

from django.http import HttpResponse  # noqa: E402 - Django must be set up before
from rest_framework.request import Request  # noqa: E402

from inference.http.lean_handler import LeanHandler  # noqa: E402
from inference.http.lean_view import json_answer  # noqa: E402
from inference.http.views import Predict  # noqa: E402


class Constant(Predict):
    """All that DRF does for a prediction, and a constant for an answer."""

    def post(self, request: Request) -> HttpResponse:
        """Read the body, and answer."""
        assert request.data
        return json_answer({"status": True, "message": "f1004" * 6 + "00", "result": 1.0, "version": 1})


application = LeanHandler(django, "/predict", Constant.as_view())
