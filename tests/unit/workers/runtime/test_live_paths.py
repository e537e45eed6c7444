"""Tensors that are named by the paths of a live model's variables find theirs, or are refused with what they may be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from safetensors.numpy import save

from tests.unit.workers.runtime.loaded import assert_answers_alike, load_files
from workers.runtime.backend import keras
from workers.runtime.errors import WeightsError
from workers.runtime.live_paths import match_places
from workers.runtime.models import build_model
from workers.runtime.weights_file import WeightsFileReader

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
layers = keras.layers
RANDOM = np.random.default_rng(11)


def chain(name: str) -> keras.Model:
    return keras.Sequential([layers.Dense(4, "tanh", name="p")], name=name)


def functional(name: str) -> keras.Model:
    given = keras.Input((4,))
    return keras.Model(given, layers.Dense(4, "tanh", name="p")(given), name=name)


def joined(*inner: keras.Model) -> keras.Model:
    given = made = keras.Input((4,))
    for each in inner:
        made = each(made)
    return keras.Model(given, layers.Dense(2, name="out")(made), name="top")


MODELS: dict[str, Callable[[], keras.Model]] = {
    "one inner model": lambda: joined(chain("enc")),
    "two inner models of equal layers": lambda: joined(chain("a"), chain("b")),
    "all in one chain": lambda: keras.Sequential(
        [keras.Input((4,)), chain("b"), chain("a"), layers.Dense(2, name="out")], name="top"
    ),
    "one by its end alone": lambda: joined(functional("x"), keras.Sequential([chain("deep")], name="mid")),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_live_models_paths_are_found_by_the_layers(name: str, reader: WeightsFileReader) -> None:
    model = MODELS[name]()
    model.set_weights([RANDOM.normal(size=each.shape) for each in model.get_weights()])
    config = str(model.to_json())
    named = {each.path: keras.ops.convert_to_numpy(each) for each in model.weights}
    assert named.keys() != {each.path for each in build_model(config).weights}

    loaded = load_files(reader, config, save(named))

    assert_answers_alike(loaded, model, RANDOM.normal(size=(5, 4)).astype(np.float32))


def test_paths_that_two_variables_have_are_refused_with_both(reader: WeightsFileReader) -> None:
    model = joined(functional("a"), functional("b"))
    named = {each.path: keras.ops.convert_to_numpy(each) for each in model.weights}
    assert len(named) == 4

    with pytest.raises(WeightsError, match=r"p/(kernel|bias) may be a/p/\1 or b/p/\1: name the tensors so"):
        load_files(reader, str(model.to_json()), save(named))


def test_the_places_themselves_are_names(reader: WeightsFileReader) -> None:
    model = joined(functional("a"), functional("b"))
    model.set_weights([RANDOM.normal(size=each.shape) for each in model.get_weights()])
    places = [
        f"{inner}p/{kind}" if inner else f"out/{kind}" for inner in ("a/", "b/", "") for kind in ("kernel", "bias")
    ]
    named = {place: keras.ops.convert_to_numpy(each) for place, each in zip(places, model.weights, strict=True)}

    loaded = load_files(reader, str(model.to_json()), save(named))

    assert_answers_alike(loaded, model, RANDOM.normal(size=(5, 4)).astype(np.float32))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["k", "b/k"], ["k", "b/k"]),
        (["top/b/k", "k"], ["k", "top/b/k"]),
        (["a/k", "top/b/k"], ["a/k", "top/b/k"]),
        (["a/k"], None),
        (["a/k", "c/k"], None),
        (["a/k", "top/a/k"], None),
        (["k", "a/k", "b/k"], None),
        ([], None),
    ],
    ids=str,
)
def test_each_place_gets_the_one_name_that_can_be_its(names: list[str], found: list[str] | None) -> None:
    assert match_places(names, ["a/k", "b/k"], "top") == found
