"""What is said of the addresses that tell something, and of those of this document."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from inference.api_schema.fields import ref
from inference.api_schema.network_schemas import DIGEST, UPLOADED_AT
from inference.api_schema.operation import EVERYBODY, PAGE, QUERY, answer, describe, operation, request_examples
from inference.api_schema.operations import LOADED, NETWORK, OK, OTHER, WORKER
from inference.api_schema.refusals import WITH_BODY

NETWORK_TOLD = {
    "nn_id": OTHER,
    "name": "iris",
    "active_version": 2,
    "default": True,
    "versions_count": 2,
    "last_upload": UPLOADED_AT,
}
VERSION_TOLD = {
    "number": 1,
    "state": "loaded",
    "active": False,
    "file_name": f"{OTHER}_1ee9dd03.b64",
    "size": 17216,
    "digest": DIGEST,
    "architecture": "b572ee6e0f9a8fd45745bab6219f92355ffc6773ee0397b82f2cb45a0283a803",
    "uploaded_at": UPLOADED_AT,
    "remarks": [],
}
ACTIVATION_TOLD = {
    "kind": "upload",
    "outcome": "activated",
    "requested_by": "127.0.0.1",
    "started_at": UPLOADED_AT,
    "seconds": 0.21,
    "previous_version": None,
    "workers_asked": 1,
    "workers_answered": 1,
    "detail": "",
    "reports": [{**LOADED, "seconds": 0.05}],
}
WORKER_TOLD = {
    "address": ["192.0.2.2", "fd00::2"],
    "nn_id": OTHER,
    "req_handling_time_avg_ms": 4.1807935003816965,
    "count_requests_handled": 2,
    "inference_time_avg_ms": 3.998273499746574,
    "worker": WORKER,
    "version": 1,
}
STATUS_TOLD = {
    **OK,
    "queue_requests_current": 0,
    "queue_requests_max": 256,
    "timings_dropped": 0,
    "req_handling_time_avg_ms": 11.090517999946314,
    "workers_count": 1,
    "workers_silent": 0,
    "workers": [WORKER_TOLD],
}
CHECKS = dict.fromkeys(("database", "broker", "workers"), OK)
NO_WORKER = {"status": False, "message": "no worker is connected"}
NOT_READY = {"status": False, "message": "workers: no worker is connected", "checks": {**CHECKS, "workers": NO_WORKER}}
FRONT_PAGE = {
    **OK,
    "checks": CHECKS,
    "name": "Pipeline",
    "version": "0.1.0",
    "links": {
        "admin": "/admin/",
        "api_docs": "/api/docs",
        "api_schema": "/api/schema",
        "status": "/status",
        "networks": "/networks",
        "metrics": "/metrics",
        "health": "/healthz",
        "readiness": "/readyz",
    },
}
NO_SUCH_VERSION = f"{NETWORK} has no version 9; GET /networks/{NETWORK} lists those there are"

describe(
    "inference.http.views.Status",
    get=operation(
        "status",
        "monitoring",
        "Tell of the queue and the workers",
        "Asks every worker, and waits for PIPELINE_STATUS_TIMEOUT at most. Averages are over the last 100 requests.",
        right="status",
        answers={200: answer("Status", "What the gateway and its workers tell", one_worker=STATUS_TOLD)},
    ),
)
describe(
    "inference.http.network_views.Networks",
    get=operation(
        "networks",
        "networks",
        "List networks",
        "All networks by name, part by part.",
        right="status",
        parameters=tuple(PAGE),
        answers={200: answer("Networks", "A part of them", one={**OK, "count": 1, "networks": [NETWORK_TOLD]})},
        messages={400: "limit: Ensure this value is less than or equal to 1000."},
    ),
)
describe(
    "inference.http.network_views.Network",
    get=operation(
        "network",
        "networks",
        "Tell of a network",
        "The network, and its versions, newest first, part by part.",
        right="status",
        parameters=tuple(PAGE),
        answers={
            200: answer(
                "Network",
                "It",
                one={**OK, **NETWORK_TOLD, "labels": {"stable": 1}, "count": 2, "versions": [VERSION_TOLD]},
            ),
        },
        refused=(404,),
    ),
    patch=operation(
        "name_network",
        "networks",
        "Give a network a name, or take it",
        "It answers by its name as by its id, which stays.",
        right="weights",
        request={"application/json": ref("Name")},
        examples=request_examples(named={"name": "iris"}, by_its_id_alone={"name": None}),
        answers={200: answer("Named", "It", named={**OK, **NETWORK_TOLD})},
        refused=(*WITH_BODY, 404, 409),
        messages={400: "name must be letters, digits, `.`, `_` and `-`", 409: "another network has the name 'iris'"},
    ),
)
describe(
    "inference.http.network_views.Version",
    get=operation(
        "version",
        "networks",
        "Tell of a version",
        "When it was activated, who asked, what it replaced, how that ended and what each worker reported.",
        right="status",
        answers={
            200: answer(
                "Version",
                "It",
                one={**OK, "nn_id": OTHER, **VERSION_TOLD, "terms": None, "activations": [ACTIVATION_TOLD]},
            ),
        },
        refused=(404,),
        messages={404: NO_SUCH_VERSION},
    ),
    delete=operation(
        "delete_version",
        "weights",
        "Delete a version's weights",
        "The weights are gone, the record stays. The active version cannot be deleted.",
        right="weights",
        answers={200: answer("Deleted", "Done", done={**OK, "nn_id": OTHER, "version": 1})},
        refused=(*WITH_BODY, 404, 409),
        messages={404: NO_SUCH_VERSION, 409: "it is the active version: activate another one first"},
    ),
)
describe(
    "inference.http.monitoring_views.Metrics",
    get=operation(
        "metrics",
        "monitoring",
        "Tell what was counted",
        "This gateway's and its workers' counters, in Prometheus' text format.",
        right="status",
        answers={(200, "text/plain"): OpenApiResponse(str, "Every metric, its meaning and its values")},
    ),
)
describe(
    "inference.http.monitoring_views.Health",
    get=operation(
        "health",
        "monitoring",
        "Tell that the process lives",
        "Looks at nothing else.",
        right=EVERYBODY,
        answers={200: answer("Health", "It lives", lives=OK)},
    ),
)
describe(
    "inference.http.monitoring_views.Readiness",
    get=operation(
        "readiness",
        "monitoring",
        "Tell whether predictions can be answered",
        "Looks at the database, the broker and the workers, once a second at most.",
        right=EVERYBODY,
        answers={
            200: answer("Readiness", "They can", ready={**OK, "checks": CHECKS}),
            503: OpenApiResponse(
                {"anyOf": [ref("Readiness"), ref("Failure")]},
                "They cannot, and why",
                answer("Readiness", "", not_ready=NOT_READY).examples,
            ),
        },
    ),
)
describe(
    "inference.http.front_page.FrontPage",
    get=operation(
        "front_page",
        "monitoring",
        "Tell what answers here, how it is, and where to go on",
        "JSON, or a page for those who would rather have HTML, as browsers would. Health as `/readyz` tells it.",
        right=EVERYBODY,
        answers={
            (200, "application/json"): answer("FrontPage", "It", ready=FRONT_PAGE),
            (200, "text/html"): OpenApiResponse(str, "The page"),
        },
    ),
)
describe(
    "inference.api_schema.views.Document",
    get=operation(
        "document",
        "document",
        "This document",
        "As JSON, or as YAML when `format` or `Accept` says so.",
        right=EVERYBODY,
        parameters=(
            OpenApiParameter(
                "format", str, QUERY, enum=["json", "yaml"], description="Which of the two, whatever `Accept` says"
            ),
        ),
        answers={
            (200, "application/vnd.oai.openapi+json"): OpenApiResponse(dict, "It"),
            (200, "application/vnd.oai.openapi"): OpenApiResponse(str, "It"),
        },
        messages={400: "format must be json or yaml"},
    ),
)
describe(
    "inference.api_schema.views.Page",
    get=operation(
        "page",
        "document",
        "This document as a page",
        "For people, with a form to try each request. Everything that it needs comes from this gateway.",
        right=EVERYBODY,
        answers={(200, "text/html"): OpenApiResponse(str, "The page")},
    ),
)
