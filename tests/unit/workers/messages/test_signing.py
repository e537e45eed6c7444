"""A signature fits one message in one place, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workers.messages.refusals import SignatureError
from workers.messages.signing import SIGNATURE, Keys, refuse_signed

KEY, OTHER_KEY = "the key of this fleet", "the key of another one"
BODY = b'[[{"rows": 1}], {}, {}]'
PROPERTIES: dict[str, Any] = {
    "content_type": "application/json",
    "content_encoding": "utf-8",
    "reply_to": "replies.1",
    "correlation_id": "1",
    "expiration": "30000",
    "delivery_mode": 1,
    "application_headers": {"task": "workers.tasks.predict", "id": "1", "retries": 0, "timelimit": [None, None]},
}


def signed(*keys: str) -> dict[str, Any]:
    return with_headers({SIGNATURE: Keys(*keys).sign(BODY, "", "predict", PROPERTIES)})


def with_headers(more: dict[str, Any], of: dict[str, Any] = PROPERTIES) -> dict[str, Any]:
    return {**of, "application_headers": {**of["application_headers"], **more}}


def test_what_was_signed_is_verified() -> None:
    Keys(KEY).verify(BODY, "", "predict", signed(KEY))


def test_every_key_verifies_and_the_first_one_signs() -> None:
    both = Keys(OTHER_KEY, KEY)

    both.verify(BODY, "", "predict", signed(KEY))
    both.verify(BODY, "", "predict", signed(OTHER_KEY))
    Keys(OTHER_KEY).verify(BODY, "", "predict", signed(OTHER_KEY, KEY))


@pytest.mark.parametrize(
    ("body", "exchange", "routing_key"),
    [(BODY + b" ", "", "predict"), (b"", "", "predict"), (BODY, "gateways", "predict"), (BODY, "", "supply")],
)
def test_another_body_or_place_is_refused(body: bytes, exchange: str, routing_key: str) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        Keys(KEY).verify(body, exchange, routing_key, signed(KEY))


@pytest.mark.parametrize(
    "changed",
    [
        {"reply_to": "somebody.else"},
        {"reply_to": None},
        {"correlation_id": "2"},
        {"expiration": "30001"},
        {"content_type": "application/x-python-serialize"},
        {"content_encoding": "binary"},
    ],
)
def test_another_property_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        Keys(KEY).verify(BODY, "", "predict", signed(KEY) | changed)


@pytest.mark.parametrize("changed", [{"task": "os.system"}, {"retries": 1}, {"more": None}, {"timelimit": [1, None]}])
def test_another_header_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        Keys(KEY).verify(BODY, "", "predict", with_headers(changed, signed(KEY)))


@pytest.mark.parametrize("signature", ["", "x", "ä" * 64, 5, ["a"], {"a": 1}, True, "0" * 64])
def test_what_is_no_signature_is_refused(signature: Any) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        Keys(KEY).verify(BODY, "", "predict", with_headers({SIGNATURE: signature}))


@pytest.mark.parametrize("value", [datetime.now(UTC), b"bytes", "\ud800", {1: 2}])
def test_a_header_that_json_does_not_have_is_refused(value: Any) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        Keys(KEY).verify(BODY, "", "predict", with_headers({"odd": value}, signed(KEY)))


def test_an_unsigned_message_is_refused_with_what_to_do() -> None:
    with pytest.raises(SignatureError, match="not signed, and this process has a key; give every gateway and worker"):
        Keys(KEY).verify(BODY, "", "predict", PROPERTIES)
    with pytest.raises(SignatureError, match="not signed"):
        Keys(KEY).verify(b"", "", "", {})


def test_what_the_broker_adds_changes_nothing() -> None:
    added = with_headers({"x-delivery-count": 3, "x-death": [{"count": 1}]}, signed(KEY)) | {"delivery_mode": 2}

    Keys(KEY).verify(BODY, "", "predict", added)


def test_without_a_key_a_signed_message_is_refused_and_no_other() -> None:
    refuse_signed(PROPERTIES)
    refuse_signed({})
    with pytest.raises(SignatureError, match="this process has no key; give every gateway and worker the same"):
        refuse_signed(signed(KEY))
