"""What the requests and answers of TensorFlow Serving's REST interface, and KServe's first protocol, hold."""

from __future__ import annotations

from inference.api_schema.fields import Schema, listing, one_of, record, ref, text, truth
from inference.api_schema.open_inference_schemas import MODEL, VERSION
from inference.api_schema.schemas import NAMED

SIGNATURE = text(
    "The only one that a network has; empty stands for it", "serving_default", enum=["serving_default", ""]
)
ANYTHING: Schema = {"anyOf": [ref("Numbers"), NAMED]}
STATES = {"AVAILABLE": "it answers", "START": "no worker has loaded it yet", "END": "it does not answer"}

SERVING_SCHEMAS: dict[str, Schema] = {
    "Instances": record(
        "A request for a prediction, row by row",
        {
            "instances": {
                "type": "array",
                "description": "The rows, each by its inputs' names where there are several; a text may be "
                '`{"b64": "…"}`',
                "items": ANYTHING,
                "minItems": 1,
            },
            "signature_name": SIGNATURE,
        },
        may_lack=("signature_name",),
    ),
    "Columns": record(
        "A request for a prediction, input by input",
        {
            "inputs": {"description": "The rows of the only input, or of each by its name", **ANYTHING},
            "signature_name": SIGNATURE,
        },
        may_lack=("signature_name",),
    ),
    "Predictions": record(
        "Predictions, row by row",
        {
            "predictions": {
                "type": "array",
                "description": "One for each row; of a network with several outputs an object",
                "items": ANYTHING,
            }
        },
    ),
    "Outputs": record(
        "Predictions, output by output", {"outputs": {"description": "The only one, or all by name", **ANYTHING}}
    ),
    "ServedModels": record(
        "The networks that answer",
        {"models": {"type": "array", "description": "Their names, or else ids", "items": MODEL}},
    ),
    "VersionStatus": record(
        "Whether a version answers",
        {
            "version": VERSION,
            "state": one_of("How it is", "AVAILABLE", STATES),
            "status": record(
                "What is wrong",
                {"error_code": text("OK, or UNKNOWN", "OK"), "error_message": text("Why it does not answer", "")},
            ),
        },
    ),
    "ModelStatus": record(
        "Whether a network answers",
        {
            "name": MODEL,
            "ready": truth("It does"),
            "model_version_status": listing(
                "Its latest 1000 versions, newest first, or the one asked for", "VersionStatus"
            ),
        },
    ),
    "ServingMetadata": record(
        "What a network takes and makes, in TensorFlow's words",
        {
            "model_spec": {"type": "object", "description": "Which network, version and signature"},
            "metadata": {"type": "object", "description": "Its `signature_def`: inputs and outputs by name"},
        },
    ),
}
