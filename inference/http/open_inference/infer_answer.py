"""Writes what a network has answered: as JSON, or as JSON with the bytes of binary outputs behind it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from inference.dispatch.answer import Answer
from inference.errors import BadInputError
from inference.http.loop_request import BYTES, LoopAnswer
from inference.http.open_inference.datatypes import DATATYPES
from inference.http.open_inference.infer_body import InferRequest
from workers.messages.arrays import to_tensor

#: The length of the JSON before binary outputs, or inputs.
HEAD_SIZE = "Inference-Header-Content-Length"
#: Compressing a shorter answer makes it no faster.
COMPRESSED_FROM = 1400
#: By what it is called in headers; a deflate that everybody reads has zlib's head.
WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
LEVEL = 1
#: What is said of a coding that a client does not take.
_NOT_AT_ALL = re.compile(r"q=0(\.0*)?")


def write_infer_answer(request: InferRequest, answer: Answer) -> LoopAnswer:
    """The answer.

    Raises:
        BadInputError: an output is wanted that the network does not have.
    """
    outputs = answer.outputs
    wanted = dict.fromkeys(outputs, request.binary) if request.outputs is None else request.outputs
    refuse_unknown(wanted, outputs)
    head: dict[str, Any] = {"model_name": request.network, "model_version": str(answer.version.number)}
    if request.id is not None:
        head["id"] = request.id
    told: list[dict[str, Any]] = []
    raw: list[bytes] = []
    for name, binary in wanted.items():
        output = outputs[name]
        if not binary:
            told.append(tell_output(name, output))
            continue
        raw.append(to_tensor(output).data)
        told.append(_about(name, output) | {"parameters": {"binary_data_size": len(raw[-1])}})
    head["outputs"] = told
    written = orjson.dumps(head, option=orjson.OPT_SERIALIZE_NUMPY)
    if not raw:
        return _packed(LoopAnswer(written), request.accepts)
    size = (HEAD_SIZE, str(len(written)))
    return _packed(LoopAnswer(b"".join([written, *raw]), headers=(size,), content_type=BYTES), request.accepts)


def refuse_unknown(wanted: Iterable[str], outputs: Mapping[str, Any]) -> None:
    """Refuse a request for an output that the network does not have.

    Raises:
        BadInputError: it is one.
    """
    if unknown := [name for name in wanted if name not in outputs]:
        raise BadInputError(f"the network has no output {unknown[0]!r}; it has {', '.join(map(repr, outputs))}")


def tell_output(name: str, output: NDArray[Any]) -> dict[str, Any]:
    """An output with its numbers or texts, as orjson writes it."""
    return _about(name, output) | {"data": _as_json(output)}


def _about(name: str, output: NDArray[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype_of(output), "shape": output.shape}


def datatype_of(output: NDArray[Any]) -> str:
    """Its datatype, by the protocol's name."""
    return "BYTES" if output.dtype.kind == "O" else DATATYPES[output.dtype.name]


def _as_json(output: NDArray[Any]) -> Any:
    """Flat, in the digits that tell each number from its neighbours of its own kind."""
    flat = output.ravel()
    if output.dtype.kind == "O":
        return flat.tolist()
    return flat.astype(np.float32) if output.dtype == np.float16 else flat


def _packed(answer: LoopAnswer, accepts: bytes) -> LoopAnswer:
    """The answer, compressed when the client takes that and there is enough of it."""
    if not accepts or len(answer.body) < COMPRESSED_FROM:
        return answer
    codings = [each.partition(";") for each in accepts.decode("latin-1").lower().replace(" ", "").split(",")]
    offered = {name for name, _, quality in codings if not _NOT_AT_ALL.fullmatch(quality)}
    coding = next((each for each in WINDOW_BITS if each in offered), None)
    if coding is None:
        return answer
    packer = zlib.compressobj(LEVEL, wbits=WINDOW_BITS[coding])
    body = packer.compress(answer.body) + packer.flush()
    return LoopAnswer(body, answer.status, [*answer.headers, ("Content-Encoding", coding)], answer.content_type)
