"""What the protocol tells of a network: metadata, readiness, configuration, statistics; over HTTP and gRPC alike.

Each answer is an object of JSON whose fields are also those of the message that gRPC has for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from inference.dispatch.waiting import MAX_BATCH_ROWS
from inference.http.open_inference.datatypes import DATATYPES
from inference.models import Version
from inference.statistics.summary import EMPTY, Summary, by_version
from inference.versions import history
from inference.versions.signatures import asked_version, called, signature_of
from workers.messages.network_signature import TensorSignature
from workers.version import VERSION

EXTENSIONS = ["binary_tensor_data", "model_repository", "model_configuration", "statistics", "parameters"]
PLATFORM = "keras"
NANOSECONDS_A_MS = 1_000_000
#: A version's number, or a label; None: the active one.
Which = int | str | None


def server_metadata() -> dict[str, Any]:
    """What this is."""
    return {"name": "pipeline", "version": VERSION, "extensions": EXTENSIONS}


def model_metadata(network: str, which: Which) -> dict[str, Any]:
    """What a network takes and makes.

    Raises:
        NotFoundError: there is no such network or version.
        ConflictError: nobody knows what it takes.
    """
    version = asked_version(network, which)
    signature = signature_of(version)
    loaded = history.versions(version.network_id).filter(state=Version.State.LOADED)
    numbers = [version.number] if which else sorted(loaded.values_list("number", flat=True))
    return {
        "name": network,
        "versions": [str(each) for each in numbers],
        "platform": PLATFORM,
        "inputs": [_tensor(each) for each in signature.inputs],
        "outputs": [_tensor(each) for each in signature.outputs],
    }


def model_ready(network: str, which: Which) -> bool:
    """Whether it answers.

    Raises:
        NotFoundError: there is no such network or version.
    """
    return bool(asked_version(network, which).state == Version.State.LOADED)


def model_config(network: str, which: Which) -> dict[str, Any]:
    """How a network is served, in Triton's words; raises as `model_metadata` does."""
    signature = signature_of(asked_version(network, which))
    return {
        "name": network,
        "platform": PLATFORM,
        "backend": PLATFORM,
        "max_batch_size": MAX_BATCH_ROWS,
        "input": [_configured(each) for each in signature.inputs],
        "output": [_configured(each) for each in signature.outputs],
    }


def model_statistics(network: str | None, which: Which) -> dict[str, Any]:
    """What requests came to, as long as statistics are kept: of all networks, of one, or of one of its versions.

    Raises:
        NotFoundError: there is no such network or version.
    """
    if network is None:
        found = [each.active for each in history.networks() if each.active]
    elif which is None:
        found = list(history.versions(history.network(network).nn_id).filter(state=Version.State.LOADED))
    else:
        found = [asked_version(network, which)]
    until = timezone.now() + timedelta(minutes=1)
    since = until - timedelta(days=settings.PIPELINE_ROLLUPS_DAYS)
    traffic = {nn_id: by_version(nn_id, since, until) for nn_id in {each.network_id for each in found}}
    return {"model_stats": [_statistics(each, traffic[each.network_id].get(each.number, EMPTY)) for each in found]}


def _tensor(tensor: TensorSignature) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": DATATYPES[tensor.dtype], "shape": [-1, *_sizes(tensor)]}


def _configured(tensor: TensorSignature) -> dict[str, Any]:
    datatype = DATATYPES[tensor.dtype]
    return {
        "name": tensor.name,
        "data_type": "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}",
        "dims": _sizes(tensor),
    }


def _sizes(tensor: TensorSignature) -> list[int]:
    return [-1 if size is None else size for size in tensor.shape]


def _statistics(version: Version, found: Summary) -> dict[str, Any]:
    answered = found.count - found.errors
    return {
        "name": called(version),
        "version": str(version.number),
        "inference_count": found.rows,
        "inference_stats": {
            "success": _duration(answered, found.mean_ms),
            "fail": _duration(found.errors, None),
            "queue": _duration(answered, found.mean_queue_ms),
            "compute_infer": _duration(answered, found.mean_inference_ms),
        },
    }


def _duration(count: int, mean_ms: float | None) -> dict[str, int]:
    return {"count": count, "ns": round(count * (mean_ms or 0.0) * NANOSECONDS_A_MS)}
