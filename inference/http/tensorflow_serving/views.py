"""What TensorFlow Serving, and KServe's first protocol, tell of networks: status and metadata."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from inference.access.rights import PREDICT, STATUS
from inference.http.error_texts import ProtocolView
from inference.http.tensorflow_serving.predict_rows import SIGNATURE
from inference.models import Version
from inference.versions import history
from inference.versions.signatures import asked_version, signature_of
from workers.messages.network_signature import TensorSignature

#: TensorFlow's names for what numbers and texts are.
DT = {
    "bool": "DT_BOOL", "int8": "DT_INT8", "int16": "DT_INT16", "int32": "DT_INT32", "int64": "DT_INT64",
    "uint8": "DT_UINT8", "uint16": "DT_UINT16", "uint32": "DT_UINT32", "uint64": "DT_UINT64",
    "float16": "DT_HALF", "float32": "DT_FLOAT", "float64": "DT_DOUBLE", "string": "DT_STRING",
}  # fmt: skip
#: The state of a version, and what is said with it, in TensorFlow Serving's words.
STATES = {
    Version.State.LOADED: ("AVAILABLE", "OK", ""),
    Version.State.PENDING: ("START", "OK", ""),
    Version.State.FAILED: ("END", "UNKNOWN", "a worker could not load it"),
    Version.State.DELETED: ("END", "OK", ""),
}


class Models(ProtocolView):
    """GET /v1/models."""

    right = STATUS

    def get(self, request: Request) -> Response:
        """The names of all networks that answer."""
        return Response({"models": [each.name or each.nn_id for each in history.networks() if each.active]})


class ModelStatus(ProtocolView):
    """GET /v1/models/M, and of one version or label."""

    right = PREDICT

    def get(self, request: Request, network: str, number: int | None = None, label: str | None = None) -> Response:
        """Which versions there are, and whether the network answers."""
        if number is None and label is None:
            found = history.network(network)
            ready, versions = found.active is not None, history.versions(found.nn_id)
            told = [_status(each) for each in versions.exclude(state=Version.State.DELETED)[:1000]]
        else:
            version = asked_version(network, number or label, even_deleted=True)
            ready, told = version.state == Version.State.LOADED, [_status(version)]
        return Response({"name": network, "ready": ready, "model_version_status": told})


class Rows(ProtocolView):
    """The address of POST /v1/models/M:predict, which the event loop answers: Django has it for other methods."""

    right = PREDICT

    def post(self, request: Request, network: str, number: int | None = None, label: str | None = None) -> Response:
        """Never asked: one that comes here has passed by the server's doors."""
        raise NotImplementedError("predictions are answered by inference.http.tensorflow_serving.rows_door")


class Metadata(ProtocolView):
    """GET /v1/models/M/metadata, and of one version or label."""

    right = PREDICT

    def get(self, request: Request, network: str, number: int | None = None, label: str | None = None) -> Response:
        """What it takes and makes."""
        version = asked_version(network, number or label)
        signature = signature_of(version)
        told = {
            "inputs": {each.name: _tensor(each) for each in signature.inputs},
            "outputs": {each.name: _tensor(each) for each in signature.outputs},
            "method_name": "tensorflow/serving/predict",
        }
        return Response(
            {
                "model_spec": {"name": network, "signature_name": "", "version": str(version.number)},
                "metadata": {"signature_def": {"signature_def": {SIGNATURE: told}}},
            }
        )


def _status(version: Version) -> dict[str, Any]:
    state, code, message = STATES[Version.State(version.state)]
    return {
        "version": str(version.number),
        "state": state,
        "status": {"error_code": code, "error_message": message},
    }


def _tensor(tensor: TensorSignature) -> dict[str, Any]:
    sizes = [None, *tensor.shape]
    return {
        "name": tensor.name,
        "dtype": DT[tensor.dtype],
        "tensor_shape": {
            "dim": [{"size": str(-1 if size is None else size), "name": ""} for size in sizes],
            "unknown_rank": False,
        },
    }
