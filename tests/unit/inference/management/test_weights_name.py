"""How weights files are named."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.management.weights_name import WeightsName
from tests.unit.samples import NN_ID


@given(st.binary())
def test_the_name_of_some_bytes_fits_them(decoded: bytes) -> None:
    name = WeightsName.of(NN_ID, decoded)

    assert WeightsName.parse(str(name)) == name
    assert name.crc32 == zlib.crc32(decoded)


def test_a_checksum_that_begins_with_zeros_has_eight_digits() -> None:
    assert str(WeightsName(NN_ID, 0xAB)) == f"{NN_ID}_000000ab.b64"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "weights.b64",
        f"{NN_ID}.b64",
        f"{NN_ID}_0000ab.b64",
        f"{NN_ID}_000000AB.b64",
        f"{NN_ID.upper()}_000000ab.b64",
        f"{NN_ID}_000000ab.h5",
        f"{NN_ID}_000000ab.b64.b64",
        f"x{NN_ID}_000000ab.b64",
        f"{NN_ID}_000000ab.b64\n",
    ],
)
def test_another_name_names_nothing(name: str) -> None:
    assert WeightsName.parse(name) is None
