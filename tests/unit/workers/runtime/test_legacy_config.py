"""What Keras 2 and legacy files say in older words is said in Keras 3's, or refused; nothing else is changed."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from tests.unit.workers.runtime.legacy_samples import Json, build, called, functional, layer, only_layer, sequential
from workers.runtime import architecture_check
from workers.runtime.architecture_check import check_architecture
from workers.runtime.backend import keras
from workers.runtime.errors import ArchitectureError
from workers.runtime.legacy_activations import hard_sigmoid_of_keras_2
from workers.runtime.legacy_config import MAX_DEPTH, translate


def test_an_architecture_of_keras_3_is_not_touched() -> None:
    config = json.loads(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "hard_sigmoid")]).to_json())

    assert translate(config) is config
    assert translate(config | {"keras_version": "3.15.1"}) == config | {"keras_version": "3.15.1"}


def test_a_config_without_modules_and_without_a_version_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="does not say which module of Keras it is from"):
        check_architecture(json.dumps(sequential(layer("Dense", units=1), version=None)))


@pytest.mark.parametrize("old", ["batch_input_shape", "build_input_shape"])
def test_a_sequential_model_that_starts_without_an_input_layer_gets_one(old: str) -> None:
    first = layer("Dense", units=2, **({old: [None, 3]} if old == "batch_input_shape" else {}))
    described = sequential(first, **({old: [None, 3]} if old == "build_input_shape" else {}))
    del described["config"]["layers"][0]

    assert build(described).input_shape == (None, 3)


def test_a_sequential_model_may_be_a_bare_list_of_layers() -> None:
    described = sequential(layer("Dense", units=2))

    assert build(described | {"config": described["config"]["layers"]}).output_shape == (None, 2)


AS_OBJECT = {"module": "builtins", "class_name": "function", "config": "hard_sigmoid", "registered_name": "function"}


@pytest.mark.parametrize("written", ["hard_sigmoid", AS_OBJECT], ids=["a name", "an object"])
@pytest.mark.parametrize(("version", "at_two"), [("2.15.0", 0.9), ("3.4.0", 5 / 6)])
def test_hard_sigmoid_is_that_of_the_version_that_wrote_it(version: str, at_two: float, written: Any) -> None:
    given = layer("InputLayer", "given", batch_shape=[None, 1])
    described = sequential(layer("Activation", activation=written), version=version)
    described["config"]["layers"][0] = given

    assert float(build(described)(np.array([[2.0]]))[0, 0]) == pytest.approx(at_two)


def test_hard_sigmoid_of_keras_2_ends_at_zero_and_one() -> None:
    assert np.array(hard_sigmoid_of_keras_2(np.array([-9.0, -2.5, 0.0, 2.5, 9.0]))).tolist() == [0, 0, 0.5, 1, 1]


def test_a_dtype_policy_of_keras_2_is_kept() -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    model = build(sequential(layer("Dense", units=2) | {"config": {"name": "d", "units": 2, "dtype": policy}}))

    assert model.layers[0].compute_dtype == "float16"


def test_a_gru_from_before_there_was_a_choice_resets_first() -> None:
    assert only_layer(sequential(layer("GRU", units=2)))["config"]["reset_after"] is False
    assert only_layer(sequential(layer("GRU", units=2, reset_after=True)))["config"]["reset_after"] is True


def test_what_only_a_training_needs_is_left_out() -> None:
    custom = {"class_name": "Mine", "config": {}}
    described = sequential(layer("Dense", units=1, kernel_initializer=custom, kernel_regularizer=custom))

    assert only_layer(described)["config"].keys() == {"name", "trainable", "dtype", "units"}


@pytest.mark.parametrize(
    "described",
    [
        layer("InputLayer", batch_input_shape=[None, 3], ragged=True),
        layer("InputLayer", batch_input_shape=[None, 3], sparse=True),
        layer("LSTM", units=1, time_major=True),
        layer("BatchNormalization", axis=[1, 2]),
        layer("BatchNormalization", axis=[1], renorm=True),
        layer("Attention", causal=True),
    ],
    ids=lambda described: described["class_name"],
)
def test_what_keras_3_has_no_words_for_is_refused(described: Json) -> None:
    with pytest.raises(ArchitectureError, match="Keras 3"):
        translate(sequential(described))


@pytest.mark.parametrize("module", [None, "keras.layers", "tf_keras.src.layers.core", "my.own", "os"])
def test_a_layer_that_is_not_kerass_own_is_refused(module: str | None) -> None:
    for kind in ("Lambda", "Mine", "system"):
        described = layer(kind, function="x") | ({} if module is None else {"module": module})
        with pytest.raises(ArchitectureError, match=rf"\.{kind}, which is not (among the layers|Keras.s own)"):
            check_architecture(json.dumps(sequential(described)))


def test_a_class_of_keras_in_anothers_module_is_refused() -> None:
    with pytest.raises(ArchitectureError, match=r"my\.own\.Dense"):
        check_architecture(json.dumps(sequential(layer("Dense", units=1) | {"module": "my.own"})))


def test_a_class_that_is_registered_by_another_name_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="needs own code"):
        check_architecture(json.dumps(sequential(layer("Dense", units=1) | {"registered_name": "Mine>Dense"})))


def test_the_config_of_own_code_is_left_as_it_is() -> None:
    inner = {"class_name": "Dense", "config": {"units": 1, "name": "x/y"}}
    config = {"name": "one", "alpha": 1, "implementation": 2, "kernel_initializer": "ones", "causal": True, "of": inner}
    own = {"class_name": "LeakyReLU", "config": config, "registered_name": "Mine>LeakyReLU", "module": "my.own"}

    assert only_layer(sequential(own)) == own
    dense = called(layer("Dense", "last", units=1), [["one", 0, 0, {}]])
    graph = functional(called(own | {"name": "one"}, [["given", 0, 0, {}]]), dense)
    assert only_layer(graph)["config"] == config


def test_names_with_slashes_are_names_with_underscores() -> None:
    dense = called(layer("Dense", "a/b", units=2), [["given", 0, 0, {}]])

    model = build(functional(dense, outputs=[("a/b", 0, 0)]))

    assert model.layers[-1].name == "a_b"


def test_names_that_become_one_are_refused() -> None:
    first = called(layer("Dense", "a/b", units=2), [["given", 0, 0, {}]])
    second = called(layer("Dense", "a_b", units=2), [["a/b", 0, 0, {}]])

    with pytest.raises(ArchitectureError, match="two layers whose name is 'a_b'"):
        translate(functional(first, second, outputs=[("a_b", 0, 0)]))


def test_names_of_many_layers_are_compared_in_good_time() -> None:
    described = sequential(*[layer("Dropout", f"d{number}", rate=0.1) for number in range(15_000)])
    before = time.process_time()

    translate(described)

    assert time.process_time() - before < 2


def test_objects_are_counted_before_anything_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architecture_check, "MAX_OBJECTS", 10)
    monkeypatch.setattr(architecture_check, "translate", None)

    with pytest.raises(ArchitectureError, match="more than 10 layers"):
        check_architecture(json.dumps(sequential(*[layer("Dropout", rate=0.1)] * 10)))


def test_a_call_with_inputs_by_their_names_keeps_its_arguments() -> None:
    inner = functional(called(layer("Dropout", "last", rate=0.5), [["given", 0, 0, {}]]))
    inner["config"]["input_layers"] = {"given": ["given", 0, 0]}
    by_name = called(inner | {"name": "inner"}, {"given": ["given", 0, 0, {"training": True, "mask": None}]})

    node = translate(functional(by_name, outputs=[("inner", 1, 0)]))["config"]["layers"][1]["inbound_nodes"][0]

    assert node["kwargs"] == {"training": True}
    assert node["args"][0].keys() == {"given"}


@pytest.mark.parametrize("node", [[], [[]], [["given"]], [["given", "0", 0, {}]], [["given", 0, 0, []]], {"a": 1}, 7])
def test_calls_that_name_no_tensors_are_refused(node: Any) -> None:
    with pytest.raises(ArchitectureError, match="call"):
        translate(functional(called(layer("Dense", "last", units=1), node)))


def test_models_without_end_are_refused() -> None:
    described = layer("Dense", units=1)
    for _ in range(MAX_DEPTH + 1):
        described = {"class_name": "Sequential", "config": {"name": "s", "layers": [described]}}

    with pytest.raises(ArchitectureError, match="nested more than"):
        translate(described | {"keras_version": "2.15.0"})
