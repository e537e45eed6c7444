"""A large body is read as a small one is: what becomes an array has the same numbers in the same shape."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from inference.errors import BadInputError
from inference.http.bodies.json_format import read_json
from inference.http.bodies.large_json import read_large_json
from inference.http.bodies.predict_body import read_predict_input

NN_ID = "1a" * 16


def asked(body: Any) -> Any:
    """What a body asks for, or why it is refused."""
    try:
        return read_predict_input(body)
    except BadInputError as error:
        return str(error)


def assert_read_alike(content: bytes) -> None:
    try:
        expected: Any = read_json(content)
    except ParseError:
        with pytest.raises(ParseError):
            read_large_json(content)
    else:
        assert asked(read_large_json(content)) == asked(expected)


@pytest.mark.parametrize(
    "body",
    [
        {"vector": [0.5, 1, -2e-3]},
        {"data": [[1, 2], [3, 4]], "nn_id": NN_ID, "version": 3},
        {"nn_id": NN_ID, "data": [[[0.1], [0.2]], [[0.3], [-0.0]]]},
        {"vector": [[[1.5]]]},
    ],
)
def test_numbers_in_lists_of_one_shape_become_an_array(body: dict[str, Any]) -> None:
    (name,) = {"vector", "data"} & body.keys()
    for content in (orjson.dumps(body), json.dumps(body, indent=3).encode()):
        read = read_large_json(content)
        assert isinstance(read[name], np.ndarray)
        assert (read[name].dtype, read[name].tolist()) == (np.float64, body[name])
        assert {**read, name: body[name]} == body
        assert_read_alike(content)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[", b"]", b"][", b"{}", b"[]", b"[1,2]", b"null", b"\xff", b"{", b'{"vector":[1,2}', b'{"vector":[1,]}',
        b'{"vector":[]}', b'{"data":[[]]}', b'{"data":[[],[]]}', b'{"data":[[1],[]]}',
        b'{"data":[[1,2],[3]]}', b'{"data":[[1,2],[3],[4,5,6]]}',
        b'{"data":[1,[2]]}', b'{"data":[[1],2]}', b'{"data":[[[1]],[[2,3]]]}',
        b'{"vector":[true,false]}', b'{"vector":[1,null]}', b'{"vector":["1"]}', b'{"vector":[{"a":1}]}',
        b'{"vector":[9007199254740991]}', b'{"vector":[9007199254740992]}', b'{"vector":[9007199254740993,0.5]}',
        b'{"vector":[18446744073709551615]}',
        b'{"vector":[18446744073709551616]}', b'{"vector":[-9223372036854775808]}',
        b'{"vector":[1e400]}', b'{"vector":[1e-400]}', b'{"vector":[01]}', b'{"vector":[+1]}', b'{"vector":[1.]}',
        b'{"vector":[.5]}', b'{"vector":[-]}', b'{"vector":[-0]}', b'{"vector":[NaN]}', b'{"vector":[5e-324]}',
        b'{"vector":[1],"data":[[1]]}', b'{"vector":[1],"vector":[2]}', b'{"vector":[1],"vector":5}',
        b'{"vector":5,"vector":[1]}', b'{"data":{"a":[1],"b":[2]}}', b'{"data":{"a":[1]}}',
        b'{"vector":[1],"nn_id":"]"}',
        b'{"nn_id":"[","vector":[1]}', b'{"nn_id":"[1,2]","vector":[1]}', b'{"nn_id":[1],"vector":5}',
        b'{"nn_id":"\\u0000the list","vector":[1]}', b'{"vector":[1],"version":1e0}',
        b'{"vector":[1]}{', b'{"vector":[1]} x',
        b"[" * 40 + b"1" + b"]" * 40, b'{"vector":' + b"[" * 40 + b"1" + b"]" * 40 + b"}",
        b'{"vector":[1,2],"note":"a, [b], c"}', b'{"ve[ctor":[1]}',
        b'{"vector":"as in [1], said"}', b'{"a[1]":2}', b'{"vector" : [ 1 , 2 ] }', b'{"vector":[1 2]}',
    ],
    ids=repr,
)  # fmt: skip
def test_every_other_body_is_read_or_refused_as_a_small_one_is(content: bytes) -> None:
    assert_read_alike(content)


leaves = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70), st.booleans())
nested = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=12)
bodies = st.dictionaries(st.sampled_from(["vector", "data", "nn_id", "version", "[", "]"]), nested, max_size=3)


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["vector", "data", "nn_id", "version", "[", "]"]), nested, max_size=3),
    st.booleans(),
)
def test_bodies_of_any_shape_are_read_alike(body: dict[str, Any], spaced: bool) -> None:
    assert_read_alike(json.dumps(body, indent=1 if spaced else None).encode())
