"""Networks of several inputs and outputs, of any rank and of many kinds of numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.networks import rows, write_weights
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.errors import ArchitectureError, RowsError

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (keras.Input((2,), sparse=True), "no dense array"),
    ],
    ids=["sparse"],
)
def test_inputs_that_no_request_can_hold_are_refused(given: Any, reason: str) -> None:
    config = str(keras.Model(given, keras.layers.Identity()(given)).to_json())

    with pytest.raises(ArchitectureError, match=reason):
        Architecture(config)


def two_inputs(as_dict: bool) -> keras.Model:
    """Adds a float to a row of a table that a whole number names, and multiplies them."""
    number, place = keras.Input((2,), name="number"), keras.Input((), dtype="int32", name="place")
    row = keras.layers.Embedding(4, 2, name="table")(place)
    outputs = [keras.layers.Add(name="sum")([number, row]), keras.layers.Multiply(name="product")([number, row])]
    if as_dict:
        return keras.Model({"place": place, "number": number}, {"z": outputs[0], "y": outputs[1]})
    return keras.Model([number, place], outputs)


@pytest.mark.parametrize("as_dict", [False, True])
def test_several_inputs_and_outputs_go_by_their_names(as_dict: bool, tmp_path: Path) -> None:
    config = str(two_inputs(as_dict).to_json())
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))
    table = np.asarray(weights.tensors[0])
    given = {"number": rows((1, 2), (3, 4), (5, 6)), "place": np.array([3, 0, 1])}

    outputs = architecture.predict(weights, given)

    assert {(each.name, each.dtype, each.row_shape) for each in architecture.inputs} == {
        ("number", "float32", (2,)),
        ("place", "int32", ()),
    }
    added, multiplied = ("z", "y") if as_dict else ("sum", "product")
    assert outputs.keys() == {added, multiplied} == {each.name for each in architecture.outputs}
    np.testing.assert_allclose(outputs[added], given["number"] + table[[3, 0, 1]], atol=1e-6)
    np.testing.assert_allclose(outputs[multiplied], given["number"] * table[[3, 0, 1]], atol=1e-6)
    alone = architecture.predict(weights, {name: array[1:2] for name, array in given.items()})
    assert alone[added].tolist() == outputs[added][1:2].tolist()


def named_layers(*names: str) -> tuple[Any, list[Any]]:
    given = keras.Input((2,))
    return given, [keras.layers.Dense(units + 1, name=name)(given) for units, name in enumerate(names)]


@pytest.mark.parametrize(
    ("arrange", "names"),
    [
        (lambda x, y, z: {"a": [x, y], "b": z}, ["x", "y", "b"]),
        (lambda x, y, z: {"b": x, "a": [y, {"c": z}]}, ["y", "z", "b"]),
        (lambda x, y, z: {"a": [x, y], "x": z}, ["x_1", "y", "x"]),
        (lambda x, y, z: [[x, y], z], ["x", "y", "z"]),
        (lambda x, y, _: {"b": x, "a": y, "c": x}, ["a", "b", "c"]),
    ],
)
def test_outputs_are_named_by_their_key_and_within_lists_by_their_layer(arrange: Any, names: list[str]) -> None:
    given, outputs = named_layers("x", "y", "z")

    architecture = Architecture(str(keras.Model(given, arrange(*outputs)).to_json()))

    assert [each.name for each in architecture.outputs] == names


def test_a_chain_that_ends_in_a_network_of_several_outputs_has_its_names() -> None:
    given, outputs = named_layers("x", "y")
    chain = keras.Sequential([keras.Input((2,)), keras.Model(given, outputs)])

    architecture = Architecture(str(chain.to_json()))

    assert [(each.name, each.row_shape) for each in architecture.outputs] == [("x", (1,)), ("y", (2,))]


def test_outputs_of_one_name_get_names_of_their_own() -> None:
    given = keras.Input((2,))
    twice = keras.layers.Dense(2, name="twice")
    architecture = Architecture(str(keras.Model(given, [twice(given), twice(twice(given))]).to_json()))

    assert [each.name for each in architecture.outputs] == ["twice", "twice_1"]


def test_a_name_with_a_number_is_not_given_twice() -> None:
    given, (numbered, plain) = named_layers("x_1", "x")

    architecture = Architecture(str(keras.Model(given, [numbered, plain, plain]).to_json()))

    assert [each.name for each in architecture.outputs] == ["x_1", "x", "x_2"]


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "float16", "float32", "float64", "bool"])
def test_numbers_of_many_kinds_go_in_and_out(dtype: str, tmp_path: Path) -> None:
    given = keras.Input((2, 3), dtype=dtype)
    layer = keras.layers.Identity(dtype=dtype if dtype.startswith("float") else None)
    config = str(keras.Model(given, layer(given)).to_json())
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))
    values = np.array([[[0, 1, 1], [1, 0, 1]]], dtype)

    outputs = architecture.predict_rows(weights, values)

    assert (outputs.dtype, outputs.tolist()) == (np.dtype(dtype), values.tolist())
    assert architecture.predict_rows(weights, values.astype(np.float64)).tolist() == values.tolist()


@pytest.mark.parametrize("name", ["x" * 300, "\ud800", "a\0b", "a\nb", "\u202e"], ids=lambda name: ascii(name)[:9])
@pytest.mark.parametrize("place", ["an input", "a layer", "a key"])
def test_names_that_no_message_takes_are_refused(name: str, place: str) -> None:
    given = keras.Input((2,), name="an input")
    made = keras.layers.Identity(name="a layer")(given)
    config = str(keras.Model(given, {"a key": made} if place == "a key" else made).to_json())

    with pytest.raises(ArchitectureError, match="name of an input or output is too long or cannot be printed: '"):
        Architecture(config.replace(json.dumps(place), json.dumps(name)))


def test_a_name_in_any_language_is_taken() -> None:
    given = keras.Input((2,), name="größe 数")

    assert Architecture(str(keras.Model(given, given).to_json())).inputs[0].name == "größe 数"


def test_a_network_of_bfloat16_takes_and_makes_float32(tmp_path: Path) -> None:
    config = str(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, dtype="mixed_bfloat16")]).to_json())
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))

    assert [each.dtype for each in (*architecture.inputs, *architecture.outputs)] == ["float32", "float32"]
    assert architecture.predict_rows(weights, rows((1, 2))).dtype == np.float32


def test_rows_that_the_network_cannot_compute_are_the_rows_fault(tmp_path: Path) -> None:
    config = str(keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 2)]).to_json())
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))

    with pytest.raises(RowsError, match=r"cannot compute these rows: indices\[0,2\] = 5 is not in \[0, 5\)$"):
        architecture.predict_rows(weights, np.array([[0, 1, 5]]))


def test_a_network_of_images_of_any_size_is_loaded(tmp_path: Path) -> None:
    layers = [keras.Input((None, None, 1)), keras.layers.Conv2D(1, 5), keras.layers.GlobalMaxPooling2D()]
    config = str(keras.Sequential(layers).to_json())
    architecture = Architecture(config)
    weights = architecture.load(write_weights(tmp_path, config))

    assert architecture.predict_rows(weights, np.ones((3, 8, 9, 1), np.float32)).shape == (3, 1)


def test_a_product_with_a_plain_number_is_dense_whatever_keras_says_of_it(tmp_path: Path) -> None:
    given = keras.Input((2,))
    model = keras.Model(given, given * 3.0)
    architecture = Architecture(str(model.to_json()))
    model.save_weights(tmp_path / "1.weights.h5")
    weights = architecture.load(tmp_path / "1.weights.h5")

    assert architecture.predict_rows(weights, rows((1.0, 2.0))).tolist() == [[3.0, 6.0]]


def test_what_a_layer_makes_sparse_is_answered_dense(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,), dtype="int32"), keras.layers.CategoryEncoding(4, sparse=True)])
    architecture = Architecture(str(model.to_json()))
    model.save_weights(tmp_path / "1.weights.h5")
    weights = architecture.load(tmp_path / "1.weights.h5")

    assert architecture.predict_rows(weights, np.array([[1, 2]], np.int32)).tolist() == [[0, 1, 1, 0]]
