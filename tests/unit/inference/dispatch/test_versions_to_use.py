"""While the database does not answer, predictions go on with what it said last, unless that may be old by now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError

from inference.dispatch import versions_to_use
from inference.dispatch.news import Deleted, Switched
from inference.dispatch.versions_to_use import Question, VersionsToUse
from inference.errors import DatabaseAwayError, NotFoundError
from tests.support.waiting import wait_until
from tests.unit.samples import NN_ID, OTHER_NN_ID, VERSION

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = (replace(VERSION, number=number) for number in (1, 2, 3))
ELSEWHERE = replace(VERSION, nn_id=OTHER_NN_ID, number=7)


class Database:
    """Answers what it is told to; `error` instead while there is one."""

    def __init__(self) -> None:
        self.answers: dict[Question, Any] = {(NN_ID, None): FIRST, (None, None): FIRST}
        self.error: Exception | None = None
        self.reads = 0
        self.on_read: Callable[[], None] = lambda: None

    def read(self, network: str | None, which: int | str | None) -> Any:
        self.reads += 1
        answer = self.error or self.answers.get((network, which)) or NotFoundError("there is none")
        self.on_read()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def versions(database: Database, monkeypatch: pytest.MonkeyPatch) -> VersionsToUse:
    """With the thread that looks for the database never started: it stays away."""
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    monkeypatch.setattr(versions_to_use, "bound_this_thread", lambda: None)
    return VersionsToUse(database.read)


def lose(database: Database, versions: VersionsToUse) -> None:
    database.error = OperationalError("gone")
    with pytest.raises(DatabaseAwayError):
        versions.version_to_use("f" * 32, None)
    assert versions.database_away


def switched(nn_id: str = NN_ID) -> Any:
    return Switched(nn_id).to_json()


def known(versions: VersionsToUse, network: str | None = NN_ID, which: int | str | None = None) -> Any:
    try:
        return versions.version_to_use(network, which)
    except DatabaseAwayError:
        return None


def test_while_the_database_answers_it_is_asked_each_time(database: Database, versions: VersionsToUse) -> None:
    assert versions.version_to_use(NN_ID, None) == FIRST
    database.answers[NN_ID, None] = SECOND
    assert versions.version_to_use(NN_ID, None) == SECOND


def test_while_it_is_away_its_last_answer_counts_and_it_is_not_asked(
    database: Database, versions: VersionsToUse
) -> None:
    known(versions)
    lose(database, versions)
    reads = database.reads
    assert [known(versions) for _ in range(3)] == [FIRST] * 3
    assert known(versions, OTHER_NN_ID) is None
    assert database.reads == reads


def test_a_dead_connection_is_opened_anew_once(database: Database, versions: VersionsToUse) -> None:
    database.error = OperationalError("the connection is closed")
    database.on_read = lambda: setattr(database, "error", None)
    assert versions.version_to_use(NN_ID, None) == FIRST
    assert not versions.database_away


def test_a_network_that_there_is_no_more_is_forgotten(database: Database, versions: VersionsToUse) -> None:
    known(versions)
    database.answers.clear()
    with pytest.raises(NotFoundError):
        versions.version_to_use(NN_ID, None)
    lose(database, versions)
    assert known(versions) is None


def test_after_news_of_a_switch_the_database_says_what_is_active(database: Database, versions: VersionsToUse) -> None:
    known(versions), known(versions, None)
    versions.hear_of_switch(switched())
    database.answers = dict.fromkeys(database.answers, SECOND)
    assert (known(versions), known(versions, None)) == (SECOND, SECOND)
    lose(database, versions)
    assert (known(versions), known(versions, None)) == (SECOND, SECOND)


def test_news_make_nothing_active_whoever_sends_them_again(database: Database, versions: VersionsToUse) -> None:
    known(versions), known(versions, None)
    lose(database, versions)
    for _ in range(2):
        versions.hear_of_switch(switched())
        assert (known(versions), known(versions, None)) == (None, None)


def test_what_is_read_while_news_come_may_be_old(database: Database, versions: VersionsToUse) -> None:
    database.on_read = lambda: versions.hear_of_switch(switched())
    known(versions)
    lose(database, versions)
    assert known(versions) is None


def test_who_may_have_missed_news_knows_nothing(database: Database, versions: VersionsToUse) -> None:
    known(versions)
    versions.forget()
    lose(database, versions)
    assert known(versions) is None
    versions.hear_of_switch(switched())
    assert known(versions) is None, "what it has not been told by the database"


def test_a_switch_of_another_network_may_be_one_of_the_default_network(
    database: Database, versions: VersionsToUse
) -> None:
    database.answers |= {(None, 3): THIRD, (NN_ID, 3): THIRD}
    for question in database.answers:
        known(versions, *question)
    versions.hear_of_switch(switched(OTHER_NN_ID))
    lose(database, versions)
    assert (known(versions, None), known(versions, None, 3)) == (None, None)
    assert (known(versions), known(versions, NN_ID, 3)) == (FIRST, THIRD)


def test_a_name_may_be_another_networks_after_any_switch_and_a_label_another_versions(
    database: Database, versions: VersionsToUse
) -> None:
    by_name = [("fraud", None), ("fraud", 3), ("fraud", "stable")]
    database.answers |= dict.fromkeys([*by_name, (NN_ID, "stable"), (NN_ID, 3)], THIRD)
    for question in database.answers:
        known(versions, *question)
    versions.hear_of_switch(switched(OTHER_NN_ID))
    lose(database, versions)
    assert [known(versions, *question) for question in by_name] == [None] * 3
    assert [known(versions, NN_ID, which) for which in ("stable", 3)] == [THIRD, THIRD]


def test_news_of_a_network_make_its_labels_old_and_its_numbers_not(database: Database, versions: VersionsToUse) -> None:
    database.answers |= {(NN_ID, "stable"): THIRD, (NN_ID, 3): THIRD}
    for question in database.answers:
        known(versions, *question)
    versions.hear_of_switch(switched())
    lose(database, versions)
    assert [known(versions, NN_ID, which) for which in ("stable", 3)] == [None, THIRD]


def test_a_label_of_a_deleted_version_is_forgotten(database: Database, versions: VersionsToUse) -> None:
    asked = [(NN_ID, "stable"), ("fraud", "stable"), ("fraud", 3), (None, "stable")]
    database.answers |= {**dict.fromkeys(asked, THIRD), (OTHER_NN_ID, "stable"): ELSEWHERE}
    for question in database.answers:
        known(versions, *question)
    versions.hear_of_deletion(Deleted(NN_ID, 3).to_json())
    lose(database, versions)
    assert [known(versions, *question) for question in asked] == [None] * 4
    assert known(versions, OTHER_NN_ID, "stable") == ELSEWHERE


def test_the_number_of_a_version_means_the_same_after_a_switch(database: Database, versions: VersionsToUse) -> None:
    database.answers[NN_ID, 3] = THIRD
    known(versions, NN_ID, 3)
    versions.hear_of_switch(switched())
    lose(database, versions)
    assert known(versions, NN_ID, 3) == THIRD


def test_a_deleted_version_is_not_answered_with(database: Database, versions: VersionsToUse) -> None:
    database.answers |= {(NN_ID, 3): THIRD, (None, 3): THIRD, (OTHER_NN_ID, 3): ELSEWHERE}
    for nn_id in (NN_ID, None, OTHER_NN_ID):
        known(versions, nn_id, 3)
    versions.hear_of_deletion(Deleted(NN_ID, 3).to_json())
    lose(database, versions)
    assert [known(versions, nn_id, 3) for nn_id in (NN_ID, None, OTHER_NN_ID)] == [None, None, ELSEWHERE]


@pytest.mark.django_db(transaction=True)
def test_when_the_database_is_back_it_is_asked_again(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    monkeypatch.setattr(versions_to_use, "TRY_AGAIN_SECONDS", 0.01)
    versions = VersionsToUse(database.read)
    assert versions.version_to_use(NN_ID, None) == FIRST
    database.error = OperationalError("gone")
    assert versions.version_to_use(NN_ID, None) == FIRST
    assert versions.database_away
    database.answers[NN_ID, None], database.error = SECOND, None
    wait_until(lambda: not versions.database_away, 10, "the database answers")
    assert versions.version_to_use(NN_ID, None) == SECOND
    versions.stop()
