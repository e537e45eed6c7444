"""Networks with the operator's own layers, functions and models: built, loaded, answering as Keras does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.own_code import imported
from tests.unit.workers.runtime.loaded import assert_answers_alike, load_files, load_saved
from workers.runtime.architecture_check import check_architecture
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture
from workers.runtime.errors import ArchitectureError, WeightsError
from workers.runtime.models import build_model, save_weights
from workers.runtime.weights_file import WeightsFileReader

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning"),
]
layers = keras.layers
RANDOM = np.random.default_rng(11)
LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "x"}, "registered_name": None}


@pytest.fixture(scope="module", autouse=True)
def team() -> Iterator[None]:
    with imported("team.layers"):
        yield


def own(name: str, *arguments: Any, **keywords: Any) -> Any:
    return keras.saving.get_custom_objects()[f"team>{name}"](*arguments, **keywords)


def own_function(name: str) -> Any:
    return keras.saving.get_custom_objects()[f"team>{name}"]


def called(model: Any, *rows: Any) -> Any:
    """The model, built as Keras does it when it is called on rows, and filled with numbers."""
    model(*rows)
    model.set_weights([RANDOM.uniform(0.5, 1.5, each.shape).astype(each.dtype) for each in model.get_weights()])
    return model


def rows(*shape: int) -> Any:
    return RANDOM.normal(size=shape).astype(np.float32)


def chain(*made: Any, width: int = 4) -> Any:
    return keras.Sequential([keras.Input((width,)), *made])


def functional(inner: Any, *shape: int) -> Any:
    given = keras.Input(shape)
    return keras.Model(given, layers.Dense(2)(inner(given)))


MODELS: dict[str, Callable[[], Any]] = {
    "a layer": lambda: called(chain(layers.Dense(3), own("Scale"), layers.Dense(2)), rows(2, 4)),
    "a function": lambda: called(
        chain(layers.Dense(3, activation=keras.saving.get_custom_objects()["team>bent"])), rows(2, 4)
    ),
    "a layer around Keras's": lambda: called(chain(own("Around", layers.Dense(4, "tanh"))), rows(2, 4)),
    "its own initializer": lambda: called(
        chain(own("Scale", gain_initializer=keras.initializers.Constant(3.0))), rows(2, 4)
    ),
    "a chain": lambda: called(own("Chain", [keras.Input((4,)), layers.Dense(3)]), rows(2, 4)),
    "a layer at each step": lambda: called(functional(layers.TimeDistributed(own("Scale")), 3, 4), rows(2, 3, 4)),
    "a model among layers": lambda: called(functional(own("Net"), 4), rows(2, 4)),
    "a model": lambda: called(own("Net"), rows(7, 4)),
    "a compiled model": lambda: called(own("Compiled"), rows(7, 4)),
    "a model in a chain": lambda: called(chain(own("Net"), layers.Dense(1)), rows(2, 4)),
}


@pytest.mark.parametrize("kind", ["keras", "weights"])
@pytest.mark.parametrize("name", MODELS)
def test_it_answers_as_keras_does(name: str, kind: str, reader: WeightsFileReader, tmp_path: Path) -> None:
    model = MODELS[name]()

    loaded = load_saved(reader, model, kind, tmp_path)

    assert_answers_alike(loaded, model, rows(5, 3, 4) if "step" in name else rows(5, 4))


@pytest.mark.parametrize("given", ["list", "dict"])
@pytest.mark.parametrize("makes", ["list", "dict"])
def test_a_models_inputs_and_outputs_have_its_own_names(
    given: str, makes: str, reader: WeightsFileReader, tmp_path: Path
) -> None:
    left, right = rows(5, 2), rows(5, 3)
    together: Any = [left, right] if given == "list" else {"left": left, "right": right}
    model = called(own("Net", makes=makes), together)

    loaded = load_saved(reader, model, "keras", tmp_path)

    names = ("inputs", "inputs_1") if given == "list" else ("left", "right")
    answers = loaded.predict(dict(zip(names, (left, right), strict=True)))
    expected = model(together)
    expected = expected if makes == "dict" else dict(zip(("output", "output_1"), expected, strict=True))
    assert set(answers) == set(expected)
    for name, each in expected.items():
        np.testing.assert_allclose(answers[name], each, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["keras", "weights"])
def test_a_models_arguments_are_its_inputs(kind: str, reader: WeightsFileReader, tmp_path: Path) -> None:
    query, keys = rows(5, 3), rows(5, 4)
    model = called(own("Pair"), query, keys)
    assert "shapes_dict" in model.get_build_config()

    loaded = load_saved(reader, model, kind, tmp_path)

    np.testing.assert_allclose(
        loaded.predict({"query": query, "keys": keys})["output"], model(query, keys), rtol=1e-5, atol=1e-5
    )


def test_what_own_code_does_not_name_is_named_alike_whatever_was_built_before() -> None:
    config = str(own("Drawn").to_json())

    first, second = Architecture(config), Architecture(config)

    assert [each.name for each in (*first.inputs, *first.outputs)] == [
        each.name for each in (*second.inputs, *second.outputs)
    ]
    assert first.wanted.variables == second.wanted.variables


def test_a_model_that_was_never_called_is_refused_with_how_to_save_it() -> None:
    with pytest.raises(ArchitectureError, match=r"call it once on rows \(model\(rows\)\) before model\.save"):
        Architecture(str(own("Net").to_json()))


@pytest.mark.filterwarnings("ignore:Model .* had a build config:UserWarning")
def test_a_model_of_whose_arguments_keras_saved_one_is_refused_with_what_to_write() -> None:
    model = own("HalfSaved")
    model(rows(2, 3), rows(2, 2))

    with pytest.raises(ArchitectureError, match=r"only if its build\(\) takes a shape for each"):
        Architecture(str(model.to_json()))


def test_what_own_code_raises_is_told_in_one_line() -> None:
    described = str(chain(own("Around", own("Scale"))).to_json()).replace('"unroll": 2', '"unrolled": 2')

    with pytest.raises(ArchitectureError, match=r"Unrecognized keyword arguments passed to Scale") as said:
        build_model(described)
    assert "\n" not in str(said.value)
    assert len(str(said.value)) < 600


def test_weights_of_other_shapes_are_refused(reader: WeightsFileReader) -> None:
    one, other = called(own("Net", units=3), rows(2, 4)), called(own("Net", units=5), rows(2, 4))

    with pytest.raises(WeightsError):
        load_files(reader, str(one.to_json()), save_weights(other))


def test_an_own_chain_of_dense_layers_is_no_plain_one() -> None:
    own_chain = own("Chain", [keras.Input((4,)), layers.Dense(3)])

    assert not Architecture(str(own_chain.to_json())).wanted.dense_chain
    assert Architecture(str(chain(layers.Dense(3)).to_json())).wanted.dense_chain


@pytest.mark.parametrize("name", ["team>Other", "other>Scale", "x>" + "y" * 1000], ids=["class", "package", "long"])
def test_a_name_that_is_not_registered_is_refused_with_what_to_do(name: str) -> None:
    described = str(chain(own("Scale")).to_json()).replace("team>Scale", name)

    with pytest.raises(
        ArchitectureError, match=r"needs own code: .* name the one that does in PIPELINE_MODULES"
    ) as said:
        build_model(described)
    assert len(str(said.value)) < 300


def test_a_function_that_is_not_registered_is_refused_with_what_to_do() -> None:
    model = MODELS["a function"]()

    with pytest.raises(ArchitectureError, match="'team>straight' is registered by no module of this worker"):
        build_model(str(model.to_json()).replace("team>bent", "team>straight"))


def test_a_class_that_was_never_registered_is_refused_with_what_to_write() -> None:
    described = json.loads(str(chain(own("Scale")).to_json()))
    described["config"]["layers"][1].update(module="team.layers", class_name="Scale", registered_name="Scale")

    with pytest.raises(ArchitectureError, match=r"register_keras_serializable\(package=\.\.\.\) before the class"):
        build_model(json.dumps(described))


@pytest.mark.parametrize(
    ("module", "class_name"),
    [("os", "system"), ("keras.layers", "Lambda"), (None, "__lambda__"), ("builtins", "__typespec__")],
)
def test_a_registered_name_is_taken_for_what_it_names_whatever_else_is_said(
    module: str | None, class_name: str
) -> None:
    described = json.loads(str(chain(own("Scale")).to_json()))
    described["config"]["layers"][1].update(module=module, class_name=class_name)

    built = build_model(json.dumps(described))

    assert [type(each).__name__ for each in built.layers] == ["Scale"]


def test_what_is_inside_own_code_is_held_to_the_same_list() -> None:
    described = json.loads(str(chain(own("Around", layers.Dense(4))).to_json()))
    described["config"]["layers"][1]["config"]["inner"] = LAMBDA

    with pytest.raises(ArchitectureError, match=r"keras\.layers\.Lambda, which is not among the layers"):
        build_model(json.dumps(described))


@pytest.mark.parametrize("module", ["team.layers", "os", "keras.src.saving.serialization_lib"])
def test_no_function_is_taken_from_a_module_by_a_registered_name(module: str) -> None:
    described = json.loads(str(chain(layers.Activation("relu")).to_json()))
    named = {"module": module, "class_name": "function", "config": "system", "registered_name": "team>bent"}
    described["config"]["layers"][1]["config"]["activation"] = named

    with pytest.raises(ArchitectureError, match="names a function that is no activation"):
        build_model(json.dumps(described))


def test_of_an_own_object_only_what_keras_adds_is_changed() -> None:
    described = json.loads(str(chain(own("Scale", unroll=3)).to_json()))
    described["config"]["layers"][1]["build_config"] = {"input_shape": [5, 4], "groups": [5, 4]}

    layer = json.loads(check_architecture(json.dumps(described)))["config"]["layers"][1]

    assert layer["config"]["unroll"] == 3
    assert layer["build_config"] == {"input_shape": [None, 4], "groups": [5, 4]}


@pytest.mark.parametrize(
    "make",
    [
        lambda: called(own("Net", units=3000), rows(2, 4)),
        lambda: chain(own("Large", 10_000)),
        lambda: called(own("Net"), rows(1, 20_000)),
    ],
    ids=["weights", "on its way", "rows"],
)
def test_a_network_of_own_code_that_needs_too_much_memory_is_refused(make: Callable[[], Any]) -> None:
    config = str(make().to_json())

    with pytest.raises(ArchitectureError, match="more than the 50000 allowed"):
        Architecture(config, 50_000)
    assert Architecture(config).inputs


def test_a_function_of_a_whole_batch_is_found_out(reader: WeightsFileReader, tmp_path: Path) -> None:
    model = chain(layers.Dense(3, activation=own_function("centred")))
    version = load_saved(reader, model, "keras", tmp_path)

    assert version.weights.rows_belong_together
    given = rows(4, 4)
    (answers,) = version.predict({"": given}, [1, 3]).values()
    np.testing.assert_allclose(answers[:1], np.asarray(model(given[:1])), 1e-6, 1e-6)
    np.testing.assert_allclose(answers[1:], np.asarray(model(given[1:])), 1e-6, 1e-6)
