"""How long a message says that its client waits."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from inference.amqp_door.waiting_time import read_seconds
from inference.errors import BadInputError, RequestTimeoutError

NOW = datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)


def seconds(expiration: Any = None, **headers: Any) -> float | None:
    return read_seconds({"expiration": expiration}, headers, NOW)


def test_a_message_that_says_nothing_leaves_it_to_the_gateway() -> None:
    assert read_seconds({}, {}, NOW) is None
    assert seconds(expires=None, timelimit=[None, None]) is None


def test_the_least_that_is_said_holds() -> None:
    assert seconds("2500") == 2.5
    assert seconds(expires="2026-11-30T12:00:04+00:00") == 4.0
    assert seconds(expires="2026-11-30T13:00:05+01:00") == 5.0
    assert seconds(expires="2026-11-30T12:00:06") == 6.0
    assert seconds(expires="2026-11-30T12:00:07Z") == 7.0
    assert seconds(timelimit=[8, None]) == 8.0
    assert seconds("9000", expires="2026-11-30T12:00:04", timelimit=[8, 3.5]) == 3.5


@pytest.mark.parametrize("over", [{"timelimit": [-1, None]}, {"expires": "2026-11-30T11:59:59Z"}, {"expiration": "0"}])
def test_what_has_expired_is_not_asked(over: dict[str, Any]) -> None:
    with pytest.raises(RequestTimeoutError):
        seconds(**over)


@pytest.mark.parametrize(
    "odd",
    [
        *({"expiration": each} for each in (5, "soon", "", "-1", "٣", b"1")),
        *({"expires": each} for each in (5, "soon", "", True, NOW, b"", "0001-01-01T00:00:00+23:00", ["2026"])),
        *({"timelimit": each} for each in (5, "soon", {}, ["1"], [True], [nan], [inf], [Decimal(1)], [[1]])),
    ],
)
def test_what_cannot_be_read_is_said(odd: dict[str, Any]) -> None:
    with pytest.raises((BadInputError, RequestTimeoutError)) as raised:
        seconds(**odd)

    assert next(iter(odd)) in str(raised.value) or "expired" in str(raised.value)
