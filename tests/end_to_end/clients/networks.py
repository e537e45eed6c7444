"""Networks for clients, by name, and what each answers, computed by Keras in this process."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from tests.support.samples import samples
from tests.support.system import System
from workers.runtime.backend import keras

WORDS = ["red", "green", "übergrün"]


@cache
def simple() -> Any:
    """Triton's example: the sum and the difference of two inputs of 16 whole numbers."""
    inputs = [keras.Input((16,), dtype="int32", name=f"INPUT{number}") for number in range(2)]
    sums = keras.layers.Add(name="OUTPUT0", dtype="int32")(inputs)
    differences = keras.layers.Subtract(name="OUTPUT1", dtype="int32")(inputs)
    named = {each.name: each for each in inputs}
    return keras.Model(named, {"OUTPUT0": sums, "OUTPUT1": differences})


@cache
def words() -> Any:
    """The number of a word, and the word again."""
    word = keras.Input((1,), dtype="string", name="word")
    number = keras.layers.StringLookup(vocabulary=WORDS, name="number")(word)
    again = keras.layers.StringLookup(vocabulary=WORDS, invert=True, name="again")(number)
    return keras.Model({"word": word}, {"number": number, "again": again})


@cache
def doubled(factor: float = 2.0) -> Any:
    """Three numbers, each so many times what it was."""
    return keras.Sequential([keras.Input((3,), name="rows"), keras.layers.Rescaling(factor, name="scaled")])


def archive(model: Any) -> bytes:
    """The file that `model.save` writes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def answers(model: Any, **inputs: Any) -> dict[str, NDArray[Any]]:
    """What Keras answers, by the names of outputs."""
    given = {
        name: keras.ops.convert_to_tensor(rows, "string" if isinstance(rows[0][0], str) else None)
        for name, rows in inputs.items()
    }
    return {name: np.asarray(each) for name, each in model(given, training=False).items()}


def upload(system: System, name: str, content: bytes) -> dict[str, Any]:
    """PUT /set_weights by a name alone."""
    files = {"data": ("model.keras", BytesIO(content))}
    answer: dict[str, Any] = requests.put(
        f"{system.url}/set_weights", data={"name": name}, files=files, timeout=100
    ).json()
    assert (answer["status"], answer["workers_count"]) == (True, 2), answer
    return answer


def load_networks(system: System) -> None:
    """Have every worker serve all of them, and the first sample, which is called `sum`."""
    upload(system, "sum", samples()[0].file.read_bytes())
    upload(system, "simple", archive(simple()))
    upload(system, "words", archive(words()))
    upload(system, "doubled", archive(doubled()))
