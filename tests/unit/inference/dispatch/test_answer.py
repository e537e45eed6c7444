"""What JSON says of a network's outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from inference.dispatch.answer import Answer
from inference.http.large_bodies import LargeBodies
from inference.http.predict_door import PredictDoor
from tests.unit.samples import NN_ID, VERSION, answer_with


def written(answer: Answer, single: bool) -> bytes:
    return PredictDoor(LargeBodies()).write(single, answer).body


def said(answer: Answer, single: bool) -> Any:
    """What a client reads."""
    return orjson.loads(written(answer, single))["result"]


def answer_of(**outputs: NDArray[Any]) -> Answer:
    return answer_with(outputs)


@pytest.mark.parametrize(
    ("output", "result"),
    [
        (np.array([0.5]), 0.5),
        (np.array([[0.5]]), 0.5),
        (np.array([[[0.5]]]), 0.5),
        (np.array([[0.5, 1.0]]), [0.5, 1.0]),
        (np.array([[[0.5], [1.0]]]), [[0.5], [1.0]]),
        (np.array([7]), 7),
        (np.array([True]), True),
        (np.zeros((1, 0)), []),
    ],
    ids=repr,
)
def test_one_row_is_a_number_when_it_is_only_one(output: NDArray[Any], result: Any) -> None:
    assert said(answer_of(sum=output), single=True) == result


@pytest.mark.parametrize("output", [np.array([0.5]), np.array([[0.5]]), np.array([[1, 2], [3, 4]])], ids=repr)
def test_a_batch_is_a_list_of_its_rows(output: NDArray[Any]) -> None:
    assert said(answer_of(sum=output), single=False) == output.tolist()


def test_several_outputs_go_by_their_names() -> None:
    answer = answer_of(place=np.array([[7]]), scores=np.array([[0.5, 0.25]]))

    assert said(answer, single=True) == {"place": 7, "scores": [0.5, 0.25]}
    assert said(answer, single=False) == {"place": [[7]], "scores": [[0.5, 0.25]]}


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_json_keeps_every_digit_of_a_whole_number(number: int) -> None:
    assert orjson.dumps(answer_of(id=np.array([number])).result(single=True)) == str(number).encode()


def test_json_keeps_every_digit_of_the_largest_whole_number() -> None:
    result = answer_of(id=np.array([2**64 - 1], np.uint64)).result(single=True)

    assert orjson.dumps(result) == str(2**64 - 1).encode()


DTYPES = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_json_says_every_number_of_every_dtype_as_python_does(dtype: str) -> None:
    numbers = np.random.default_rng(1).uniform(0, 100, (3, 4, 5)).astype(dtype)
    answer = answer_of(sum=numbers)

    assert written(answer, single=False) == as_python_says(numbers.tolist())
    assert written(answer_of(sum=numbers[:1]), single=True) == as_python_says(numbers[0].tolist())


def as_python_says(result: Any) -> bytes:
    return orjson.dumps({"status": True, "message": NN_ID, "result": result, "version": VERSION.number})
