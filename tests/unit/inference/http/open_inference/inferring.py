"""Requests to infer, as clients write them, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.http.open_inference.datatypes import DATATYPES
from tests.unit.asking import Answered, ask
from tests.unit.pretended_gateway import PretendedGateway
from workers.messages.arrays import to_arrays

ADDRESS = "/v2/models/iris/infer"
HEAD_SIZE = "Inference-Header-Content-Length"


def tensor(data: Any, shape: list[int], datatype: str = "FP32", name: str = "x", **more: Any) -> dict[str, Any]:
    """An input as JSON."""
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}


def binary(array: NDArray[Any], name: str = "x") -> tuple[dict[str, Any], bytes]:
    """An input whose numbers, or texts, come as bytes, and these."""
    datatype = "BYTES" if array.dtype == object else DATATYPES[array.dtype.name]
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes() if array.dtype != object else texts(*array.ravel())
    head = {
        "name": name,
        "shape": list(array.shape),
        "datatype": datatype,
        "parameters": {"binary_data_size": len(raw)},
    }
    return head, raw


def texts(*each: str | bytes) -> bytes:
    """Texts as they travel: each behind its length."""
    encoded = [one.encode() if isinstance(one, str) else one for one in each]
    return b"".join(len(one).to_bytes(4, "little") + one for one in encoded)


ROW = tensor([0.5, 0.25], [1, 2])


def infer(
    *inputs: dict[str, Any], raw: bytes = b"", head_size: object = None, address: str = ADDRESS, **more: Any
) -> Answered:
    """The answer to a request; the bytes `raw` come behind the JSON. `more` are fields of it."""
    return send(json.dumps({"inputs": list(inputs), **more}).encode(), raw, head_size, address)


def send(head: bytes, raw: bytes = b"", head_size: object = None, address: str = ADDRESS, **about: Any) -> Answered:
    """The answer to a request that is JSON with bytes behind."""
    if head_size is None and raw:
        head_size = len(head)
    headers = {HEAD_SIZE: str(head_size)} if head_size is not None else {}
    return ask(address, head + raw, headers={**headers, **about.pop("headers", {})}, **about)


def asked(gateway: PretendedGateway) -> dict[str, NDArray[Any]]:
    """The inputs of the only request that was handed on."""
    [(inputs, _)] = gateway.dispatcher.submitted
    return to_arrays(inputs.inputs)


def float32(*rows: list[float]) -> NDArray[np.float32]:
    """Rows of numbers."""
    return np.array(rows, np.float32)
