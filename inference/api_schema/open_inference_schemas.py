"""What the Open Inference Protocol's requests and answers hold."""

from __future__ import annotations

from inference.api_schema.fields import Schema, listing, one_of, optional, record, ref, text, truth, whole

DATATYPES = ("BOOL", *(f"{kind}{size}" for kind in ("UINT", "INT") for size in (8, 16, 32, 64)), "FP16", "FP32", "FP64")
ID = text("The client's own, which is answered", "42", maxLength=256)
PARAMETERS: Schema = {"type": "object", "description": "What else is asked or told", "additionalProperties": True}
SHAPE: Schema = {
    "type": "array",
    "description": "How many numbers in each dimension, the rows first; in metadata -1 is any number",
    "items": {"type": "integer"},
    "minItems": 1,
    "examples": [[1, 2]],
}
TENSOR = {
    "name": text("Its name in the network", "numbers", maxLength=256),
    "datatype": {
        "type": "string",
        "description": "What its numbers are; BYTES are texts",
        "enum": [*DATATYPES, "BYTES"],
        "examples": ["FP32"],
    },
    "shape": SHAPE,
}
DATA = {
    "parameters": {**PARAMETERS, "description": "`binary_data_size`: how many bytes behind the JSON are its data"},
    "data": {
        "type": "array",
        "description": "Its numbers, truth values or texts, flat or nested as `shape` says",
        "items": ref("Numbers"),
    },
}
MODEL = text("The network, as it was asked for", "000127a35b5f462b8ec68fb4d905ac36")
VERSION = text("A version's number", "1")
DURATION = record(
    "How many requests, and how long they took", {"count": whole("So many", 2), "ns": whole("So long", 8)}
)

OPEN_INFERENCE_SCHEMAS: dict[str, Schema] = {
    "Error": record(
        "What every error of the field's protocols looks like", {"error": text("What is wrong", "not found")}
    ),
    "InferRequest": record(
        "A request for a prediction",
        {
            "id": ID,
            "parameters": {
                **PARAMETERS,
                "description": "`timeout` in microseconds; `binary_data_output`: all outputs as bytes",
            },
            "inputs": {**listing("The network's inputs", "InferInput"), "minItems": 1, "maxItems": 256},
            "outputs": {
                **listing("The outputs that are wanted, in this order; else all", "InferWanted"),
                "minItems": 1,
                "maxItems": 256,
            },
        },
        may_lack=("id", "parameters", "outputs"),
    ),
    "InferInput": record("An input, with its data here or behind the JSON", {**TENSOR, **DATA}, tuple(DATA)),
    "InferWanted": record(
        "An output that is wanted",
        {
            "name": text("Its name in the network", "sum"),
            "parameters": {**PARAMETERS, "description": "`binary_data`: as bytes behind the JSON"},
        },
        may_lack=("parameters",),
    ),
    "InferOutput": record("An output, with its data here or behind the JSON", {**TENSOR, **DATA}, tuple(DATA)),
    "InferResponse": record(
        "A prediction",
        {
            "model_name": MODEL,
            "model_version": VERSION,
            "id": ID,
            "outputs": listing("The outputs", "InferOutput"),
        },
        may_lack=("id",),
    ),
    "ServerMetadata": record(
        "What this server is",
        {
            "name": text("What it is", "pipeline"),
            "version": text("Which release of it", "0.1.0"),
            "extensions": {"type": "array", "description": "What it can beside", "items": {"type": "string"}},
        },
    ),
    "Live": record("The process lives", {"live": truth("It does")}),
    "ServerReady": record(
        "Whether predictions can be answered now", {"live": truth("true"), "ready": truth("It is so")}
    ),
    "TensorMetadata": record("An input or output", TENSOR),
    "ModelMetadata": record(
        "What a network takes and makes",
        {
            "name": MODEL,
            "versions": {"type": "array", "description": "Those that answer, or the one asked for", "items": VERSION},
            "platform": text("What it is made of", "keras"),
            "inputs": listing("Its inputs", "TensorMetadata"),
            "outputs": listing("Its outputs", "TensorMetadata"),
        },
    ),
    "ModelReady": record("Whether a network answers", {"name": MODEL, "ready": truth("It does")}),
    "ConfiguredTensor": record(
        "An input or output",
        {
            "name": TENSOR["name"],
            "data_type": text("What its numbers are", "TYPE_FP32"),
            "dims": {
                "type": "array",
                "description": "The shape of one row",
                "items": {"type": "integer"},
                "examples": [[2]],
            },
        },
    ),
    "ModelConfig": record(
        "How a network is served, in Triton's words",
        {
            "name": MODEL,
            "platform": text("What it is made of", "keras"),
            "backend": text("What computes it", "keras"),
            "max_batch_size": whole("How many rows are computed at once", 1024),
            "input": listing("Its inputs", "ConfiguredTensor"),
            "output": listing("Its outputs", "ConfiguredTensor"),
        },
    ),
    "Duration": DURATION,
    "ModelStatistics": record(
        "What the requests for a version came to",
        {
            "name": MODEL,
            "version": VERSION,
            "inference_count": whole("How many rows were answered", 4),
            "inference_stats": record(
                "How its requests fared",
                {name: ref("Duration") for name in ("success", "fail", "queue", "compute_infer")},
            ),
        },
    ),
    "Statistics": record("What requests came to", {"model_stats": listing("By version", "ModelStatistics")}),
    "RepositoryIndex": record("Which versions are wanted", {"ready": truth("Those alone that answer")}, ("ready",)),
    "RepositoryEntry": record(
        "A version",
        {
            "name": text("Its network's name, or else its id", "000127a35b5f462b8ec68fb4d905ac36"),
            "version": VERSION,
            "state": one_of("Whether it answers", "READY", {"READY": "it does", "UNAVAILABLE": "it does not"}),
            "reason": text("Why it does not", ""),
        },
    ),
    "RepositoryLoad": record(
        "What is to be loaded",
        {
            "parameters": {
                **optional(PARAMETERS),
                "description": "`file:<version>/<name>`: a file of weights in base64, the network's next version. "
                "Without one, what was active answers again",
            }
        },
        may_lack=("parameters",),
    ),
    "Nothing": {"type": "object", "description": "Nothing more is said", "maxProperties": 0},
}
