"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_site.settings")

django = get_wsgi_application()

from gateway_site.observed import Observed  # noqa: E402 - Django must be set up before
from inference.gateway import gateway  # noqa: E402
from inference.http.gateway_request import GatewayRequest  # noqa: E402
from inference.http.lean_handler import LeanHandler  # noqa: E402
from inference.http.views import Predict  # noqa: E402

django.request_class = GatewayRequest
application = Observed(
    LeanHandler(django, "/predict", Predict.as_view(), lambda: gateway().predictions.refuse_when_full())
)
