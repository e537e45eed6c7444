"""What TensorFlow's functions in Keras 2's models become: the same in Keras's words, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.workers.runtime.legacy_samples import Json, build, called, functional, layer, sequential
from workers.runtime.errors import ArchitectureError
from workers.runtime.legacy_config import translate
from workers.runtime.legacy_dtypes import whole_number_layers


def function(function: str, **arguments: Any) -> Json:
    kind = "SlicingOpLambda" if function.endswith("getitem") else "TFOpLambda"
    return called(layer(kind, "last", function=function), ["given", 0, 0, arguments])


@pytest.mark.parametrize(
    ("described", "wanted"),
    [
        (function("math.multiply", y=3.0, name=None), [[3, 6, 9]]),
        (function("math.subtract", y=["given", 0, 0]), [[0, 0, 0]]),
        (function("math.reduce_sum", axis=-1, keepdims=True), [[6]]),
        (function("nn.leaky_relu"), [[1, 2, 3]]),
        (function("nn.leaky_relu", alpha=None), [[1, 2, 3]]),
        (function("math.reduce_max", axis=1, keepdims=None), [3]),
        (function("clip_by_value", clip_value_min=2, clip_value_max=2.5), [[2, 2, 2.5]]),
        (function("tile", multiples=[1, 2]), [[1, 2, 3, 1, 2, 3]]),
        (function("stack", axis=1) | {"inbound_nodes": [[["given", 0, 0, {"axis": 1}]] * 2]}, [[[1, 2, 3]] * 2]),
        (
            function("math.pow") | {"inbound_nodes": [["_CONSTANT_VALUE", -1, 2.0, {"y": ["given", 0, 0]}]]},
            [[2, 4, 8]],
        ),
        (function("__operators__.getitem", slice_spec=[{"start": None, "stop": None, "step": None}, 1]), [2]),
    ],
    ids=lambda value: value["config"]["function"] if isinstance(value, dict) else "",
)
def test_a_function_of_tensorflow_computes_what_it_did(described: Json, wanted: Any) -> None:
    assert np.array(build(functional(described))(np.array([[1.0, 2.0, 3.0]], np.float32))).tolist() == wanted


@pytest.mark.parametrize("name", ["nn.softmax", "nn.log_softmax"])
def test_a_softmax_without_an_axis_is_over_the_last(name: str) -> None:
    rows = np.array([[1.0, 2.0, 3.0], [3.0, 5.0, 4.0]], np.float32)
    without, last = (build(functional(function(name, axis=axis))) for axis in (None, -1))

    assert np.array(without(rows)).tolist() == np.array(last(rows)).tolist()


def of_whole_numbers(name: str, *between: Json, dtype: str = "int32", **arguments: Any) -> Json:
    last = called(layer("TFOpLambda", "last", function=name), [between[-1]["name"] if between else "given", 0, 0])
    last["inbound_nodes"][0].append(arguments)
    described = functional(*between, last)
    described["config"]["layers"][0]["config"]["dtype"] = dtype
    return described


@pytest.mark.parametrize("name", ["math.reduce_mean", "math.reduce_sum", "math.truediv"])
def test_a_function_that_is_another_one_for_whole_numbers_is_refused_for_them(name: str) -> None:
    further: Json = {"y": 2} if name == "math.truediv" else {"axis": 1}
    flat = called(layer("Flatten", "flat"), [["given", 0, 0, {}]])
    embedded = called(layer("Embedding", "table", input_dim=4, output_dim=2), [["given", 0, 0, {}]])
    fractions, whole = (
        called(layer("TFOpLambda", "cast", function="cast"), ["given", 0, 0, {"dtype": dtype}])
        for dtype in ("float32", "int32")
    )

    for described in (
        of_whole_numbers(name, **further),
        of_whole_numbers(name, flat, dtype="uint8", **further),
        of_whole_numbers(name, whole, dtype="float32", **further),
    ):
        with pytest.raises(ArchitectureError, match=rf"tf\.{name} with what may be whole numbers"):
            translate(described)
    for described in (
        of_whole_numbers(name, embedded, **further),
        of_whole_numbers(name, fractions, **further),
        of_whole_numbers(name, flat, dtype="float32", **further),
    ):
        assert build(described)


def test_whole_numbers_are_followed_through_nested_models() -> None:
    flat = called(layer("Flatten", "last"), [["given", 0, 0, {}]])
    inner = functional(flat)
    chain = sequential(layer("Flatten"))
    for dtype, nested in (("int32", inner), ("float32", inner), ("int32", chain)):
        nested["config"]["layers"][0]["config"]["dtype"] = dtype
        within = called(nested | {"name": "inner"}, [["given", 0, 0, {}]])
        assert whole_number_layers([within]) == ({"inner"} if dtype == "int32" else set())


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        (function("py_function"), "calls tf.py_function, which is not among the functions"),
        (function("io.read_file"), "calls tf.io.read_file, which is not among"),
        (function("linalg.matmul", b=["given", 0, 0], transpose_b=True), "calls tf.linalg.matmul with transpose_b"),
        (function("math.add"), "in a way that is not served"),
        (function("reshape", shape=[["given", 0, 0], 3]), "in a way that is not served"),
        (function("__operators__.getitem", slice_spec=[["given", 0, 0]]), "slice that is not of plain numbers"),
        (called(function("nn.relu"), ["given", 0, 0], ["given", 0, 0]), "not once, but 2 times"),
    ],
)
def test_a_function_that_is_not_known_is_refused(described: Json, reason: str) -> None:
    with pytest.raises(ArchitectureError, match=reason):
        translate(functional(described))
