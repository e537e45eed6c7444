"""The addresses of the field's protocols; the event loop answers predictions (`loop_routes`)."""

from __future__ import annotations

from django.urls import path

from inference.http import path_parts  # noqa: F401 - it registers the converters of addresses
from inference.http.error_texts import NotThere
from inference.http.open_inference import repository
from inference.http.open_inference import views as v2
from inference.http.tensorflow_serving import views as v1

_M, _V, _L = "models/<network:network>", "versions/<version:number>", "labels/<network:label>"

V2 = [
    path("v2", v2.Server.as_view()),
    path("v2/health/live", v2.Live.as_view()),
    path("v2/health/ready", v2.Ready.as_view()),
    path("v2/models/stats", v2.Statistics.as_view()),
    path(f"v2/{_M}", v2.Model.as_view()),
    path(f"v2/{_M}/{_V}", v2.Model.as_view()),
    path(f"v2/{_M}/infer", v2.Infer.as_view()),
    path(f"v2/{_M}/{_V}/infer", v2.Infer.as_view()),
    path(f"v2/{_M}/ready", v2.ModelReady.as_view()),
    path(f"v2/{_M}/{_V}/ready", v2.ModelReady.as_view()),
    path(f"v2/{_M}/config", v2.ModelConfig.as_view()),
    path(f"v2/{_M}/{_V}/config", v2.ModelConfig.as_view()),
    path(f"v2/{_M}/stats", v2.Statistics.as_view()),
    path(f"v2/{_M}/{_V}/stats", v2.Statistics.as_view()),
    path("v2/repository/index", repository.Index.as_view()),
    path(f"v2/repository/{_M}/load", repository.Load.as_view()),
    path(f"v2/repository/{_M}/unload", repository.Unload.as_view()),
    path("v2/<path:rest>", NotThere.as_view()),
]
V1 = [
    path("v1/models", v1.Models.as_view()),
    *(
        path(f"v1/{_M}{which}{what}", view.as_view())
        for which in ("", f"/{_V}", f"/{_L}")
        for what, view in (("", v1.ModelStatus), ("/metadata", v1.Metadata), (":predict", v1.Rows))
    ),
    path("v1/<path:rest>", NotThere.as_view()),
]
