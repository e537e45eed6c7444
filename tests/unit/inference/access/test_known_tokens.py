"""What a gateway process knows of the tokens, and what it does without the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inference.access import known_tokens
from inference.access.keys import KEY_CHARACTERS_MAX, PREFIX, START_TOKEN, digest_of, new_key
from inference.access.known_tokens import KEPT_SECONDS, KnownTokens
from inference.access.rights import RIGHTS, UnknownRightError, parse_rights, written
from inference.errors import TokensUnknownError
from inference.models import AccessToken
from tests.unit.inference.access.test_buckets import Clock

pytestmark = pytest.mark.django_db


def make(name: str, key: str, rights: str = "predict") -> AccessToken:
    return AccessToken.objects.create(name=name, digest=digest_of(key), rights=rights)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> KnownTokens:
    make("one", "first key", "predict,traces")
    known = KnownTokens(clock=clock)
    known.refresh()
    return known


def test_a_key_is_random_and_only_its_digest_is_kept() -> None:
    keys = {new_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(key.startswith(PREFIX) and len(key) == len(PREFIX) + 43 <= KEY_CHARACTERS_MAX for key in keys)
    assert digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_living_token_is_found_by_its_key_without_a_query(tokens: KnownTokens) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = tokens.find("first key")
        assert tokens.find("made up") is None
        assert tokens.find("x" * 100_000) is None

    assert found is not None
    assert (found.name, found.rights) == ("one", {"predict", "traces"})
    assert not queries.captured_queries


def test_a_revoked_one_is_not_and_a_new_one_is_after_the_next_reading(tokens: KnownTokens) -> None:
    AccessToken.objects.filter(name="one").update(revoked_at=timezone.now())
    make("two", "second key")
    assert tokens.find("first key")

    tokens.refresh()

    assert tokens.find("first key") is None
    assert tokens.find("second key")


def test_before_the_first_reading_nobody_knows(clock: Clock) -> None:
    with pytest.raises(TokensUnknownError, match="yet"):
        KnownTokens(clock=clock).find("first key")


@pytest.mark.parametrize("key", ["first key", "made up"])
def test_without_the_database_what_was_known_holds_for_a_while(key: str, tokens: KnownTokens, clock: Clock) -> None:
    clock.now += KEPT_SECONDS
    assert (tokens.find(key) is not None) == (key == "first key")
    clock.now += 1.0
    with pytest.raises(TokensUnknownError, match="300 s"):
        tokens.find(key)


def test_an_outage_is_logged_once_and_its_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: Iterator[Exception | None] = iter([OperationalError("away"), OperationalError("away"), None])

    def read() -> list[known_tokens.KnownToken]:
        if error := next(outcomes):
            raise error
        return []

    known = KnownTokens(read)
    monkeypatch.setattr(known_tokens, "READ_SECONDS", 0.0)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            known._take_turn()

    assert [record.message for record in caplog.records] == [
        "The tokens cannot be read: going on with those that are known. away",
        "The tokens can be read again.",
    ]


def test_the_program_that_started_the_gateway_may_do_everything(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setenv(START_TOKEN, digest_of("started with"))
    known = KnownTokens(clock=clock)

    found = known.find("started with")
    assert found is not None
    assert found.rights == RIGHTS.keys()
    known.refresh()
    assert known.find("started with") == found
    known.write_uses()


@pytest.mark.parametrize("digest", ["", "abc"])
def test_what_is_no_digest_opens_nothing(digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(START_TOKEN, digest)

    assert known_tokens.own_tokens() == {}


def last_use() -> datetime | None:
    return AccessToken.objects.get(name="one").last_used_at


def test_the_last_use_is_written_at_most_once_a_minute(tokens: KnownTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    tokens.write_uses()
    assert last_use() is None

    tokens.find("first key")
    tokens.write_uses()
    assert last_use() == datetime.fromtimestamp(now, UTC)

    for seconds, written_at in ((30, now), (59, now), (61, now + 61)):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: now + seconds)
        tokens.find("first key")
        tokens.write_uses()
        assert last_use() == datetime.fromtimestamp(written_at, UTC)
    with CaptureQueriesContext(connection) as queries:
        tokens.write_uses()
    assert not queries.captured_queries


def test_another_process_may_know_of_a_later_use(tokens: KnownTokens) -> None:
    later = timezone.now() + timedelta(hours=1)
    AccessToken.objects.update(last_used_at=later)
    tokens.find("first key")
    tokens.write_uses()

    assert last_use() == later


def test_a_use_that_the_database_does_not_take_is_written_later(
    tokens: KnownTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise OperationalError("away")

    tokens.find("first key")
    with monkeypatch.context() as patch:
        patch.setattr(known_tokens, "_write", away)
        tokens.write_uses()
    assert last_use() is None
    tokens.write_uses()
    assert last_use() is not None


def test_a_right_of_a_later_release_is_left_out_and_locks_nobody_out(
    tokens: KnownTokens, caplog: pytest.LogCaptureFixture
) -> None:
    make("later", "later key", "predict,teleport")
    for _ in range(3):
        tokens.refresh()

    first, later = tokens.find("first key"), tokens.find("later key")
    assert first is not None
    assert later is not None
    assert later.rights == {"predict"}
    [said] = caplog.messages
    assert said == "The token 'later' has rights that this release does not know: teleport."


def test_rights_are_read_and_written() -> None:
    assert parse_rights("weights, predict") == {"weights", "predict"}
    assert written(frozenset({"weights", "predict"})) == "predict,weights"
    for wrong in ("", "predict,", "admin", "Predict"):
        with pytest.raises(UnknownRightError, match="the rights are predict, status, weights, traces"):
            parse_rights(wrong)
