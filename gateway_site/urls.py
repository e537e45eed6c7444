"""Which address is answered by what."""

from django.contrib import admin
from django.urls import path

from inference.api_schema.views import Document, Page
from inference.http import network_views, path_parts  # noqa: F401 - it registers the converters of addresses
from inference.http.front_page import FrontPage
from inference.http.monitoring_views import Health, Metrics, Readiness
from inference.http.protocol_urls import V1, V2
from inference.http.views import Predict, SetWeights, Status

urlpatterns = [
    path("", FrontPage.as_view()),
    path("predict", Predict.as_view()),
    path("set_weights", SetWeights.as_view()),
    path("status", Status.as_view(), name="status"),
    path("networks", network_views.Networks.as_view(), name="networks"),
    path("networks/<network:network>", network_views.Network.as_view()),
    path("networks/<network:network>/activate", network_views.Activate.as_view()),
    path("networks/<network:network>/rollback", network_views.Rollback.as_view()),
    path("networks/<network:network>/versions/<version:number>", network_views.Version.as_view()),
    path("networks/<network:network>/versions/<version:number>/weights", network_views.Weights.as_view()),
    path("networks/<network:network>/labels/<network:label>", network_views.Label.as_view()),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("healthz", Health.as_view(), name="health"),
    path("readyz", Readiness.as_view(), name="readiness"),
    path("api/schema", Document.as_view(), name="api-schema"),
    path("api/docs", Page.as_view(), name="api-docs"),
    path("admin/", admin.site.urls),
    *V2,
    *V1,
]

handler400 = "inference.http.responses.bad_request"
handler403 = "inference.http.responses.permission_denied"
handler404 = "inference.http.responses.not_found"
handler500 = "inference.http.responses.server_error"
