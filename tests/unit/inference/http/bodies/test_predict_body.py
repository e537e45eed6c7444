"""What a request asks for: rows by input, a network, a version."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.dispatch.predict_input import PredictInput
from inference.errors import BadInputError, TooLargeError
from inference.http.bodies.predict_body import read_predict_input
from tests.unit.samples import NN_ID
from workers.messages.arrays import to_arrays
from workers.messages.tensors import NAME_CHARACTERS_MAX, TENSORS_BYTES_MAX, TENSORS_MAX


def read(**body: Any) -> PredictInput:
    return read_predict_input(body)


def rows(asked: PredictInput) -> dict[str, Any]:
    return {name: array.tolist() for name, array in to_arrays(asked.inputs).items()}


@pytest.mark.parametrize("vector", [[0.1, 0.2], [1, 2], [0], [[1, 2], [3, 4]], [[[0.5]]], [True, False]], ids=repr)
def test_a_vector_is_one_row_of_any_rank(vector: list[Any]) -> None:
    asked = read(vector=vector)

    assert (asked.single, asked.rows_count, rows(asked)) == (True, 1, {"": [vector]})


@pytest.mark.parametrize("vector", [5, 0.5, True, 2**60])
def test_a_number_is_a_row_of_one(vector: Any) -> None:
    asked = read(vector=vector)

    assert (asked.single, asked.inputs[""].shape, rows(asked)) == (True, (1,), {"": [vector]})


@pytest.mark.parametrize("data", [[[0.1, 0.2]], [[1], [2], [3]], [[[1, 2], [3, 4]]], [0.1, 0.2, 0.3], [True]], ids=repr)
def test_data_is_a_batch_of_rows_of_any_rank(data: list[Any]) -> None:
    asked = read(data=data)

    assert (asked.single, asked.rows_count, rows(asked)) == (False, len(data), {"": data})


def test_a_vector_by_input_is_one_row_of_each_and_a_number_is_a_row_too() -> None:
    asked = read(vector={"image": [[0.5, 0.25]], "place": 7, "found": True})

    assert (asked.single, asked.rows_count) == (True, 1)
    assert rows(asked) == {"image": [[[0.5, 0.25]]], "place": [7], "found": [True]}
    assert {name: tensor.shape for name, tensor in asked.inputs.items()} == {
        "image": (1, 1, 2),
        "place": (1,),
        "found": (1,),
    }


def test_texts_come_as_they_were_written_alone_and_beside_numbers() -> None:
    texts = ["", "a\0b\0", "naïve 😀"]

    assert rows(read(data=[[text] for text in texts])) == {"": [[text] for text in texts]}
    assert rows(read(vector={"text": "a", "place": 7})) == {"text": ["a"], "place": [7]}
    assert read(vector=["a"]).kinds == (("", "string", (1,)),) == read(data=[["bc"], ["d"]]).kinds


def test_data_by_input_is_a_batch_of_each() -> None:
    asked = read(data={"image": [[0.5], [0.25]], "place": [7, 8]})

    assert (asked.single, asked.rows_count, rows(asked)) == (
        False,
        2,
        {"image": [[0.5], [0.25]], "place": [7, 8]},
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"vector": {}}, "^vector: a network has 1 to"),
        ({"data": {}}, "^data: a network has 1 to"),
        ({"data": {"a": [1], "b": [1, 2]}}, "^data: every input, or output, needs the same number of rows"),
        ({"data": {"a": 1}}, "^data.a must be a list of rows"),
        ({"data": {"a": None}}, "^data.a must be a list of rows"),
        ({"vector": {"a": None}}, "^vector.a must hold numbers only"),
        ({"vector": {"a": ["1", 1]}}, "^vector.a must hold numbers only"),
        ({"data": {"a": "text"}}, "^data.a must be a list of rows"),
        ({"vector": "text"}, "^vector must be a list of numbers or texts"),
        ({"vector": {"a": {"b": 1}}}, "^vector.a must hold numbers only"),
        ({"vector": {"a": []}}, "^vector.a must hold numbers only"),
        ({"vector": {"a": [1, [2]]}}, "^vector.a: all rows must have the same length"),
        ({"vector": {"a" * (NAME_CHARACTERS_MAX + 1): 1}}, "^vector: a name is too long"),
        ({"data": {"a\0": [1]}}, "^data: a name is too long, or no text that can be printed"),
        ({"vector": dict.fromkeys(map(str, range(TENSORS_MAX + 1)), 1)}, "^vector: a network has 1 to"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_inputs_that_no_network_can_have_are_refused(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        read_predict_input(body)


def test_rows_that_no_message_holds_are_refused() -> None:
    rows = [[0.5] * 1024] * (TENSORS_BYTES_MAX // 8 // 1024)

    assert read(data=rows).size_bytes == TENSORS_BYTES_MAX
    with pytest.raises(TooLargeError, match="may be sent at once"):
        read(data=[*rows, rows[0]])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=3), parts, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["vector", "data", "nn_id", "version"]), JSON))
def test_whatever_a_body_holds_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        asked = read_predict_input(body)
    except BadInputError:
        return
    assert asked.rows_count > 0
    assert all(tensor.shape[0] == asked.rows_count for tensor in asked.inputs.values())


def test_a_network_and_a_version_may_be_named() -> None:
    asked = read(vector=[1], nn_id=NN_ID, version=3)

    assert (asked.network, asked.version) == (NN_ID, 3)
    assert (read(vector=[1]).network, read(vector=[1]).version) == (None, None)
    assert read(vector=[1], nn_id="fraud-model_2.1").network == "fraud-model_2.1"


NOT_NAMES = [None, "", 5, ".", "..", "a b", "a/b", "ä", "a" * 129, [NN_ID], NN_ID + "\n"]


@pytest.mark.parametrize("nn_id", NOT_NAMES, ids=repr)
def test_what_names_no_network_is_refused(nn_id: Any) -> None:
    with pytest.raises(BadInputError, match="nn_id must be a network's id, 32 lower-case hex digits, or its name"):
        read(vector=[1], nn_id=nn_id)


@pytest.mark.parametrize("version", [None, 0, -1, 1.0, "1", True, [1], 2**31, 10**30], ids=repr)
def test_what_numbers_no_version_is_refused(version: Any) -> None:
    with pytest.raises(BadInputError, match="version must be a whole number from 1"):
        read(vector=[1], version=version)


def test_other_fields_are_passed_over() -> None:
    assert rows(read(vector=[1], colour="red")) == {"": [[1]]}


@pytest.mark.parametrize("body", [None, 5, "text", [], [0.1, 0.2], True])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(BadInputError, match="the body must be an object"):
        read_predict_input(body)


@pytest.mark.parametrize(
    "body", [{}, {"Vector": [1]}, {"rows": [[1]]}, {"vector": [1], "data": [[1]]}, {"vector": None, "data": [[1]]}]
)
def test_a_body_without_exactly_one_of_vector_and_data_is_refused(body: object) -> None:
    with pytest.raises(BadInputError, match=r'either "vector" \(one row\) or "data"'):
        read_predict_input(body)


@pytest.mark.parametrize("value", [None, "0.1, 0.2", "", [], [[]], [None], [0.1, "0.2"], [1, True]], ids=repr)
@pytest.mark.parametrize("name", ["vector", "data"])
def test_what_is_no_list_of_numbers_is_refused(name: str, value: object) -> None:
    with pytest.raises(BadInputError, match=f"^{name} must"):
        read_predict_input({name: value})


@pytest.mark.parametrize("value", [5, 0.5, True])
def test_a_number_is_no_batch(value: object) -> None:
    with pytest.raises(BadInputError, match=r"^data must be a list"):
        read_predict_input({"data": value})


def test_a_number_that_no_dtype_holds_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"^vector must hold"):
        read_predict_input({"vector": 10**400})
