"""An upload becomes a network's next version, whatever happens next."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg.errors import DiskFull

from inference.errors import BadInputError, DiskFullError
from inference.models import DefaultNetwork, Network, StoredFile, Version
from inference.versions import uploads
from inference.versions.stored_files import file_chunk
from inference.versions.uploads import store_upload, store_version
from inference.versions.version_terms import terms_of
from tests.support.archives import archive
from tests.unit.samples import NN_ID, OTHER_NN_ID
from workers.messages.terms import Terms

pytestmark = pytest.mark.django_db
WEIGHTS, MORE_WEIGHTS, ARCHITECTURE = b"weights", b"more weights", b"{}"


def store(nn_id: str = NN_ID, weights: bytes = WEIGHTS, architecture: bytes = ARCHITECTURE) -> Version:
    return store_version(nn_id, "weights.b64", weights, architecture)


def test_the_first_upload_makes_the_network_and_its_version_1() -> None:
    version = store()

    assert (version.network_id, version.number, version.state) == (NN_ID, 1, Version.State.PENDING)
    assert version.file_name == "weights.b64"
    assert version.weights_id == hashlib.sha256(WEIGHTS).hexdigest()
    assert (version.weights.size, version.architecture_id) == (7, hashlib.sha256(ARCHITECTURE).hexdigest())
    assert Network.objects.get().active is None
    assert not DefaultNetwork.objects.exists()


def test_what_is_said_of_an_upload_stays_with_its_version_and_is_none_of_the_next() -> None:
    said, silent = store_upload(NN_ID, "w", WEIGHTS, Terms(["b", "a"])), store_upload(NN_ID, "w", WEIGHTS)

    assert terms_of(said) == Terms(["b", "a"])
    assert said.ref().terms == said.terms_id
    assert (silent.terms, terms_of(silent), silent.ref().terms) == (None, None, None)


def test_each_network_counts_its_own_versions() -> None:
    numbers = [store(nn_id).number for nn_id in (NN_ID, NN_ID, OTHER_NN_ID, NN_ID, OTHER_NN_ID)]

    assert numbers == [1, 2, 1, 3, 2]


def test_the_same_bytes_are_stored_once_and_are_a_new_version_all_the_same() -> None:
    first, second, other = store(), store(), store(OTHER_NN_ID)

    assert first.weights_id == second.weights_id == other.weights_id
    assert (first.number, second.number) == (1, 2)
    assert StoredFile.objects.count() == 2
    assert file_chunk(first.weights_id, 0) == (len(WEIGHTS), WEIGHTS)


def test_vocabularies_of_an_archive_stay_for_bare_weights_that_come_later(settings: Any, tmp_path: Path) -> None:
    files = {"assets/layers/string_lookup/vocabulary.txt": b"a word"}
    lookups = {"class_name": "Sequential", "config": {"layers": [{"class_name": "StringLookup", "config": {}}]}}
    members = {"config.json": json.dumps(lookups).encode(), "model.weights.h5": b""}
    settings.PIPELINE_DEFAULT_ARCHITECTURE = tmp_path / "default.json"
    settings.PIPELINE_DEFAULT_ARCHITECTURE.write_bytes(ARCHITECTURE)

    first = store_upload(NN_ID, "a.keras", archive({**members, **files}))
    later = store_upload(NN_ID, "b.weights.h5", WEIGHTS)
    other = store_upload(NN_ID, "c.keras", archive({**members, **dict.fromkeys(files, b"another word")}))

    assert first.architecture_id == later.architecture_id != other.architecture_id
    found = file_chunk(later.architecture_id, 0)
    assert found is not None
    assert b'"vocabulary": ["a word"]' in found[1]


def test_an_archive_whose_vocabulary_is_none_is_refused() -> None:
    config = b'{"class_name": "Sequential", "config": {"layers": [{"class_name": "StringLookup", "config": {}}]}}'
    members = {"config.json": config, "model.weights.h5": b"", "assets/layers/string_lookup/vocabulary.txt": b"\xff"}

    with pytest.raises(BadInputError, match=r"vocabulary\.txt in the archive is no UTF-8"):
        store_upload(NN_ID, "a.keras", archive(members))
    assert not Version.objects.exists()


def test_a_network_keeps_its_architecture_when_the_default_one_changes() -> None:
    first = store(architecture=b"the first")
    second = store(weights=MORE_WEIGHTS, architecture=b"the second")

    assert second.architecture_id == first.architecture_id
    assert not StoredFile.objects.filter(digest=hashlib.sha256(b"the second").hexdigest()).exists()


def test_an_archive_that_is_not_active_does_not_change_what_later_weights_are_for() -> None:
    active = store()
    Network.objects.update(active=active)
    refused = store_version(NN_ID, "other.keras", MORE_WEIGHTS, ARCHITECTURE, own_architecture=b"another")
    later = store(weights=b"later")

    assert refused.architecture_id != active.architecture_id
    assert later.architecture_id == active.architecture_id


def queries_of(nn_id: str, weights: bytes, own_architecture: bytes) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        store_version(nn_id, "model.keras", weights, ARCHITECTURE, own_architecture)
    return [query["sql"] for query in asked]


@pytest.mark.parametrize("contents", [(b"one", b"two"), (b"a", b"longer")])
def test_whatever_files_are_for_they_are_locked_in_one_order_and_before_the_network(
    contents: tuple[bytes, bytes],
) -> None:
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    orders = []
    for nn_id, weights, architecture in ((NN_ID, *contents), (OTHER_NN_ID, *reversed(contents))):
        asked = queries_of(nn_id, weights, architecture)
        first = {
            what: next(i for i, sql in enumerate(asked) if what in sql) for what in [*digests, '"inference_network"']
        }
        orders.append(sorted(first, key=first.__getitem__))

    assert orders[0] == orders[1]
    assert orders[0][2] == '"inference_network"'


def test_an_upload_that_cannot_be_stored_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*contents: bytes) -> NoReturn:
        raise DatabaseError("disk full")

    monkeypatch.setattr(uploads, "store_files", fail)
    with pytest.raises(DatabaseError):
        store()

    assert not Network.objects.exists()
    assert not StoredFile.objects.exists()


def test_a_postgresql_without_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise OperationalError("could not extend file") from DiskFull()

    monkeypatch.setattr(uploads, "store_version", fail)

    with pytest.raises(DiskFullError, match="database's disk is full"):
        store_upload(NN_ID, "w.h5", WEIGHTS)


def test_a_database_that_fails_otherwise_is_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise OperationalError("gone")

    monkeypatch.setattr(uploads, "store_version", fail)

    with pytest.raises(OperationalError, match="gone"):
        store_upload(NN_ID, "w.h5", WEIGHTS)


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
