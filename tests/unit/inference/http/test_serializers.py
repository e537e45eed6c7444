"""What /set_weights takes, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inference.http.serializers import WEIGHTS_CONTENT_TYPE, SetWeightsSerializer
from tests.unit.samples import NN_ID


def upload(name: str = "weights.b64", content: bytes = b"AAAA", content_type: str = WEIGHTS_CONTENT_TYPE) -> Any:
    return SimpleUploadedFile(name, content, content_type)


def errors(**fields: Any) -> dict[str, list[str]]:
    given = {"nn_id": NN_ID, "data": upload(), **fields}
    serializer = SetWeightsSerializer(data={name: value for name, value in given.items() if value is not None})
    serializer.is_valid()
    return {name: [str(error) for error in found] for name, found in serializer.errors.items()}


def test_a_network_and_a_file_are_taken() -> None:
    serializer = SetWeightsSerializer(data={"nn_id": NN_ID, "data": upload(content=b"QUJD")})

    assert serializer.is_valid()
    assert serializer.validated_data["nn_id"] == NN_ID
    assert serializer.validated_data["data"].read() == b"QUJD"


@pytest.mark.parametrize("field", ["nn_id", "data"])
def test_a_missing_field_is_refused(field: str) -> None:
    assert set(errors(**{field: None})) == {field}


@pytest.mark.parametrize(
    "nn_id",
    [
        "",
        "0" * 31,
        "0" * 33,
        NN_ID.upper(),
        f" {NN_ID}",
        f"{NN_ID}\n",
        "g" * 32,
        "\u0660" * 32,
        "0" * 31 + "\x00",
        [NN_ID],
    ],
    ids=ascii,
)
def test_what_is_not_32_lower_case_hex_digits_is_refused(nn_id: Any) -> None:
    assert set(errors(nn_id=nn_id)) == {"nn_id"}


@pytest.mark.parametrize("data", ["QUJD", 5, {}, b"QUJD"], ids=repr)
def test_data_that_is_no_file_is_refused(data: Any) -> None:
    assert set(errors(data=data)) == {"data"}


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", " TEXT/x "])
def test_a_file_that_calls_itself_text_is_refused(content_type: str) -> None:
    assert errors(data=upload(content_type=content_type)) == {
        "data": [f"must be of content type {WEIGHTS_CONTENT_TYPE}"]
    }


@pytest.mark.parametrize("content_type", ["", None, WEIGHTS_CONTENT_TYPE, "application/zip", "application/x-hdf5"])
def test_a_file_of_no_type_or_a_binary_one_is_taken(content_type: str | None) -> None:
    assert errors(data=upload(content_type=content_type)) == {}


def test_an_empty_file_is_left_to_the_decoder() -> None:
    assert errors(data=upload(content=b"")) == {}


def test_a_file_name_is_cut_to_what_the_database_holds() -> None:
    serializer = SetWeightsSerializer(data={"nn_id": NN_ID, "data": upload(name="w" * 1000 + ".b64")})

    assert serializer.is_valid()
    assert len(serializer.validated_data["data"].name) == 255


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert set(errors(nn_id="x", data="text")) == {"nn_id", "data"}
