"""What an upload says beside its file is read as /predict is asked and answers; what cannot be read is told."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from inference.errors import BadInputError
from inference.http.bodies.terms_form import EXPECT_BYTES_MAX, TOLERANCE, read_terms
from workers.messages.arrays import to_arrays
from workers.messages.terms import NO_TERMS


@pytest.mark.parametrize(
    ("body", "inputs", "outputs"),
    [
        ({"vector": [1, 2.5], "result": 3.5}, {"": [[1, 2.5]]}, {"": [3.5]}),
        ({"vector": [1, 2.5], "result": [3, 4]}, {"": [[1, 2.5]]}, {"": [[3, 4]]}),
        ({"data": [[1], [2]], "result": [[3], [4]]}, {"": [[1], [2]]}, {"": [[3], [4]]}),
        ({"vector": {"a": 1, "b": [2]}, "result": {"x": 3, "y": [4]}}, {"a": [1], "b": [[2]]}, {"x": [3], "y": [[4]]}),
        ({"data": {"a": [1, 2]}, "result": {"x": [True, False]}}, {"a": [1, 2]}, {"x": [True, False]}),
    ],
)
def test_examples_are_what_predict_takes_and_answers(body: Any, inputs: Any, outputs: Any) -> None:
    for expect in (json.dumps(body), io.BytesIO(json.dumps(body).encode())):
        expected = read_terms("", expect).expected
        assert expected is not None
        assert {name: each.tolist() for name, each in to_arrays(expected.inputs).items()} == inputs
        assert {name: each.tolist() for name, each in to_arrays(expected.outputs).items()} == outputs
        assert expected.tolerance == TOLERANCE


def test_names_stand_between_commas() -> None:
    assert read_terms(" inp, net.0 ,out", None).order == ("inp", "net.0", "out")
    assert read_terms(" ", " ") == read_terms("", None) == NO_TERMS


@pytest.mark.parametrize(
    ("order", "expect", "says"),
    [
        ("a,,b", None, "order must be a list of names"),
        ("a,a", None, "order names a layer twice"),
        ("", "{", r"expect is no JSON: .* expect must be an object like"),
        ("", "[1]", "expect must be an object like"),
        ("", '{"data": [[1]]}', "expect must be an object like"),
        ("", '{"data": [[1]], "result": [1], "rows": 3}', "expect must be an object like"),
        ("", '{"result": [1]}', 'expect: .*either "vector"'),
        ("", '{"data": [["x", 1]], "result": [1]}', "expect: data must hold numbers only, texts only"),
        ("", '{"data": [[1]], "result": [null]}', "expect: result must hold numbers only"),
        ("", '{"data": [[1]], "result": 1}', "expect: result must be a list with a result for each row"),
        ("", '{"data": [[1]], "result": {"a": 1}}', "expect: result.a must be a list with a result for each row"),
        ("", '{"data": [[1]], "result": {}}', "expect: .*1 to"),
        ("", '{"data": [[1]], "result": [1, 2]}', "expect: there must be a result for each row"),
        ("", '{"data": [[1]], "result": [1], "tolerance": -1}', "expect: tolerance must be a number from 0 on"),
        ("", '{"data": [[1]], "result": [1], "tolerance": "0"}', "expect: tolerance must be a number"),
        ("", "x" * (EXPECT_BYTES_MAX + 1), "expect must not be longer than"),
        ("", '{"data": [' + "[1]," * 700_000 + '[1]], "result": [' + "1," * 700_000 + "1]}", "more examples than fit"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_told(order: str, expect: str | None, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        read_terms(order, expect)
