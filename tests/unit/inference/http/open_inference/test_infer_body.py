"""What a request to infer says in JSON: each datatype, its bounds, its shape; and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference.http.open_inference.datatypes import DTYPES
from inference.http.open_inference.infer_body import ID_CHARACTERS_MAX
from tests.unit.asking import Answered
from tests.unit.inference.http.open_inference.inferring import ROW, asked, float32, infer, send, tensor
from tests.unit.inference.http.predicting import answer_of
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import answer_with
from workers.messages.tensors import TENSORS_BYTES_MAX, TENSORS_MAX

WHOLE = [name for name in DTYPES if "INT" in name]
BOUNDS = {name: np.iinfo(DTYPES[name]) for name in WHOLE}


@pytest.fixture(autouse=True)
def answered(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])


def refused(response: Answered, gateway: PretendedGateway, status: int = 400) -> str:
    """Why nothing was predicted."""
    assert response.status_code == status
    assert gateway.dispatcher.submitted == []
    assert response.json().keys() == {"error"}
    return str(response.json()["error"])


def test_a_row_is_predicted_by_the_network_of_the_address(gateway: PretendedGateway) -> None:
    response = infer(ROW)

    assert response.status_code == 200
    assert response.json() == {
        "model_name": "iris",
        "model_version": "1",
        "outputs": [{"name": "sum", "datatype": "FP32", "shape": [1, 1], "data": [0.75]}],
    }
    [(given, _)] = gateway.dispatcher.submitted
    assert (given.network, given.version, given.door, given.single) == ("iris", None, "v2", False)
    assert asked(gateway)["x"].tolist() == [[0.5, 0.25]]


def test_an_address_may_name_a_version(gateway: PretendedGateway) -> None:
    assert infer(ROW, address="/v2/models/iris/versions/3/infer").status_code == 200

    [(given, _)] = gateway.dispatcher.submitted
    assert (given.network, given.version) == ("iris", 3)


@pytest.mark.parametrize("data", [[1.5, 2.5, 3.5, 4.5], [[1.5, 2.5], [3.5, 4.5]]], ids=["flat", "nested"])
def test_data_are_flat_or_nested(data: Any, gateway: PretendedGateway) -> None:
    assert infer(tensor(data, [2, 2])).status_code == 200

    assert asked(gateway)["x"].tolist() == [[1.5, 2.5], [3.5, 4.5]]


@pytest.mark.parametrize("datatype", WHOLE)
def test_whole_numbers_come_as_they_are_up_to_their_bounds(datatype: str, gateway: PretendedGateway) -> None:
    ends = [int(BOUNDS[datatype].min), int(BOUNDS[datatype].max)]
    for bound in ends:  # together, no dtype of ours may hold both
        gateway.dispatcher.submitted.clear()
        assert infer(tensor([bound], [1, 1], datatype)).status_code == 200
        assert asked(gateway)["x"].tolist() == [[bound]]


@pytest.mark.parametrize("datatype", WHOLE)
@pytest.mark.parametrize("kind", [int, float])
def test_one_beyond_them_is_refused(datatype: str, kind: type, gateway: PretendedGateway) -> None:
    beyond = {int(BOUNDS[datatype].max) + 1, int(BOUNDS[datatype].min) - 1} - {-(2**63) - 1}  # which is read as a float
    for bound in beyond:
        assert f"data are not all {datatype}" in refused(infer(tensor([kind(bound)], [1, 1], datatype)), gateway)


@pytest.mark.parametrize("datatype", WHOLE)
def test_a_fraction_is_no_whole_number_and_a_float_may_be_one(datatype: str, gateway: PretendedGateway) -> None:
    assert "data are not all" in refused(infer(tensor([0.5], [1, 1], datatype)), gateway)

    assert infer(tensor([7.0], [1, 1], datatype)).status_code == 200


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
@pytest.mark.parametrize("number", [0.1, -2.5, 3, 2**60])
def test_floats_are_what_json_says(datatype: str, number: float, gateway: PretendedGateway) -> None:
    assert infer(tensor([number], [1, 1], datatype)).status_code == 200

    assert asked(gateway)["x"].tolist() == [[number]]


def test_truth_values_and_texts_come_as_they_are(gateway: PretendedGateway) -> None:
    both = tensor([True, False], [1, 2], "BOOL", "b"), tensor(["a", "ü\0"], [1, 2], "BYTES", "t")

    assert infer(*both).status_code == 200
    assert {name: array.tolist() for name, array in asked(gateway).items()} == {
        "b": [[True, False]],
        "t": [["a", "ü\0"]],
    }


@pytest.mark.parametrize(
    ("data", "datatype"),
    [([1, 0], "BOOL"), ([True, False], "INT8"), ([True, False], "FP32"), (["1", "2"], "FP32"), ([1.5, 2.5], "BYTES")],
    ids=repr,
)
def test_what_is_of_another_kind_is_refused(data: Any, datatype: str, gateway: PretendedGateway) -> None:
    assert f"input 'x': data are not all {datatype}" in refused(infer(tensor(data, [1, 2], datatype)), gateway)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (tensor([1.5, 2.5], [1, 3]), "do not fit shape [1, 3]"),
        (tensor([1.5, 2.5, 3.5], [1, 2]), "do not fit shape [1, 2]"),
        (tensor([[1.5, 2.5]], [2, 1]), "data of shape [1, 2] do not fit shape [2, 1]"),
        (tensor([[1.5], [2.5, 3.5]], [2, 1]), "all rows must have the same length"),
        (tensor([], [1, 0]), "at least one"),
        (tensor([1.5, True], [1, 2]), "numbers only"),
        (tensor([1.5, None], [1, 2]), "numbers only"),
        (tensor([1.5], [10**18, 10**18]), "do not fit"),
        (tensor(1.5, [1, 1]), "must have data, a list, or binary_data_size"),
        (tensor({"a": 1}, [1, 1]), "must have data, a list, or binary_data_size"),
        (tensor([1.5], []), "shape must be a list of sizes"),
        (tensor([1.5], [1] * 65), "shape must be a list of sizes"),
        (tensor([1.5], [-1, 1]), "shape must be a list of sizes"),
        (tensor([1.5], [1, 1.0]), "shape must be a list of sizes"),  # type: ignore[list-item]
        (tensor([1.5], [True, 1]), "shape must be a list of sizes"),
        (tensor([1.5], "1"), "shape must be a list of sizes"),  # type: ignore[arg-type]
        (tensor([1.5], [1, 1], "FP8"), "datatype must be one of BOOL, INT8"),
        (tensor([1.5], [1, 1], None), "datatype must be one of BOOL, INT8"),  # type: ignore[arg-type]
        (tensor([1.5], [1, 1], name=""), "an object with a name"),
        (tensor([1.5], [1, 1], name=7), "an object with a name"),  # type: ignore[arg-type]
        (tensor([1.5], [1, 1], name="a\nb"), "a name is too long, or no text that can be printed"),
        (tensor([1.5], [1, 1], name="a" * 257), "a name is too long, or no text that can be printed"),
        (tensor([1.5], [1, 1], parameters=[]), "parameters of input 'x' must be an object"),
        ([], "an object with a name"),
        (None, "an object with a name"),
    ],
    ids=lambda given: repr(given)[:60],
)
def test_an_input_that_is_none_is_refused(given: Any, why: str, gateway: PretendedGateway) -> None:
    assert why in refused(infer(given), gateway)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "must be a JSON object with inputs"),
        (b"7", "must be a JSON object with inputs"),
        (b"{}", f"inputs must be a list of 1 to {TENSORS_MAX} tensors"),
        (b'{"inputs": []}', f"inputs must be a list of 1 to {TENSORS_MAX} tensors"),
        (b'{"inputs": {"x": 1}}', f"inputs must be a list of 1 to {TENSORS_MAX} tensors"),
        (b'{"inputs": [' + b"1," * TENSORS_MAX + b"1]}", f"inputs must be a list of 1 to {TENSORS_MAX} tensors"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [NaN]}]}', "no JSON"),
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_body_that_is_no_request_is_refused(body: bytes, why: str, gateway: PretendedGateway) -> None:
    assert why in refused(send(body), gateway)


def test_two_inputs_of_one_name_are_refused_and_so_are_those_of_different_rows(gateway: PretendedGateway) -> None:
    assert refused(infer(ROW, ROW), gateway) == "there are two inputs 'x'"
    other = tensor([1.5, 2.5], [2, 1], name="y")
    assert "the same number of rows" in refused(infer(ROW, other), gateway)


def test_several_inputs_come_by_their_names(gateway: PretendedGateway) -> None:
    assert infer(tensor([1, 2], [2], "INT32", "a"), tensor([[0.5], [0.25]], [2, 1], name="b")).status_code == 200

    assert {name: array.tolist() for name, array in asked(gateway).items()} == {"a": [1, 2], "b": [[0.5], [0.25]]}


def test_more_than_one_message_holds_is_413(gateway: PretendedGateway) -> None:
    count = TENSORS_BYTES_MAX // 8 + 1
    body = b'{"inputs": [{"name": "x", "shape": [1, %d], "datatype": "FP32", "data": [%b]}]}'

    assert "may be sent at once" in refused(send(body % (count, b",".join([b"0.5"] * count))), gateway, 413)


def test_a_large_body_is_read_as_a_small_one_is(gateway: PretendedGateway) -> None:
    data = [[index / 7, float(index)] for index in range(10_000)]

    assert infer(tensor(data, [10_000, 2])).status_code == 200
    assert asked(gateway)["x"].tolist() == data


# What else a request says.


def test_its_id_is_echoed(gateway: PretendedGateway) -> None:
    for own in ("", "42", "ü" * ID_CHARACTERS_MAX):
        assert infer(ROW, id=own).json()["id"] == own
    assert "id" not in infer(ROW).json()
    assert "id" not in infer(ROW, id=None).json()


@pytest.mark.parametrize("own", ["x" * (ID_CHARACTERS_MAX + 1), 7, ["a"]], ids=lambda own: repr(own)[:10])
def test_one_that_is_none_is_refused(own: Any, gateway: PretendedGateway) -> None:
    assert "id must be a text of at most 256 characters" in refused(infer(ROW, id=own), gateway)


@pytest.mark.parametrize("name", ["sequence_id", "shared_memory_region", "classification"])
def test_what_is_not_served_is_refused_wherever_it_is_asked_for(name: str, gateway: PretendedGateway) -> None:
    asks = {name: "on"}
    for response in (
        infer(ROW, parameters=asks),
        infer({**ROW, "parameters": asks}),
        infer(ROW, outputs=[{"name": "sum", "parameters": asks}]),
    ):
        assert f"asks for {name}, which is not served" in refused(response, gateway)


@pytest.mark.parametrize("nothing", [0, False, "", None])
def test_asking_for_nothing_of_it_is_not(nothing: Any, gateway: PretendedGateway) -> None:
    parameters = {"sequence_id": nothing, "sequence_start": False, "priority": 3, "anything": {"else": []}}

    assert infer(ROW, parameters=parameters).status_code == 200


@pytest.mark.parametrize(("timeout", "seconds"), [(2_000_000, 2.0), (1, 1e-6), (0, 30.0), (2**63, 30.0)])
def test_a_clients_timeout_shortens_the_gateways(timeout: int, seconds: float, gateway: PretendedGateway) -> None:
    assert infer(ROW, parameters={"timeout": timeout}).status_code == 200

    [(_, waited)] = gateway.dispatcher.submitted
    assert waited == seconds


@pytest.mark.parametrize("timeout", [-1, 0.5, "1", True, [1]])
def test_a_timeout_that_is_no_number_is_refused(timeout: Any, gateway: PretendedGateway) -> None:
    assert "timeout must be a number of microseconds" in refused(infer(ROW, parameters={"timeout": timeout}), gateway)


@pytest.mark.parametrize("parameters", [[], "x", 7])
def test_parameters_are_an_object(parameters: Any, gateway: PretendedGateway) -> None:
    assert "parameters of the request must be an object" in refused(infer(ROW, parameters=parameters), gateway)


@pytest.mark.parametrize("outputs", [{}, "sum", [{"name": "sum"}] * (TENSORS_MAX + 1), ["sum"], [{}], [{"name": 1}]])
def test_outputs_are_a_list_of_names(outputs: Any, gateway: PretendedGateway) -> None:
    why = refused(infer(ROW, outputs=outputs), gateway)
    assert "outputs must be a list of at most" in why or "each output must be an object with a name" in why


@pytest.mark.parametrize(
    "asks", [{"binary_data_output": 1}, {"binary_data_output": "false"}, {"binary_data_output": None}]
)
def test_binary_outputs_are_wanted_or_not(asks: Any, gateway: PretendedGateway) -> None:
    assert "binary_data_output must be true or false" in refused(infer(ROW, parameters=asks), gateway)


def test_rows_of_texts_are_answered_as_texts(gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_with({"word": np.array([["ü"], ["b"]], object), "sum": float32([1.5], [2.5])})

    outputs = infer(ROW).json()["outputs"]

    assert [(each["datatype"], each["shape"], each["data"]) for each in outputs] == [
        ("BYTES", [2, 1], ["ü", "b"]),
        ("FP32", [2, 1], [1.5, 2.5]),
    ]
