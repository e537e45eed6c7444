"""What is said of /predict and of all that changes weights."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiRequest, OpenApiResponse

from inference.api_schema.fields import NN_ID as NN_ID_FIELD
from inference.api_schema.fields import Schema, ref
from inference.api_schema.operation import (
    ONLY_FIRST,
    answer,
    answer_header,
    describe,
    operation,
    request_examples,
)
from inference.api_schema.refusals import WITH_BODY

NETWORK, OTHER = NN_ID_FIELD["examples"][0], "0d3c5dffa4374c77a554ed38c9c50296"
WORKER = "worker@embedded"
OK = {"status": True, "message": "OK"}
LOADED = {"result": True, "worker": WORKER}
PREDICT_BODY: Schema = {"anyOf": [ref("OneRow"), ref("Rows")]}


def switched(nn_id: str, version: int, previous: int | None, loaded: bool = True) -> Schema:
    """An answer to a weight change."""
    report = LOADED if loaded else {"result": False, "trace": "V2VpZ2h0c0Vycm9yOiDigKY=", "worker": WORKER}
    return {
        "status": loaded,
        "message": "OK" if loaded else "One or more workers were failed with weights loading",
        "workers_count": 1,
        "workers": [report],
        "version": version,
        "nn_id": nn_id,
        "previous_version": previous,
        "workers_asked": 1,
        "workers_answered": 1,
    }


def switch_answers(nn_id: str, version: int, previous: int | None) -> dict[int, object]:
    """What a weight change is answered when it is neither refused nor impossible."""
    examples = {
        "done": switched(nn_id, version, previous),
        "refused_by_a_worker": switched(nn_id, version, previous, False),
    }
    return {
        200: answer(
            "Switched", "Loaded by every worker and active now, or by not every one, and nothing changed", **examples
        )
    }


predicted = answer(
    "Prediction",
    "The result, or why there is none",
    one_row={"status": True, "message": NETWORK, "result": 0.29999038577079773, "version": 1},
    several_rows={
        "status": True,
        "message": NETWORK,
        "result": [[0.29999038577079773], [0.7000012397766113]],
        "version": 1,
    },
    no_network_yet={"status": False, "message": "No weights loaded", "result": 0.0, "error": "No weights loaded"},
)
predicted.response = {"anyOf": [ref("Prediction"), ref("FailedPrediction")]}

describe(
    "inference.http.views.Predict",
    post=operation(
        "predict",
        "predictions",
        "Predict",
        "One row, or a batch of rows, by the default network's active version or by the one that is named. A row of "
        "another shape than the network's, or a number that its input cannot hold, is a failed prediction: 200 with "
        "`status` false.",
        right="predict",
        request={"application/json": PREDICT_BODY},
        examples=request_examples(
            one_row={"vector": [0.1, 0.2]},
            several_rows={"data": [[0.1, 0.2], [0.3, 0.4]]},
            a_version_of_a_network={"vector": [0.1, 0.2], "nn_id": NETWORK, "version": 1},
            several_inputs={"vector": {"image": [[0.1, 0.2], [0.3, 0.4]], "place": 7}},
        ),
        answers={200: predicted},
        refused=(*WITH_BODY, 404, 409, 504),
        messages={
            404: f"{NETWORK} has no version 9; GET /networks/{NETWORK} lists those there are",
            409: "the version was never loaded by all workers: activate it first",
        },
    ),
)
describe(
    "inference.http.views.SetWeights",
    put=operation(
        "set_weights",
        "weights",
        "Upload weights",
        "The upload is stored as the network's next version, and loaded by every worker. When all have, it becomes the "
        "network's active version and the network the default one; else nothing changes.",
        right="weights",
        request={
            "multipart/form-data": OpenApiRequest(
                ref("Upload"), encoding={"data": {"contentType": "application/octet-stream"}}
            )
        },
        parameters=(ONLY_FIRST,),
        answers=switch_answers(OTHER, 1, None),
        refused=(*WITH_BODY, 409, 412, 507),
        messages={400: "nn_id: must be 32 lower-case hex digits", 503: "no worker is connected"},
    ),
)
describe(
    "inference.http.network_views.Activate",
    post=operation(
        "activate",
        "weights",
        "Make any version active",
        "It is loaded by every worker, and becomes the network's active version when all have; else nothing changes.",
        right="weights",
        request={"application/json": ref("Activate")},
        examples=request_examples(version_1={"version": 1}),
        answers=switch_answers(OTHER, 1, 2),
        refused=(*WITH_BODY, 404, 409),
        messages={400: "version: must be a whole number", 409: "the version is deleted"},
    ),
)
describe(
    "inference.http.network_views.Rollback",
    post=operation(
        "rollback",
        "weights",
        "Take the latest step back",
        "The version that was active before becomes active again, and with the next rollback the one before that, "
        "until nothing is left. A body is not looked at.",
        right="weights",
        answers=switch_answers(OTHER, 2, 1),
        refused=(*WITH_BODY, 404, 409),
    ),
)
describe(
    "inference.http.network_views.Label",
    put=operation(
        "label",
        "weights",
        "Have a label stand for a version",
        "Whatever it stood for before. The version was active once.",
        right="weights",
        request={"application/json": ref("Activate")},
        examples=request_examples(version_1={"version": 1}),
        answers={200: answer("Labelled", "It does", done={**OK, "nn_id": OTHER, "label": "stable", "version": 1})},
        refused=(*WITH_BODY, 404, 409),
        messages={
            400: "version: must be a whole number",
            409: "the version is failed: a label is for one that was active",
        },
    ),
    delete=operation(
        "remove_label",
        "weights",
        "Forget a label",
        "Whoever asks by it is answered 404. A body is not looked at.",
        right="weights",
        answers={
            200: answer("Labelled", "It is gone", done={**OK, "nn_id": OTHER, "label": "stable", "version": None})
        },
        refused=(*WITH_BODY, 404),
    ),
)
describe(
    "inference.http.network_views.Weights",
    **{
        method: operation(
            name,
            "weights",
            summary,
            "As they were uploaded, decoded when that was base64.",
            right="weights",
            headers=(
                answer_header("ETag", "The SHA-256 of the bytes, quoted; for `If-None-Match`", [200, 304]),
                answer_header("Content-Disposition", "Names the file", [200]),
            ),
            answers={
                (200, "application/octet-stream"): OpenApiResponse(content, "The file, or what is known of it"),
                304: OpenApiResponse(None, "The client has these bytes already"),
            },
            refused=(404,),
            messages={404: "the weights of the version are deleted"},
        )
        for method, name, summary, content in (
            ("get", "download_weights", "Download a version's weights", bytes),
            ("head", "look_at_weights", "Tell a download's size, name and digest", None),
        )
    },
)
