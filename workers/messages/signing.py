"""Signatures over what gateways and workers send each other: HMAC-SHA256 with PIPELINE_MESSAGE_KEY.

Signed is the body together with what gives it its meaning: where it is sent, whom it answers, when it expires, and
every header, such as a task's name. The broker adds headers of its own, whose names begin with `x-`; they are left out.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from workers.messages.refusals import SignatureError
from workers.settings import settings

#: The header that holds a message's signature, in hex.
SIGNATURE = "signature"
#: Headers of an answer to whom a stranger may have named: no process believes it, whatever its key, but it hears why.
UNSIGNED = {SIGNATURE: ""}
BROKERS_PREFIX = "x-"
SIGNED_PROPERTIES = ("content_type", "content_encoding", "reply_to", "correlation_id", "expiration")
SAME_KEY = "give every gateway and worker the same PIPELINE_MESSAGE_KEY"


class Keys:
    """Signs with the first key, and verifies with all, so that a key can be replaced while everybody runs."""

    def __init__(self, *keys: str) -> None:
        self._keys = tuple(hmac.new(key.encode(), digestmod="sha256") for key in keys)

    def sign(self, body: bytes, exchange: str, routing_key: str, properties: Mapping[str, Any]) -> str:
        """The signature of a message; `properties` are AMQP's, the headers among them as `application_headers`.

        Raises:
            TypeError: a header's value is nothing that JSON has.
        """
        return _digest(self._keys[0], _meaning(exchange, routing_key, properties), body)

    def verify(self, body: bytes, exchange: str, routing_key: str, properties: Mapping[str, Any]) -> None:
        """Have a message that arrived refused unless one of the keys signed it, just as it is.

        Raises:
            SignatureError: none did.
        """
        given = (properties.get("application_headers") or {}).get(SIGNATURE)
        if given is None:
            raise SignatureError(f"it is not signed, and this process has a key; {SAME_KEY}")
        try:
            meaning = _meaning(exchange, routing_key, properties)
            fits = isinstance(given, str) and any(
                hmac.compare_digest(_digest(key, meaning, body).encode(), given.encode()) for key in self._keys
            )
        except (TypeError, ValueError):  # no text, or nothing that JSON has
            fits = False
        if not fits:
            raise SignatureError(f"its signature does not fit: it was altered, or the keys differ; {SAME_KEY}")


def _meaning(exchange: str, routing_key: str, properties: Mapping[str, Any]) -> bytes:
    headers = properties.get("application_headers") or {}
    ours = {name: value for name, value in headers.items() if name != SIGNATURE and not name.startswith(BROKERS_PREFIX)}
    named = [properties.get(name) for name in SIGNED_PROPERTIES]
    return orjson.dumps(
        [exchange, routing_key, named, ours], option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    )


def _digest(key: hmac.HMAC, meaning: bytes, body: bytes) -> str:
    digest = key.copy()
    digest.update(len(meaning).to_bytes(8, "big") + meaning)
    digest.update(body)
    return digest.hexdigest()


def refuse_signed(properties: Mapping[str, Any]) -> None:
    """Have a signed message refused by a process without a key, whose own messages nobody there would take.

    Raises:
        SignatureError: it is signed.
    """
    if SIGNATURE in (properties.get("application_headers") or ()):
        raise SignatureError(f"it is signed, and this process has no key; {SAME_KEY}")


@cache
def message_keys() -> Keys | None:
    """The keys of this process, or None."""
    keys = settings().message_keys
    return Keys(*keys) if keys else None
