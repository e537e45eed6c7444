"""What networks of texts and of numbers refuse of each other, and whose fault an unknown word is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.workers.runtime.lookup_samples import load, lookup, of_texts, texts
from workers.runtime.backend import keras, tf
from workers.runtime.engine import Architecture
from workers.runtime.errors import NumbersError, RowsError
from workers.runtime.rows import arrange_rows
from workers.runtime.weights_file import WeightsFileReader

layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (np.array([[0.5]]), "'.*' takes string, got float64"),
        (np.array([[True]]), "'.*' takes string, got bool"),
        (np.array([["a", "b"]], object), r"takes rows of shape \(1,\), got \(2,\)"),
    ],
    ids=["numbers", "truth values", "of another shape"],
)
def test_a_network_of_texts_takes_nothing_else(
    rows: NDArray[Any], reason: str, tmp_path: Path, reader: WeightsFileReader
) -> None:
    version = load(of_texts(layers.Hashing(3)), tmp_path, reader)

    with pytest.raises(RowsError, match=reason):
        version.predict_rows(rows)


def test_a_network_of_numbers_takes_no_texts() -> None:
    architecture = Architecture(str(of_texts(layers.Identity(), dtype="float32").to_json()))

    with pytest.raises(RowsError, match="takes float32, got string"):
        arrange_rows(architecture.inputs, {"": texts("0.5")})


def test_an_unknown_word_is_its_own_rows_fault(tmp_path: Path, reader: WeightsFileReader) -> None:
    version = load(of_texts(lookup(num_oov_indices=0)), tmp_path, reader)

    with pytest.raises(NumbersError, match="all inputs should be in vocabulary"):
        version.predict_rows(texts("red", "nothing known"))


def test_bytes_that_are_no_text_fail_their_own_rows(tmp_path: Path, reader: WeightsFileReader) -> None:
    version = load(of_texts(layers.Identity(dtype="string")), tmp_path, reader)
    version.architecture._call = lambda *_: [tf.constant([[b"\xff"]] * 2)]  # type: ignore[assignment]

    with pytest.raises(NumbersError, match="the network makes a text of these rows that is no UTF-8"):
        version.predict_rows(texts("a"))
