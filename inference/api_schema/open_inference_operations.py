"""What is said of the Open Inference Protocol's addresses."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from inference.api_schema.fields import ref
from inference.api_schema.operation import (
    EVERYBODY,
    HEADER,
    NETWORK_FIELD,
    answer,
    answer_header,
    describe,
    in_path,
    operation,
    request_examples,
)
from inference.api_schema.operations import NETWORK, OTHER
from inference.api_schema.refusals import ERROR, WITH_BODY

#: Operations whose body may be empty.
WITHOUT_BODY_TOO = ("repository_index", "repository_load")
TAG = "open inference protocol"
VIEWS, REPOSITORY = "inference.http.open_inference.views", "inference.http.open_inference.repository"
HEAD_SIZE = "Inference-Header-Content-Length"
INPUT = {"name": "numbers", "datatype": "FP32", "shape": [1, 2]}
OUTPUT = {"name": "sum", "datatype": "FP32", "shape": [1, 1]}
TELLS = {"name": NETWORK, "platform": "keras"}
DURATION = {"count": 2, "ns": 8_000_000}
STATISTICS = {
    "name": NETWORK,
    "version": "1",
    "inference_count": 4,
    "inference_stats": dict.fromkeys(("success", "fail", "queue", "compute_infer"), DURATION),
}
NO_SUCH_VERSION = f"there is no version 9 of network {NETWORK}: GET /networks/{NETWORK} lists them"
UNKNOWN = f"what {NETWORK} version 1 takes is not known: POST /networks/{NETWORK}/activate has workers tell it"
CONFIGURED = {"name": "numbers", "data_type": "TYPE_FP32", "dims": [2]}


def not_ready(component: str, example: object) -> OpenApiResponse:
    """The answer 503 of what says whether something answers."""
    said = answer(component, "It is not, or nobody can say", not_ready=example)
    said.response = {"anyOf": [ref(component), ref(ERROR)]}
    return said


describe(
    f"{VIEWS}.Server",
    get=operation(
        "server_metadata",
        TAG,
        "Tell what this server is",
        "Its name, its release, and the protocol's extensions that it speaks.",
        right=EVERYBODY,
        shape=ERROR,
        answers={
            200: answer(
                "ServerMetadata", "It", pipeline={"name": "pipeline", "version": "0.1.0", "extensions": ["statistics"]}
            )
        },
    ),
)
describe(
    f"{VIEWS}.Live",
    get=operation(
        "live",
        TAG,
        "Tell that the process lives",
        "Looks at nothing else.",
        right=EVERYBODY,
        shape=ERROR,
        answers={200: answer("Live", "It lives", lives={"live": True})},
    ),
)
describe(
    f"{VIEWS}.Ready",
    get=operation(
        "ready",
        TAG,
        "Tell whether predictions can be answered",
        "As `/readyz` does.",
        right=EVERYBODY,
        shape=ERROR,
        answers={
            200: answer("ServerReady", "They can", ready={"live": True, "ready": True}),
            503: not_ready("ServerReady", {"live": True, "ready": False}),
        },
    ),
)
describe(
    f"{VIEWS}.Model",
    get=operation(
        "model_metadata",
        TAG,
        "Tell what a network takes and makes",
        "The inputs and outputs of its active version, or of the one that is named.",
        right="predict",
        shape=ERROR,
        answers={
            200: answer("ModelMetadata", "It", one={**TELLS, "versions": ["1"], "inputs": [INPUT], "outputs": [OUTPUT]})
        },
        refused=(404, 409),
        messages={404: NO_SUCH_VERSION, 409: UNKNOWN},
    ),
)
describe(
    f"{VIEWS}.Infer",
    post=operation(
        "infer",
        TAG,
        "Predict",
        "Tensors in, tensors out, by the active version or the one that is named; each as JSON or, behind all of the "
        "JSON and in its order, as little-endian bytes. Rows that the network does not take are 400.",
        right="predict",
        shape=ERROR,
        request={"application/json": ref("InferRequest"), "application/octet-stream": bytes},
        examples=request_examples(
            one_row={"id": "42", "inputs": [{**INPUT, "data": [0.1, 0.2]}]},
            named_outputs={"inputs": [{**INPUT, "data": [[0.1, 0.2]]}], "outputs": [{"name": "sum"}]},
        ),
        parameters=(
            OpenApiParameter(
                HEAD_SIZE,
                {"type": "integer", "minimum": 1},
                HEADER,
                description="How many bytes of the body are JSON, before any compression; without it, all",
            ),
        ),
        headers=(answer_header(HEAD_SIZE, "How many bytes of the answer are JSON, when bytes follow", [200]),),
        answers={
            (200, "application/json"): answer(
                "InferResponse",
                "The outputs",
                one_row={
                    "model_name": NETWORK,
                    "model_version": "1",
                    "id": "42",
                    "outputs": [{**OUTPUT, "data": [0.29999039]}],
                },
            ),
            (200, "application/octet-stream"): OpenApiResponse(
                bytes, "JSON, and the bytes of binary outputs behind it"
            ),
        },
        refused=(*WITH_BODY, 404, 409, 504),
        messages={400: "input 'x': data are not all INT8", 404: NO_SUCH_VERSION, 409: "version 3 is failed"},
    ),
)
describe(
    f"{VIEWS}.ModelReady",
    get=operation(
        "model_ready",
        TAG,
        "Tell whether a network answers",
        "Its active version, or the one that is named.",
        right="predict",
        shape=ERROR,
        answers={
            200: answer("ModelReady", "It does", ready={"name": NETWORK, "ready": True}),
            503: not_ready("ModelReady", {"name": NETWORK, "ready": False}),
        },
        refused=(404,),
        messages={404: NO_SUCH_VERSION},
    ),
)
describe(
    f"{VIEWS}.ModelConfig",
    get=operation(
        "model_config",
        TAG,
        "Tell how a network is served",
        "In the words of Triton's configurations.",
        right="predict",
        shape=ERROR,
        answers={
            200: answer(
                "ModelConfig",
                "It",
                one={
                    **TELLS,
                    "backend": "keras",
                    "max_batch_size": 1024,
                    "input": [CONFIGURED],
                    "output": [CONFIGURED],
                },
            )
        },
        refused=(404, 409),
        messages={404: NO_SUCH_VERSION, 409: UNKNOWN},
    ),
)
describe(
    f"{VIEWS}.Statistics",
    get=operation(
        "statistics",
        TAG,
        "Tell what requests came to",
        "Of all active versions, of all that answer of one network, or of one version; as long as statistics are kept.",
        right="status",
        shape=ERROR,
        answers={200: answer("Statistics", "It", one={"model_stats": [STATISTICS]})},
        refused=(404,),
        messages={404: NO_SUCH_VERSION},
    ),
)
indexed = answer("RepositoryEntry", "They", one=[{"name": NETWORK, "version": "1", "state": "READY", "reason": ""}])
indexed.response = {"type": "array", "items": ref("RepositoryEntry")}
describe(
    f"{REPOSITORY}.Index",
    post=operation(
        "repository_index",
        TAG,
        "List versions",
        "All that are not deleted, 10000 at most. The body may be empty.",
        right="status",
        shape=ERROR,
        request={"application/json": ref("RepositoryIndex")},
        examples=request_examples(all={}, ready={"ready": True}),
        answers={200: indexed},
        refused=WITH_BODY,
        messages={400: "the body must be a JSON object, or empty"},
    ),
)
describe(
    f"{REPOSITORY}.Load",
    post=operation(
        "repository_load",
        TAG,
        "Load weights on every worker",
        "The file that comes along becomes the network's next version, by the rules of `PUT /set_weights`; without "
        "one, what was active last answers again. The body may be empty.",
        right="weights",
        shape=ERROR,
        request={"application/json": ref("RepositoryLoad")},
        examples=request_examples(again={}),
        answers={200: answer("Nothing", "Loaded by every worker, and active", done={})},
        refused=(*WITH_BODY, 404, 409, 507),
        messages={
            400: "file:1/model.keras must be the file in base64",
            409: "w2@host: WeightsError: the file has no weights",
            503: "no worker is connected",
        },
    ),
)
describe(
    f"{REPOSITORY}.Unload",
    post=operation(
        "repository_unload",
        TAG,
        "Have no version of a network active",
        "What names the network alone is answered 404 then, until one is active again. A body is not looked at.",
        right="weights",
        shape=ERROR,
        # Another network than that of all other examples: who tries them out has it answer still.
        parameters=(in_path("network", {**NETWORK_FIELD, "examples": [OTHER]}),),
        answers={200: answer("Nothing", "None is active", done={})},
        refused=(*WITH_BODY, 404),
        messages={404: f"there is no network {OTHER}: GET /networks lists them"},
    ),
)
