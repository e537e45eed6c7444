"""What is read from the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from inference.errors import ConflictError, NoNetworkError, NotFoundError
from inference.models import PredictionTiming, Version
from inference.versions import naming, selectors, services
from inference.versions.uploads import store_version
from tests.unit import samples
from tests.unit.samples import NN_ID, OTHER_NN_ID

pytestmark = pytest.mark.django_db
THIRD_NN_ID = "dfd2cd54a1ec4a408285f547f6827ea2"


def store(nn_id: str = NN_ID, weights: bytes = b"weights") -> Version:
    return store_version(nn_id, "weights.b64", weights, b"{}")


def activated(nn_id: str = NN_ID, weights: bytes = b"weights") -> Version:
    return samples.activated(store(nn_id, weights)).version


def test_without_a_network_no_version_is_active() -> None:
    assert selectors.default_version() is None
    assert selectors.active_versions() == []


def test_a_version_that_is_only_uploaded_is_not_active() -> None:
    store()

    assert selectors.active_versions() == []


def test_a_network_is_answered_by_its_active_version_and_the_default_by_the_last_activated() -> None:
    first, second = activated(), activated(OTHER_NN_ID, b"other")
    store(OTHER_NN_ID, b"newer, not active")

    assert selectors.version_to_use(NN_ID, None) == first.ref()
    assert selectors.version_to_use(OTHER_NN_ID, None) == second.ref()
    assert selectors.default_version() == second.ref()


def test_the_active_version_is_used_unless_another_one_is_asked_for() -> None:
    older, newer, other = activated(), activated(weights=b"newer"), activated(OTHER_NN_ID, b"other")
    first = store(OTHER_NN_ID, b"newer other")
    samples.activated(first)
    samples.activated(other)
    store(weights=b"newest, not loaded")

    assert selectors.version_to_use(NN_ID, None) == newer.ref()
    assert selectors.version_to_use(None, None) == other.ref()
    assert selectors.version_to_use(NN_ID, 1) == older.ref()
    assert selectors.version_to_use(NN_ID, 2) == newer.ref()
    assert selectors.version_to_use(None, 2) == first.ref()


@pytest.mark.parametrize("number", [None, 1])
def test_without_any_network_there_is_none_to_use(number: int | None) -> None:
    store()  # which is not the default network before it is active

    with pytest.raises(NoNetworkError, match=r"^No weights loaded$"):
        selectors.version_to_use(None, number)


@pytest.mark.parametrize(
    ("nn_id", "number", "reason"),
    [
        (THIRD_NN_ID, None, f"there is no network {THIRD_NN_ID}; GET /networks lists"),
        (THIRD_NN_ID, 1, f"there is no network {THIRD_NN_ID}; GET /networks lists"),
        (OTHER_NN_ID, None, f"network {OTHER_NN_ID} has no active version; GET /networks/{OTHER_NN_ID} lists"),
        (NN_ID, 2, f"network {NN_ID} has no version 2; GET /networks/{NN_ID} lists"),
        (None, 2, f"network {NN_ID} has no version 2; GET /networks/{NN_ID} lists"),
    ],
)
def test_what_is_not_there_cannot_be_used(nn_id: str | None, number: int | None, reason: str) -> None:
    store(OTHER_NN_ID)
    activated()

    with pytest.raises(NotFoundError, match=reason):
        selectors.version_to_use(nn_id, number)


def test_a_version_that_not_all_workers_loaded_cannot_be_used() -> None:
    store()
    samples.failed_activation(store(weights=b"bad"))

    for number, state in ((1, "pending"), (2, "failed")):
        with pytest.raises(ConflictError, match=f"version {number} is {state}; a version answers once it has been"):
            selectors.version_to_use(NN_ID, number)


def test_a_deleted_version_cannot_be_used() -> None:
    activated()
    activated(weights=b"newer")
    services.delete_version(NN_ID, 1, "tester")

    with pytest.raises(NotFoundError, match="version 1 is deleted"):
        selectors.version_to_use(NN_ID, 1)


def test_the_version_to_use_is_one_query(django_assert_num_queries: Any) -> None:
    naming.name_network(activated().network, "fraud")
    naming.label_version(NN_ID, "a", 1)

    for names in ((None, None), (NN_ID, None), (NN_ID, 1), (None, 1), ("fraud", 1), (NN_ID, "a"), ("fraud", "a")):
        with django_assert_num_queries(1):
            selectors.version_to_use(*names)


def test_a_version_is_used_by_its_networks_name_and_by_its_label() -> None:
    older, newer = activated(), activated(weights=b"newer")
    naming.name_network(older.network, "fraud")
    naming.label_version(NN_ID, "stable", 1)

    assert selectors.version_to_use("fraud", None) == newer.ref()
    assert selectors.version_to_use("fraud", 1) == older.ref()
    for network in ("fraud", NN_ID, None):
        assert selectors.version_to_use(network, "stable") == older.ref()
    naming.label_version("fraud", "stable", 2)
    assert selectors.version_to_use("fraud", "stable") == newer.ref()


def test_what_has_no_such_name_or_label_cannot_be_used() -> None:
    activated()
    activated(OTHER_NN_ID, b"other")
    naming.label_version(OTHER_NN_ID, "stable", 1)

    with pytest.raises(NotFoundError, match="there is no network fraud; GET /networks lists"):
        selectors.version_to_use("fraud", None)
    with pytest.raises(NotFoundError, match=f"network {NN_ID} has no label stable; GET /networks/{NN_ID} lists"):
        selectors.version_to_use(NN_ID, "stable")


def test_the_label_of_a_deleted_version_cannot_be_used() -> None:
    activated()
    activated(weights=b"newer")
    naming.label_version(NN_ID, "stable", 1)
    with pytest.raises(ConflictError, match="the label stable stands for"):
        services.delete_version(NN_ID, 1, "tester")
    Version.objects.filter(number=1).update(state=Version.State.DELETED)  # as earlier releases let one

    with pytest.raises(NotFoundError, match="version 1 is deleted"):
        selectors.version_to_use(NN_ID, "stable")


def test_the_default_networks_version_stands_first_and_then_the_latest_uploaded() -> None:
    versions = [activated(nn_id) for nn_id in (NN_ID, OTHER_NN_ID, THIRD_NN_ID)]
    samples.activated(versions[0])

    assert selectors.active_versions() == [versions[0].ref(), versions[2].ref(), versions[1].ref()]


def note(total_ms: float, outcome: str = "answered") -> None:
    PredictionTiming.objects.create(
        at=timezone.now(), rows=1, batch_rows=1, total_ms=total_ms, queue_ms=0.0, inference_ms=0.0, outcome=outcome
    )


def test_before_the_first_request_the_average_is_zero() -> None:
    assert selectors.average_handling_ms() == 0.0


def test_the_average_is_over_the_last_hundred_answered_requests() -> None:
    for _ in range(5):
        note(1000.0)
    for number in range(100):
        note(float(number))
        note(5000.0, outcome="timed_out")

    assert selectors.average_handling_ms() == pytest.approx(49.5)


def test_answered_requests_are_looked_for_among_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "RECENT_LOOKED_THROUGH", 3)
    note(1000.0)
    note(2.0)
    note(5000.0, outcome="refused")
    note(5000.0, outcome="refused")

    assert selectors.average_handling_ms() == pytest.approx(2.0)
    note(5000.0, outcome="refused")
    assert selectors.average_handling_ms() == 0.0
