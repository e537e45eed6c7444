"""Whole numbers from a JSON body to a network's outputs: each arrives as it was written, or is refused."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import BadInputError
from inference.http.bodies.json_format import JsonParser
from inference.http.bodies.predict_body import read_predict_input
from tests.unit.networks import write_weights
from workers.messages.arrays import to_arrays
from workers.runtime.backend import keras
from workers.runtime.engine import Architecture, Weights
from workers.runtime.errors import NumbersError

# Keras makes numpy arrays of its variables in a way that NumPy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

WHOLE = ["int64", "uint64", "int32", "uint8"]
BORDERS = [number for dtype in map(np.iinfo, WHOLE) for number in (dtype.min - 1, dtype.min, dtype.max, dtype.max + 1)]
#: The last that a float of a border stands for, too, and the next ones.
BEYOND = [-(2**63) - 1024, -(2**63) - 1025, 2**63 + 1, 2**64 + 1, 2**64 + 2048, -(2**64), 10**19, 10**20, 10**300]
NUMBERS = sorted({*BORDERS, *BEYOND})


class Mirror:
    """A network that answers what it is given, behind what a gateway reads of a body."""

    def __init__(self, dtype: str, folder: Path) -> None:
        given = keras.Input((None,), dtype=dtype)
        layer = keras.layers.Identity(dtype=dtype if dtype.startswith("float") else None)
        config = str(keras.Model(given, layer(given)).to_json())
        self.range = np.iinfo(dtype) if dtype in WHOLE else None
        self._architecture = Architecture(config)
        self._weights: Weights = self._architecture.load(write_weights(folder, config))

    def answer(self, *literals: str) -> list[Any]:
        """The outputs for a vector of numbers that are written so."""
        body = JsonParser().parse(BytesIO(f'{{"vector": [{", ".join(literals)}]}}'.encode()))
        [outputs] = self._architecture.predict(self._weights, to_arrays(read_predict_input(body).inputs)).values()
        [row] = outputs.tolist()
        return list(row)

    def takes(self, number: int) -> bool:
        """Whether it is one of the network's whole numbers."""
        return self.range is not None and int(self.range.min) <= number <= int(self.range.max)


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mirror]:
    """One of each kind."""
    folder = tmp_path_factory.mktemp("mirrors")
    return {dtype: Mirror(dtype, folder) for dtype in [*WHOLE, "float32", "float64"]}


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("dtype", WHOLE)
def test_a_whole_number_is_itself_or_refused(dtype: str, number: int, mirrors: dict[str, Mirror]) -> None:
    mirror = mirrors[dtype]

    if mirror.takes(number):
        assert mirror.answer(str(number)) == [number]
    else:
        with pytest.raises(NumbersError, match=f"takes {dtype}, got numbers that are none"):
            mirror.answer(str(number))


@pytest.mark.parametrize(
    "beside", ["0", "-1", "1.0", "0.5", str(2**53 + 1), str(-(2**53) - 1), str(2**64 - 1), "1e300"]
)
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("dtype", WHOLE)
def test_whatever_stands_beside_it_a_whole_number_is_itself_or_refused(
    dtype: str, number: int, beside: str, mirrors: dict[str, Mirror]
) -> None:
    try:
        answer = mirrors[dtype].answer(str(number), beside)
    except (BadInputError, NumbersError):
        return
    assert answer == [number, float(beside) if "." in beside else int(beside)]


@pytest.mark.parametrize("number", NUMBERS)
def test_to_a_network_of_floats_it_is_the_nearest_float(number: int, mirrors: dict[str, Mirror]) -> None:
    assert mirrors["float64"].answer(str(number)) == [float(number)]
    if abs(number) < 1e38:
        assert mirrors["float32"].answer(str(number)) == [float(np.float32(number))]


@pytest.mark.parametrize("literal", ["-9.223372036854775808e18", "-9223372036854776000", "1.8446744073709552e19"])
def test_a_float_that_is_written_as_one_goes_to_networks_of_floats(literal: str, mirrors: dict[str, Mirror]) -> None:
    assert mirrors["float64"].answer(literal) == [float(literal)]
    for dtype in WHOLE:
        with pytest.raises(NumbersError):
            mirrors[dtype].answer(literal)
