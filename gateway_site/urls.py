"""Which address is answered by what."""

from django.contrib import admin
from django.urls import path, register_converter

from inference.api_schema.views import Document, Page
from inference.http import network_views
from inference.http.front_page import FrontPage
from inference.http.monitoring_views import Health, Metrics, Readiness
from inference.http.path_parts import NnIdConverter, VersionNumberConverter
from inference.http.views import Predict, SetWeights, Status

register_converter(NnIdConverter, "nn_id")
register_converter(VersionNumberConverter, "version")

urlpatterns = [
    path("", FrontPage.as_view()),
    path("predict", Predict.as_view()),
    path("set_weights", SetWeights.as_view()),
    path("status", Status.as_view(), name="status"),
    path("networks", network_views.Networks.as_view(), name="networks"),
    path("networks/<nn_id:nn_id>", network_views.Network.as_view()),
    path("networks/<nn_id:nn_id>/activate", network_views.Activate.as_view()),
    path("networks/<nn_id:nn_id>/rollback", network_views.Rollback.as_view()),
    path("networks/<nn_id:nn_id>/versions/<version:number>", network_views.Version.as_view()),
    path("networks/<nn_id:nn_id>/versions/<version:number>/weights", network_views.Weights.as_view()),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("healthz", Health.as_view(), name="health"),
    path("readyz", Readiness.as_view(), name="readiness"),
    path("api/schema", Document.as_view(), name="api-schema"),
    path("api/docs", Page.as_view(), name="api-docs"),
    path("admin/", admin.site.urls),
]

handler400 = "inference.http.responses.bad_request"
handler403 = "inference.http.responses.permission_denied"
handler404 = "inference.http.responses.not_found"
handler500 = "inference.http.responses.server_error"
