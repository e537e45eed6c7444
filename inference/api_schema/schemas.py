"""Every object that requests and answers hold, field by field: the document's components."""

from __future__ import annotations

from inference.api_schema.fields import (
    NN_ID,
    OK,
    Schema,
    listing,
    milliseconds,
    optional,
    record,
    ref,
    text,
    truth,
    whole,
)
from inference.api_schema.network_schemas import ACTIVE_VERSION, NAME_PATTERN, NETWORK_SCHEMAS, VERSION
from inference.api_schema.open_inference_schemas import OPEN_INFERENCE_SCHEMAS

NUMBERS: Schema = {
    "description": "A number, a truth value, a text, or lists of one of these, nested as deep as the network's arrays "
    "are; all lists of one depth have the same length. In answers, a number that JSON cannot say (infinite, or none) "
    "is null",
    "anyOf": [
        {"type": "number"},
        {"type": "boolean"},
        {"type": "string"},
        {"type": "null"},
        {"type": "array", "items": {"$ref": "#/components/schemas/Numbers"}},
    ],
}
ROWS = "nested as deep as the network's input is. A network with several inputs takes an object, with each by its name"
NAMED: Schema = {"type": "object", "additionalProperties": ref("Numbers"), "minProperties": 1}


def asked(name: str, description: str, inputs: Schema) -> Schema:
    """A request for a prediction by `vector` or by `data`."""
    fields = {
        name: {"description": description, "anyOf": [inputs, NAMED]},
        "nn_id": text(
            "The network that is asked, by its id or name; else the default one",
            NN_ID["examples"][0],
            pattern=NAME_PATTERN,
        ),
        "version": whole("The version that is asked; else the active one", 1, minimum=1, maximum=2**31 - 1),
    }
    return record("A request for a prediction", fields, may_lack=("nn_id", "version"))


PREDICTION = record(
    "A prediction",
    {
        "status": truth("true", const=True),
        "message": {**NN_ID, "description": "The network that made it"},
        "result": {
            "description": "A number, or a text, when one row was asked for and the network's output is one; else the "
            "output as nested lists, of `data` one for each row. Of a network with several outputs an object, with "
            "each by its name",
            "anyOf": [ref("Numbers"), NAMED],
        },
        "version": {**VERSION, "description": "The version that made it"},
    },
)
FAILED_PREDICTION = record(
    "A prediction that could not be made",
    {
        "status": truth("false", const=False),
        "message": text("Why: a stack trace, base64 of UTF-8; or `No weights loaded`", "No weights loaded"),
        "result": {"type": "number", "const": 0.0, "description": "Nothing: 0.0"},
        "error": text("Why, in one line", "RowsError: the network takes rows of shape (2,), got (3,)"),
    },
)
SWITCHED = record(
    "How a weight change went. It took effect on every worker or on none",
    {
        "status": truth("Whether every worker has loaded the version, and it is the active one now"),
        "message": text("`OK`, or `One or more workers were failed with weights loading`", "OK"),
        "workers_count": whole("How many workers have reported", 1),
        "workers": listing("What each worker reported", "Loaded"),
        "version": {**VERSION, "description": "The version that was to become active"},
        "nn_id": NN_ID,
        "previous_version": {
            **ACTIVE_VERSION,
            "description": "The version that it replaced, or would have; null: none",
        },
        "workers_asked": whole("How many workers were connected", 1),
        "workers_answered": whole("How many of them answered in time", 1),
    },
)
STATUS_WORKER = record(
    "A worker's own account",
    {
        "address": {
            "type": "array",
            "items": text("An address", "192.0.2.2"),
            "description": "The addresses of its host, loopback left out",
        },
        "nn_id": optional(
            text("The network that is the default one there; null before there is one", NN_ID["examples"][0])
        ),
        "req_handling_time_avg_ms": milliseconds("From a batch's arrival to its answer, mean of the last 100", 4.18),
        "count_requests_handled": whole("Requests answered since it started", 2),
        "inference_time_avg_ms": milliseconds("The network's own time for a batch, mean of the last 100", 3.99),
        "worker": text("Its name", "worker@embedded"),
        "version": optional(whole("The version of that network; null before there is one", 1)),
    },
)
STATUS = record(
    "This gateway and its workers",
    {
        **OK,
        "queue_requests_current": whole("Predictions that wait for their answer, in all gateway processes", 0),
        "queue_requests_max": whole("How many may; more are answered 503", 256),
        "timings_dropped": whole("Requests whose timing could not be stored", 0),
        "req_handling_time_avg_ms": milliseconds("A prediction's time in the gateway, mean of the last 100", 11.09),
        "workers_count": whole("Workers that are connected", 1),
        "workers_silent": whole("Those of them that did not answer in time", 0),
        "workers": listing("Those that did", "StatusWorker"),
    },
)
CHECK = record(
    "One thing that predictions need",
    {"status": truth("Whether it is there"), "message": text("`OK`, or what is missing", "OK")},
)
READY = {
    "status": truth("Whether everything is there"),
    "message": text("`OK`, or everything that is missing", "OK"),
    "checks": record("Each thing", {name: ref("Check") for name in ("database", "broker", "workers")}),
}
READINESS = record("Whether predictions can be answered now", READY)
LINKS = ("admin", "api_docs", "api_schema", "status", "networks", "metrics", "health", "readiness")
FRONT_PAGE = record(
    "What answers here",
    {
        **READY,
        "name": text("What it is", "Pipeline"),
        "version": text("Which release of it", "0.1.0"),
        "links": record("Where to go on", {name: text("An address", f"/{name}") for name in LINKS}),
    },
)
FAILURE = record(
    "What every error looks like",
    {
        "status": truth("false", const=False),
        "message": text("What is wrong, and what to do about it", "nn_id must be 32 lower-case hex digits"),
    },
)

SCHEMAS: dict[str, Schema] = {
    "Numbers": NUMBERS,
    "OneRow": asked(
        "vector",
        f"One row, {ROWS}; where a row is one number, that number will do",
        {"type": ["array", "number", "boolean"], "items": ref("Numbers"), "minItems": 1},
    ),
    "Rows": asked("data", f"A list of rows, each {ROWS}", {"type": "array", "items": ref("Numbers"), "minItems": 1}),
    "Prediction": PREDICTION,
    "FailedPrediction": FAILED_PREDICTION,
    "Switched": SWITCHED,
    "StatusWorker": STATUS_WORKER,
    "Status": STATUS,
    **NETWORK_SCHEMAS,
    **OPEN_INFERENCE_SCHEMAS,
    "Check": CHECK,
    "Readiness": READINESS,
    "FrontPage": FRONT_PAGE,
    "Health": record("The process lives", OK),
    "Failure": FAILURE,
    "Upload": record(
        "New weights",
        {
            "nn_id": {**NN_ID, "description": "The network that they are for, known or new"},
            "data": {
                "type": "string",
                "contentMediaType": "application/octet-stream",
                "description": "A file: a Keras `.weights.h5`, `.keras` or `.h5`, safetensors, or a PyTorch "
                "`state_dict`, itself or in a checkpoint; as it is or as its base64 text; of any content type but "
                "`text/*`",
            },
            "order": text(
                "The layers of a PyTorch file as they are used, when neither numbers in their names nor shapes tell",
                "input,hidden,output",
            ),
            "expect": {
                "type": "string",
                "contentMediaType": "application/json",
                "description": "Examples that must hold, here and wherever the version is loaded later: rows as "
                "`/predict` takes them, its `result`, and how far a number may be from it, absolutely or as a part",
                "examples": ['{"data": [[0.3, 0.7]], "result": [1.0], "tolerance": 0.01}'],
            },
        },
        may_lack=("order", "expect"),
    ),
    "Activate": record("Which version", {"version": VERSION}),
}
