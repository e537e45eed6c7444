"""What is read of networks, versions and activations, and what a rollback leads to."""

from __future__ import annotations

from typing import Any

import pytest

from inference import history, services
from inference.errors import ConflictError, NotFoundError
from inference.models import Activation, Version
from inference.uploads import store_version
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed_activation

pytestmark = pytest.mark.django_db
ACTIVATE, ROLLBACK = Activation.Kind.ACTIVATE, Activation.Kind.ROLLBACK


def store(nn_id: str = NN_ID) -> Version:
    number = Version.objects.count()
    return store_version(nn_id, "weights.b64", f"weights {number}".encode(), b"{}")


@pytest.fixture
def three() -> list[Version]:
    """Versions 1, 2 and 3, each uploaded and made active."""
    return [activated(store()).version for _ in range(3)]


def roll_back() -> int:
    """Roll back as the switch does; the number of what is active then."""
    version = history.version_before(NN_ID)
    activated(version, ROLLBACK)
    return version.number


def test_networks_are_listed_by_name_with_what_the_list_shows(django_assert_num_queries: Any) -> None:
    activated(store(OTHER_NN_ID))
    latest = activated(store(OTHER_NN_ID)).version
    only = store()

    with django_assert_num_queries(1):
        found = [
            (one.nn_id, one.active, one.versions_count, one.last_upload, one.is_default) for one in history.networks()
        ]

    assert found == [(NN_ID, None, 1, only.uploaded_at, False), (OTHER_NN_ID, latest, 2, latest.uploaded_at, True)]


def test_what_is_not_there_says_where_to_look(three: list[Version]) -> None:
    with pytest.raises(NotFoundError, match=f"no network {OTHER_NN_ID}: GET /networks lists"):
        history.network(OTHER_NN_ID)
    with pytest.raises(NotFoundError, match=f"no version 4 of network {NN_ID}: GET /networks/{NN_ID} lists"):
        history.version(NN_ID, 4)
    with pytest.raises(NotFoundError):
        history.version_before(OTHER_NN_ID)


def test_activations_come_newest_first_with_their_reports(three: list[Version], django_assert_num_queries: Any) -> None:
    for _ in range(3):
        failed_activation(three[0])
    activated(three[0], ACTIVATE)

    with django_assert_num_queries(2):
        found = history.activations(three[0], 3)
        told = [(one.kind, one.outcome, one.previous and one.previous.number, len(one.reports.all())) for one in found]

    assert told == [("activate", "activated", 3, 1), ("upload", "failed", 3, 1), ("upload", "failed", 3, 1)]


def test_rolling_back_again_leads_further_back_until_nothing_was_before(three: list[Version]) -> None:
    assert [roll_back(), roll_back()] == [2, 1]
    with pytest.raises(ConflictError, match="nothing to roll back to: no version was active before"):
        roll_back()


def test_what_failed_in_between_is_no_step_back(three: list[Version]) -> None:
    failed_activation(store())

    assert roll_back() == 2


def test_activating_the_active_version_again_is_no_step(three: list[Version]) -> None:
    activated(three[2], ACTIVATE)

    assert roll_back() == 2


def test_a_rollback_undoes_an_activation_of_an_earlier_version(three: list[Version]) -> None:
    activated(three[0], ACTIVATE)

    assert [roll_back(), roll_back()] == [3, 2]


def test_a_deleted_version_is_passed_over(three: list[Version]) -> None:
    services.delete_version(NN_ID, 2, "a test")

    assert roll_back() == 1


def test_a_chain_of_deleted_versions_that_leads_in_a_circle_ends() -> None:
    first, second = activated(store()).version, activated(store()).version
    activated(first, ACTIVATE)
    services.delete_version(NN_ID, second.number, "a test")

    with pytest.raises(ConflictError, match="nothing to roll back to"):
        roll_back()


def test_without_an_active_version_there_is_nothing_to_roll_back_from() -> None:
    store()

    with pytest.raises(ConflictError, match="has no active version"):
        roll_back()
