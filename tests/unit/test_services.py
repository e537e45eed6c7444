"""What is written to the database: uploads, reports, and which version is active."""

from __future__ import annotations

import hashlib
from typing import NoReturn

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from inference import services
from inference.models import DefaultNetwork, FileChunk, Network, StoredFile, Version
from tests.unit.samples import NN_ID, OTHER_NN_ID, failed, loaded

pytestmark = pytest.mark.django_db
WEIGHTS, MORE_WEIGHTS, ARCHITECTURE = b"weights", b"more weights", b"{}"


def store(nn_id: str = NN_ID, weights: bytes = WEIGHTS, architecture: bytes = ARCHITECTURE) -> Version:
    return services.store_version(nn_id, "weights.b64", weights, architecture)


def active(nn_id: str = NN_ID) -> Version | None:
    return Network.objects.get(nn_id=nn_id).active


def stored_bytes(digest: str) -> bytes:
    return b"".join(bytes(chunk.content) for chunk in FileChunk.objects.filter(file_id=digest).order_by("offset"))


def test_the_first_upload_makes_the_network_and_its_version_1() -> None:
    version = store()

    assert (version.network_id, version.number, version.state) == (NN_ID, 1, Version.State.PENDING)
    assert version.file_name == "weights.b64"
    assert version.weights_id == hashlib.sha256(WEIGHTS).hexdigest()
    assert (version.weights.size, version.architecture_id) == (7, hashlib.sha256(ARCHITECTURE).hexdigest())
    assert active() is None
    assert not DefaultNetwork.objects.exists()


def test_each_network_counts_its_own_versions() -> None:
    numbers = [store(nn_id).number for nn_id in (NN_ID, NN_ID, OTHER_NN_ID, NN_ID, OTHER_NN_ID)]

    assert numbers == [1, 2, 1, 3, 2]


def test_the_same_bytes_are_stored_once_and_are_a_new_version_all_the_same() -> None:
    first, second, other = store(), store(), store(OTHER_NN_ID)

    assert first.weights_id == second.weights_id == other.weights_id
    assert (first.number, second.number) == (1, 2)
    assert StoredFile.objects.count() == 2
    assert stored_bytes(first.weights_id) == WEIGHTS


def test_a_network_keeps_its_architecture_when_the_default_one_changes() -> None:
    first = store(architecture=b"the first")
    second = store(weights=MORE_WEIGHTS, architecture=b"the second")

    assert second.architecture_id == first.architecture_id
    assert not StoredFile.objects.filter(digest=hashlib.sha256(b"the second").hexdigest()).exists()


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 11])
def test_a_file_is_stored_in_chunks_that_make_it_up(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CHUNK_BYTES", 4)
    content = bytes(range(size))

    file = services.store_file(content)

    offsets = list(FileChunk.objects.filter(file=file).order_by("offset").values_list("offset", flat=True))
    assert offsets == list(range(0, size, 4))
    assert stored_bytes(file.digest) == content
    assert file.size == size


def test_an_upload_that_cannot_be_stored_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: bytes) -> NoReturn:
        raise DatabaseError("disk full")

    monkeypatch.setattr(services, "store_file", fail)
    with pytest.raises(DatabaseError):
        store()

    assert not Network.objects.exists()
    assert not StoredFile.objects.exists()


def test_the_database_itself_refuses_a_number_twice() -> None:
    version = store()

    with pytest.raises(IntegrityError), transaction.atomic():
        Version.objects.create(
            network=version.network,
            number=1,
            weights=version.weights,
            architecture=version.architecture,
            file_name="again",
        )


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
