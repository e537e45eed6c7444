"""What is said of the addresses of TensorFlow Serving's REST interface, which KServe's first protocol shares."""

from __future__ import annotations

from inference.api_schema.fields import ref
from inference.api_schema.open_inference_operations import NO_SUCH_VERSION, UNKNOWN
from inference.api_schema.operation import answer, describe, operation, request_examples
from inference.api_schema.operations import NETWORK
from inference.api_schema.refusals import ERROR, WITH_BODY

TAG = "tensorflow serving"
VIEWS = "inference.http.tensorflow_serving.views"
LOADED = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
predicted = answer(
    "Predictions",
    "The predictions",
    row_by_row={"predictions": [[0.29999039], [0.70000124]]},
    output_by_output={"outputs": [[0.29999039], [0.70000124]]},
)
predicted.response = {"anyOf": [ref("Predictions"), ref("Outputs")]}

describe(
    f"{VIEWS}.Models",
    get=operation(
        "served_models",
        TAG,
        "List the networks that answer",
        "By their names, or else their ids.",
        right="status",
        shape=ERROR,
        answers={200: answer("ServedModels", "They", one={"models": [NETWORK]})},
    ),
)
describe(
    f"{VIEWS}.ModelStatus",
    get=operation(
        "model_status",
        TAG,
        "Tell whether a network answers",
        "The network with its versions, or the version that is named by its number or a label.",
        right="predict",
        shape=ERROR,
        answers={
            200: answer("ModelStatus", "It", one={"name": NETWORK, "ready": True, "model_version_status": [LOADED]})
        },
        refused=(404,),
        messages={404: NO_SUCH_VERSION},
    ),
)
describe(
    f"{VIEWS}.Metadata",
    get=operation(
        "serving_metadata",
        TAG,
        "Tell what a network takes and makes",
        "Its active version, or the one that is named by its number or a label.",
        right="predict",
        shape=ERROR,
        answers={
            200: answer(
                "ServingMetadata",
                "It",
                one={
                    "model_spec": {"name": NETWORK, "signature_name": "", "version": "1"},
                    "metadata": {"signature_def": {"signature_def": {}}},
                },
            )
        },
        refused=(404, 409),
        messages={404: NO_SUCH_VERSION, 409: UNKNOWN},
    ),
)
describe(
    f"{VIEWS}.Rows",
    post=operation(
        "serving_predict",
        TAG,
        "Predict",
        "Rows in `instances`, or columns in `inputs`; by the active version, or by the one that is named by its number "
        "or a label. Rows that the network does not take are 400.",
        right="predict",
        shape=ERROR,
        request={"application/json": {"anyOf": [ref("Instances"), ref("Columns")]}},
        examples=request_examples(
            row_by_row={"instances": [[0.1, 0.2], [0.3, 0.4]]}, input_by_input={"inputs": [[0.1, 0.2], [0.3, 0.4]]}
        ),
        answers={200: predicted},
        refused=(*WITH_BODY, 404, 409, 504),
        messages={400: "instances must be a list of rows", 404: NO_SUCH_VERSION, 409: "version 3 is failed"},
    ),
)
