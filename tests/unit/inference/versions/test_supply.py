"""The gateway's answers to workers' requests, with a database that only pretends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from kombu.message import Message

from inference.versions import selectors, stored_files
from inference.versions import supply as gateway_supply
from tests.unit.samples import DIGEST, NEXT_VERSION, VERSION
from workers import supply as worker_supply
from workers.celery import app
from workers.messages.protocol import SUPPLY_QUEUE
from workers.messages.refusals import SignatureError
from workers.messages.signing import UNSIGNED
from workers.messages.supplied import CHUNK_BYTES, ActiveVersions
from workers.runtime.errors import SupplyError

LONG_SECONDS = 60.0
CONTENT = b"7" * (CHUNK_BYTES + 5)
NAME = hashlib.sha256(CONTENT).hexdigest()


def stored_chunk(digest: str, offset: int) -> tuple[int, bytes] | None:
    if digest != NAME or offset >= len(CONTENT):
        return None
    return len(CONTENT), CONTENT[offset : offset + CHUNK_BYTES]


@pytest.fixture(autouse=True)
def _supplying(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    queue = f"{SUPPLY_QUEUE}.{uuid4().hex}"
    monkeypatch.setattr(worker_supply, "SUPPLY_QUEUE", queue)
    monkeypatch.setattr(gateway_supply, "SUPPLY", type(gateway_supply.SUPPLY)(queue, durable=False))
    monkeypatch.setattr(worker_supply, "ASK_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr("inference.dispatch.replies.DRAIN_SECONDS", 0.05)
    monkeypatch.setattr(stored_files, "file_chunk", stored_chunk)
    supply = gateway_supply.Supply()
    supply.start()
    yield
    supply.stop()


def fetch(digest: str, target: Path) -> bytes:
    worker_supply.Supply(app, LONG_SECONDS).fetch_file(digest, target)
    return target.read_bytes()


def test_a_stored_file_reaches_a_worker_whole(tmp_path: Path) -> None:
    assert fetch(NAME, tmp_path / "file") == CONTENT


def test_a_worker_hears_that_a_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SupplyError, match="no gateway has the file"):
        fetch(DIGEST, tmp_path / "file")


def test_a_worker_hears_which_versions_are_active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "active_versions", lambda: [NEXT_VERSION, VERSION])

    versions = worker_supply.Supply(app, LONG_SECONDS).active_versions(LONG_SECONDS)

    assert versions == ActiveVersions((NEXT_VERSION, VERSION))


def test_a_database_that_fails_once_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [OperationalError("gone")] * 3

    def fail_first(digest: str, offset: int) -> Any:
        if failures:
            raise failures.pop()
        return stored_chunk(digest, offset)

    monkeypatch.setattr(stored_files, "file_chunk", fail_first)

    assert fetch(NAME, tmp_path / "file") == CONTENT


def test_a_stranger_is_not_answered_with_a_signature() -> None:
    queue = f"replies.{uuid4().hex}"
    with app.connection_for_read() as connection:
        channel: Any = connection.channel()
        channel.queue_declare(queue)
        channel.no_ack_consumers = {"c"}
        asked = Message(b"", 1, properties={"reply_to": queue}, channel=channel, delivery_info={"consumer_tag": "c"})

        gateway_supply.Supply()._refuse(asked, SignatureError("it is not signed"))

        assert channel.basic_get(queue).headers == UNSIGNED


def test_a_question_that_cannot_be_read_does_not_end_the_answering(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for question in ("text", [], {"digest": "../secret", "offset": 0}, {"digest": NAME, "offset": 1}, None):
            producer.publish(
                question, exchange="", routing_key=worker_supply.SUPPLY_QUEUE, reply_to="nowhere", serializer="json"
            )

    assert fetch(NAME, tmp_path / "file") == CONTENT
    assert caplog.text.count("Refused a message") == 5
