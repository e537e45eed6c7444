"""A version is held to what came with its upload: the order of its layers, and examples that must hold."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save

from tests.unit.networks import SUM_CONFIG, weights_bytes
from tests.unit.samples import NN_ID
from workers.messages.arrays import to_tensors
from workers.messages.protocol import VersionRef
from workers.messages.terms import Expected, Terms
from workers.runtime.backend import keras
from workers.runtime.errors import WeightsError
from workers.runtime.loading import LoadedVersion
from workers.runtime.networks import Networks
from workers.runtime.weights_file import WeightsFileReader

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
GIVEN = np.random.default_rng(1).random((4, 2), np.float32)


def load(reader: WeightsFileReader, weights: bytes, terms: Terms, config: str = SUM_CONFIG) -> LoadedVersion:
    contents = (config.encode(), weights, terms.to_bytes())
    files = {hashlib.sha256(content).hexdigest(): content for content in contents}
    architecture, digest, told = files

    def fetch(name: str, target: Path) -> None:
        target.write_bytes(files[name])

    return Networks(fetch, reader, 1024**3).acquire(VersionRef(NN_ID, 1, digest, architecture, told))


def swappable() -> tuple[keras.Model, bytes]:
    """A chain of two layers of one shape, and their file, in which nothing tells which is first."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "tanh"), keras.layers.Dense(2, "tanh")])
    random = np.random.default_rng(2)
    model.set_weights([random.normal(size=each.shape).astype(np.float32) for each in model.get_weights()])
    tensors = {}
    for name, layer in zip(("one", "another"), model.layers, strict=True):
        kernel, bias = layer.get_weights()
        tensors |= {f"{name}.weight": np.ascontiguousarray(kernel.T), f"{name}.bias": bias}
    return model, save(tensors)


def expecting(rows: NDArray[Any], results: NDArray[Any], tolerance: float = 1e-4, name: str = "") -> Expected:
    return Expected(to_tensors({"": rows}), to_tensors({name: results}), tolerance)


def test_the_order_that_came_with_a_file_is_the_one_its_layers_are_used_in(reader: WeightsFileReader) -> None:
    model, content = swappable()
    config = str(model.to_json())

    loaded = load(reader, content, Terms(["one", "another"]), config)
    turned = load(reader, content, Terms(["another", "one"]), config)

    np.testing.assert_allclose(loaded.predict_rows(GIVEN), np.asarray(model(GIVEN)), 1e-6, 1e-6)
    assert np.abs(turned.predict_rows(GIVEN) - np.asarray(model(GIVEN))).max() > 0.01


def test_examples_tell_the_order(reader: WeightsFileReader) -> None:
    model, content = swappable()
    terms = Terms((), expecting(GIVEN, np.asarray(model(GIVEN))))

    loaded = load(reader, content, terms, str(model.to_json()))

    np.testing.assert_allclose(loaded.predict_rows(GIVEN), np.asarray(model(GIVEN)), 1e-6, 1e-6)


def test_examples_that_hold_in_several_orders_are_too_few(reader: WeightsFileReader) -> None:
    model, content = swappable()
    terms = Terms((), expecting(GIVEN, np.asarray(model(GIVEN)), tolerance=100.0))
    with pytest.raises(WeightsError, match="the examples hold in 2 orders of the file's layers: send such as tell"):
        load(reader, content, terms, str(model.to_json()))


def test_examples_that_hold_in_no_order_are_told_with_how_far_they_are_off(reader: WeightsFileReader) -> None:
    model, content = swappable()
    terms = Terms((), expecting(GIVEN, np.asarray(model(GIVEN)) + 5))
    with pytest.raises(WeightsError, match=r"must hold in none of the 2 orders .* differs in 4 of 4 rows, by \d"):
        load(reader, content, terms, str(model.to_json()))


@pytest.mark.parametrize("content", [weights_bytes(), swappable()[1]], ids=["keras", "by path"])
def test_an_order_is_refused_where_names_are_no_layers_of_pytorch(content: bytes, reader: WeightsFileReader) -> None:
    with pytest.raises(WeightsError, match=r"order is for tensors|order must name"):
        load(reader, content, Terms(["first", "second"]))


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_version_that_answers_its_examples_loads(shape: tuple[int, ...], reader: WeightsFileReader) -> None:
    plain = load(reader, weights_bytes(), Terms()).predict_rows(GIVEN)

    load(reader, weights_bytes(), Terms((), expecting(GIVEN, plain.reshape(shape).astype(np.float64))))
    load(reader, weights_bytes(), Terms((), expecting(GIVEN, plain + 0.4, tolerance=0.5)))


def test_a_version_that_answers_otherwise_is_refused_with_the_differences(reader: WeightsFileReader) -> None:
    wanted = load(reader, weights_bytes(), Terms()).predict_rows(GIVEN)
    wanted[2] += 1
    with pytest.raises(WeightsError, match=r"must hold: \S+ differs in 1 of 4 rows, by 1 at most.* row 3: \[.*not \["):
        load(reader, weights_bytes(), Terms((), expecting(GIVEN, wanted)))


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        (expecting(np.zeros((2, 3)), np.zeros(2)), r"takes rows of shape \(2,\), got \(3,\)"),
        (expecting(GIVEN, np.zeros((4, 2))), r"has rows of shape \(1,\), the results are of shape \(2,\)"),
        (expecting(GIVEN, np.zeros((4, 1)), name="other"), "the network's outputs are .*, the results are of other"),
    ],
)
def test_examples_that_are_none_of_this_network_are_refused(
    expected: Expected, why: str, reader: WeightsFileReader
) -> None:
    with pytest.raises(WeightsError, match=f"examples that must hold cannot be computed: .*{why}"):
        load(reader, weights_bytes(), Terms((), expected))


def test_versions_of_the_same_bytes_with_other_terms_are_others(reader: WeightsFileReader) -> None:
    model, content = swappable()
    files = {
        name * 64: each
        for name, each in [
            ("a", str(model.to_json()).encode()),
            ("b", content),
            ("c", Terms(["one", "another"]).to_bytes()),
            ("d", Terms(["another", "one"]).to_bytes()),
        ]
    }
    networks = Networks(lambda name, target: target.write_bytes(files[name]) and None, reader, 1024**3)
    first = VersionRef(NN_ID, 1, "b" * 64, "a" * 64, "c" * 64)

    one, other = networks.acquire(first), networks.acquire(replace(first, number=2, terms="d" * 64))

    assert one.predict_rows(GIVEN).tolist() != other.predict_rows(GIVEN).tolist()
    assert [each.digest for each in networks.loaded()] == ["b" * 64] * 2
