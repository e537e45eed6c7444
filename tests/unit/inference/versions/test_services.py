"""What is written to the database about activations: how each ended, what is active, what is deleted."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import DatabaseError

from inference.errors import AlreadyActiveError, ConflictError, NotFoundError
from inference.models import Activation, DefaultNetwork, FileChunk, Network, StoredFile, Version, WorkerReport
from inference.versions import services
from inference.versions.uploads import store_version
from tests.unit.samples import NN_ID, OTHER_NN_ID, activated, failed, failed_activation, loaded
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.messages.protocol import Report

pytestmark = pytest.mark.django_db
WEIGHTS, MORE_WEIGHTS, ARCHITECTURE = b"weights", b"more weights", b"{}"
UPLOAD, ACTIVATE = Activation.Kind.UPLOAD, Activation.Kind.ACTIVATE
Outcome, State = Activation.Outcome, Version.State


def store(nn_id: str = NN_ID, weights: bytes = WEIGHTS, architecture: bytes = ARCHITECTURE) -> Version:
    return store_version(nn_id, "weights.b64", weights, architecture)


def active(nn_id: str = NN_ID) -> Version | None:
    return Network.objects.get(nn_id=nn_id).active


def state(version: Version) -> str:
    return Version.objects.get(pk=version.pk).state


def test_a_commit_makes_the_version_active_and_after_an_upload_its_network_the_default() -> None:
    version = store()

    activation = activated(version)

    activation.refresh_from_db()
    assert active() == version
    assert state(version) == State.LOADED
    assert DefaultNetwork.objects.get().network_id == NN_ID
    assert (activation.outcome, activation.previous, activation.requested_by) == (Outcome.ACTIVATED, None, "192.0.2.1")
    assert (activation.workers_asked, activation.workers_answered) == (1, 1)
    assert activation.seconds is not None
    assert 0 <= activation.seconds < 60


def test_only_uploads_change_the_default_network() -> None:
    first = activated(store()).version
    second = activated(store(OTHER_NN_ID)).version

    activated(first, ACTIVATE)

    assert DefaultNetwork.objects.get().network_id == OTHER_NN_ID
    assert (active(), active(OTHER_NN_ID)) == (first, second)


def test_an_activation_makes_a_default_network_where_there_is_none() -> None:
    activated(store(), ACTIVATE)

    assert DefaultNetwork.objects.get().network_id == NN_ID


def test_what_workers_remark_stays_with_the_version_each_once() -> None:
    activation = services.begin(store(), UPLOAD, "192.0.2.1")
    first = Report("w1", loaded=True, trace="", seconds=0.1, remarks=["It is slow.", "It is blue."])
    second = Report("w2", loaded=True, trace="", seconds=0.1, remarks=["It is blue.", "It is old."])

    services.note_reports(activation, [first], 2)
    services.record_reports(activation, [first, second])

    assert Version.objects.get().remarks == ["It is slow.", "It is blue.", "It is old."]
    assert [report.remarks for report in activation.reports.all()] == [first.remarks, second.remarks]


def test_what_a_version_takes_and_makes_is_kept_as_it_was_reported_first() -> None:
    activation = services.begin(store(), UPLOAD, "192.0.2.1")
    first, second = (
        NetworkSignature([TensorSignature("x", "float32", [None, size])], [TensorSignature("y", "string", [])])
        for size in (2, 3)
    )
    silent = Report(services.SILENT, loaded=False, trace="late", seconds=1.0)

    services.note_reports(activation, [silent], 3)
    assert Version.objects.get().signature is None
    services.record_reports(
        activation, [silent, Report("w1", True, "", 0.1, signature=first), Report("w2", True, "", 0.1)]
    )
    services.record_reports(activation, [Report("w3", True, "", 0.1, signature=second)])

    assert Version.objects.get().signature == first.to_json()
    assert NetworkSignature.from_json(Version.objects.get().signature) == first


def test_a_first_network_becomes_active_where_none_is() -> None:
    services.commit(services.begin(store(), UPLOAD, "scripts/serve"), only_first=True)

    assert active() is not None
    assert DefaultNetwork.objects.get().network_id == NN_ID


@pytest.mark.parametrize("of_users", [NN_ID, OTHER_NN_ID], ids=["another's version", "another network"])
def test_a_first_network_replaces_nothing(of_users: str) -> None:
    sample = services.begin(store(), UPLOAD, "scripts/serve")
    users = activated(store(of_users, MORE_WEIGHTS)).version

    with pytest.raises(AlreadyActiveError, match=of_users):
        services.commit(sample, only_first=True)

    assert DefaultNetwork.objects.get().network_id == of_users
    assert active(of_users) == users
    assert active() == (users if of_users == NN_ID else None)


def test_each_commit_notes_what_was_active_when_it_was_made() -> None:
    first, second, third = store(), store(weights=MORE_WEIGHTS), store(weights=b"third")
    activated(first)
    # Both run at the same time; the one that began last commits first.
    early, late = services.begin(second, UPLOAD, "one"), services.begin(third, UPLOAD, "another")
    services.commit(late)
    services.commit(early)

    assert (late.previous, early.previous) == (first, third)
    assert active() == second


def test_a_commit_happens_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = store(), store(weights=MORE_WEIGHTS)
    activated(first)

    def fail(**_: object) -> NoReturn:
        raise DatabaseError("gone")

    monkeypatch.setattr(DefaultNetwork.objects, "update_or_create", fail)
    with pytest.raises(DatabaseError):
        activated(second)

    assert active() == first
    assert state(second) == State.PENDING
    assert Activation.objects.get(version=second).outcome == Outcome.RUNNING


def test_a_version_that_was_deleted_meanwhile_is_not_made_active() -> None:
    first = activated(store()).version
    activation = services.begin(store(weights=MORE_WEIGHTS), UPLOAD, "somebody")
    services.delete_version(NN_ID, 2, "somebody else")

    with pytest.raises(ConflictError, match="version 2 was deleted meanwhile"):
        services.commit(activation)
    services.close(activation, Outcome.FAILED, "deleted")

    assert active() == first
    assert state(activation.version) == State.DELETED


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [(Outcome.FAILED, State.FAILED), (Outcome.NO_WORKERS, State.PENDING), (Outcome.UNAVAILABLE, State.PENDING)],
)
def test_an_upload_that_is_not_activated_leaves_what_is_active(outcome: Activation.Outcome, becomes: str) -> None:
    first, second = store(), store(weights=MORE_WEIGHTS)
    activated(first)
    activation = services.begin(second, UPLOAD, "somebody")

    services.close(activation, outcome, "why")

    activation.refresh_from_db()
    assert (activation.outcome, activation.detail, activation.previous) == (outcome, "why", first)
    assert state(second) == becomes
    assert active() == first


def test_a_version_that_was_loaded_once_stays_so_when_it_fails_later() -> None:
    first = activated(store()).version
    activated(store(weights=MORE_WEIGHTS))

    failed_activation(first)

    assert state(first) == State.LOADED


def test_what_was_committed_is_not_closed_again() -> None:
    activation = activated(store())

    services.close(activation, Outcome.UNAVAILABLE, "the connection was lost in the commit")

    activation.refresh_from_db()
    assert (activation.outcome, activation.detail) == (Outcome.ACTIVATED, "")


def test_each_workers_report_is_kept_and_the_silent_ones_are_counted() -> None:
    activation = services.begin(store(), UPLOAD, "somebody")

    services.record_reports(
        activation, [failed("w2", "Traceback\nWeightsError: é"), loaded("w1"), failed(services.SILENT, "silent")]
    )

    assert list(activation.reports.values_list("worker", "loaded", "trace", "seconds")) == [
        ("(silent)", False, "silent", 0.25),
        ("w1", True, "", 0.25),
        ("w2", False, "Traceback\nWeightsError: é", 0.25),
    ]
    activation.refresh_from_db()
    assert (activation.workers_asked, activation.workers_answered) == (3, 2)


def test_a_name_that_is_too_long_for_the_record_is_cut() -> None:
    assert services.begin(store(), UPLOAD, "n" * 1000).requested_by == "n" * 255


def bytes_of(version: Version) -> bytes:
    return b"".join(bytes(chunk.content) for chunk in FileChunk.objects.filter(file=version.weights_id))


@pytest.fixture
def old() -> Version:
    """A version that was active before another one."""
    old = activated(store()).version
    activated(store(weights=MORE_WEIGHTS))
    return old


def test_a_deleted_versions_bytes_are_gone_and_its_record_stays(old: Version) -> None:
    services.delete_version(NN_ID, 1, "somebody")

    assert state(old) == State.DELETED
    assert bytes_of(old) == b""
    assert StoredFile.objects.get(pk=old.weights_id).size == len(WEIGHTS)
    assert WorkerReport.objects.filter(activation__version=old).count() == 1


def test_what_came_with_a_deleted_version_goes_with_it(old: Version) -> None:
    version = store_version(NN_ID, "w", b"its own", ARCHITECTURE, terms=b"said")
    twin = store_version(OTHER_NN_ID, "w", b"others", ARCHITECTURE, terms=b"said")
    assert version.ref().terms == twin.terms_id is not None

    services.delete_version(NN_ID, version.number, "somebody")
    assert not FileChunk.objects.filter(file=version.weights).exists()
    assert FileChunk.objects.filter(file=version.terms).exists()
    services.delete_version(OTHER_NN_ID, twin.number, "somebody")
    assert not FileChunk.objects.filter(file=version.terms).exists()


@pytest.mark.parametrize("nn_id", [NN_ID, OTHER_NN_ID])
def test_bytes_that_another_version_has_too_stay_until_that_is_deleted(nn_id: str, old: Version) -> None:
    twin = store(nn_id)

    services.delete_version(NN_ID, 1, "somebody")
    assert bytes_of(twin) == WEIGHTS
    services.delete_version(nn_id, twin.number, "somebody")
    assert bytes_of(twin) == b""


def test_bytes_that_are_some_networks_architecture_stay(old: Version) -> None:
    disguised = store(weights=ARCHITECTURE)

    services.delete_version(NN_ID, disguised.number, "somebody")

    assert bytes_of(disguised) == ARCHITECTURE


def test_the_same_bytes_can_be_uploaded_again_after_they_were_deleted(old: Version) -> None:
    services.delete_version(NN_ID, 1, "somebody")

    again = store()

    assert (again.number, bytes_of(again)) == (3, WEIGHTS)


def test_the_active_version_is_not_deleted(old: Version) -> None:
    with pytest.raises(ConflictError, match="version 2 is active: activate another one first"):
        services.delete_version(NN_ID, 2, "somebody")

    assert FileChunk.objects.count() == 3


@pytest.mark.parametrize(("nn_id", "number"), [(NN_ID, 9), (OTHER_NN_ID, 1)])
def test_what_is_not_there_is_not_deleted(nn_id: str, number: int, old: Version) -> None:
    with pytest.raises(NotFoundError):
        services.delete_version(nn_id, number, "somebody")


def test_nothing_is_deleted_twice(old: Version) -> None:
    services.delete_version(NN_ID, 1, "somebody")

    with pytest.raises(NotFoundError, match="is deleted already"):
        services.delete_version(NN_ID, 1, "somebody")
