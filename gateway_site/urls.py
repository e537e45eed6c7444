"""Which address is answered by what."""

from django.contrib import admin
from django.urls import path

from inference.views import Predict, SetWeights, Status

urlpatterns = [
    path("predict", Predict.as_view()),
    path("set_weights", SetWeights.as_view()),
    path("status", Status.as_view()),
    path("admin/", admin.site.urls),
]

handler400 = "inference.responses.bad_request"
handler403 = "inference.responses.permission_denied"
handler404 = "inference.responses.not_found"
handler500 = "inference.responses.server_error"
