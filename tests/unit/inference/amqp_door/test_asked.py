"""What arguments ask for."""

from __future__ import annotations

from typing import Any

import pytest

from inference.amqp_door.asked import read_asked
from inference.errors import BadInputError, TooLargeError
from tests.unit.samples import NN_ID
from workers.messages.tensors import TENSORS_BYTES_MAX

WORDS: dict[str, Any] = {"name": "b", "shape": [1, 1], "datatype": "BYTES", "data": ["text"]}
ROWS = {"data": [[0.1, 0.2], [0.3, 0.4]]}


def test_rows_are_asked_by_this_door() -> None:
    asked = read_asked(ROWS, 2.5).predict

    assert (asked.rows_count, asked.single, asked.door, asked.seconds) == (2, False, "amqp", 2.5)
    assert (asked.network, asked.version) == (None, None)


def test_one_row_and_rows_by_input() -> None:
    assert read_asked({"vector": [0.1, 0.2]}, None).predict.single is True
    by_input = read_asked({"data": {"a": [[1.0]], "b": [["text"]]}}, None).predict
    assert {kind[0] for kind in by_input.kinds} == {"a", "b"}


def test_tensors_are_as_the_open_inference_protocol_has_them() -> None:
    sent = [{"name": "a", "shape": [1, 2], "datatype": "INT64", "data": [1, 2]}, WORDS]
    asked = read_asked({"inputs": sent, "network": "a-name"}, 2.5)

    assert asked.tensors
    assert (asked.predict.rows_count, asked.predict.network, asked.predict.door) == (1, "a-name", "amqp")
    assert {kind[0] for kind in asked.predict.kinds} == {"a", "b"}


@pytest.mark.parametrize("network", [NN_ID, "a-name"])
@pytest.mark.parametrize("version", [1, 2**31 - 1, "stable"])
def test_networks_have_ids_and_names_and_versions_numbers_and_labels(network: str, version: Any) -> None:
    asked = read_asked(ROWS | {"network": network, "version": version}, None).predict

    assert (asked.network, asked.version) == (network, version)


def test_a_version_is_a_number_also_when_it_comes_as_a_text() -> None:
    assert read_asked(ROWS | {"version": "2"}, None).predict.version == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "takes one of vector"),
        (ROWS | {"vector": [1.0]}, "takes one of vector"),
        (ROWS | {"inputs": []}, "takes one of vector"),
        ({"inputs": []}, "inputs must be a list of 1 to"),
        ({"inputs": [WORDS | {"data": [1]}]}, "input 'b': data are not all BYTES"),
        (
            {"inputs": [{"name": "b", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 4}}]},
            "0 are left",
        ),
        ({"data": "rows"}, "data must be a list"),
        ({"data": [[None]]}, "data must hold numbers"),
        ({"vector": []}, "vector must hold numbers"),
        *((ROWS | {"network": each}, "network must be") for each in ("", "a/b", 7, [NN_ID], True)),
        *((ROWS | {"version": each}, "version must be") for each in (0, -1, 2**31, 1.0, True, "", "a/b", [1])),
    ],
)
def test_what_is_no_such_thing_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_asked(arguments, None)


def test_more_than_a_batch_holds_is_refused() -> None:
    with pytest.raises(TooLargeError, match="data has"):
        read_asked({"data": [[0.5] * (TENSORS_BYTES_MAX // 8 + 1)]}, None)
