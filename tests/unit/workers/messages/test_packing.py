"""Batches and answers as bytes: what was packed comes back, and nothing else is read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workers.messages.packing import pack, unpack


@pytest.mark.parametrize(
    "value", [None, True, 5, -(2**63), 2**64 - 1, 0.1, "über", b"\0\xff", [1, [2]], {"a": {"b": b"c"}}]
)
def test_what_was_packed_comes_back(value: Any) -> None:
    assert unpack(pack(value)) == value


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        pack([1, 2])[:-1],
        pack(1) + b"\0",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\x7f\xff\xff\xff",
        b"\x91" * 3000,
    ],
    ids=["nothing", "no such kind", "cut off", "more behind it", "a huge list", "huge bytes", "nested too deep"],
)
def test_what_is_no_message_is_no_value(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unpack(content)


@pytest.mark.parametrize("value", [{1}, object(), datetime.now(UTC), 2**64])
def test_what_json_has_not_is_not_packed(value: Any) -> None:
    with pytest.raises((TypeError, OverflowError)):
        pack(value)
