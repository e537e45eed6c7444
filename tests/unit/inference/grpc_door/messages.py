"""Requests to infer, as messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from inference.grpc_door.open_inference_pb2 import ModelInferRequest

NETWORK = "sum"
RAW = np.array([[0.5, 0.25]], "<f4").tobytes()


def request(**fields: Any) -> ModelInferRequest:
    """A request by this network, with no input yet."""
    return ModelInferRequest(**{"model_name": NETWORK, **fields})


def raw_request(**fields: Any) -> ModelInferRequest:
    """A request of one row of two numbers, as bytes."""
    made = request(**fields)
    made.inputs.add(name="numbers", datatype="FP32", shape=[1, 2])
    made.raw_input_contents.append(RAW)
    return made


def typed_request(datatype: str, shape: list[int], **contents: Any) -> ModelInferRequest:
    """A request of one input as typed contents."""
    made = request()
    made.inputs.add(name="numbers", datatype=datatype, shape=shape, contents=contents)
    return made
