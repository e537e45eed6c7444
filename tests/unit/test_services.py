"""What is written to the database about a weight change: reports, and which version is active."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import DatabaseError

from inference import services
from inference.models import DefaultNetwork, Network, Version
from inference.uploads import store_version
from tests.unit.samples import NN_ID, OTHER_NN_ID, failed, loaded

pytestmark = pytest.mark.django_db
WEIGHTS, MORE_WEIGHTS, ARCHITECTURE = b"weights", b"more weights", b"{}"


def store(nn_id: str = NN_ID, weights: bytes = WEIGHTS, architecture: bytes = ARCHITECTURE) -> Version:
    return store_version(nn_id, "weights.b64", weights, architecture)


def active(nn_id: str = NN_ID) -> Version | None:
    return Network.objects.get(nn_id=nn_id).active


def test_activation_makes_the_version_active_and_its_network_the_default() -> None:
    version = store()

    services.activate(version)

    version.refresh_from_db()
    assert active() == version
    assert version.state == Version.State.LOADED
    assert DefaultNetwork.objects.get().network_id == NN_ID


def test_the_last_activated_network_is_the_default_and_the_others_stay_active() -> None:
    first, second = store(), store(OTHER_NN_ID)
    services.activate(first)
    services.activate(second)

    assert DefaultNetwork.objects.get().network_id == OTHER_NN_ID
    assert active() == first
    assert active(OTHER_NN_ID) == second


def test_an_earlier_version_may_become_active_again() -> None:
    first, second = store(), store(weights=MORE_WEIGHTS)
    services.activate(first)
    services.activate(second)
    services.activate(first)

    assert active() == first


def test_activation_happens_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = store(), store(weights=MORE_WEIGHTS)
    services.activate(first)

    def fail(**_: object) -> NoReturn:
        raise DatabaseError("gone")

    monkeypatch.setattr(DefaultNetwork.objects, "update_or_create", fail)
    with pytest.raises(DatabaseError):
        services.activate(second)

    second.refresh_from_db()
    assert active() == first
    assert second.state == Version.State.PENDING


def test_a_version_that_failed_leaves_what_is_active() -> None:
    first, second = store(), store(weights=MORE_WEIGHTS)
    services.activate(first)

    services.mark_failed(second)

    second.refresh_from_db()
    assert second.state == Version.State.FAILED
    assert active() == first


def test_each_workers_report_is_kept() -> None:
    version = store()

    services.record_reports(version, [failed("w2", "Traceback\nWeightsError: é"), loaded("w1")])

    assert list(version.reports.values_list("worker", "loaded", "trace", "seconds")) == [
        ("w1", True, "", 0.25),
        ("w2", False, "Traceback\nWeightsError: é", 0.25),
    ]


def test_no_reports_are_kept_without_an_error() -> None:
    services.record_reports(store(), [])
